"""Publishes the demo's tasks: a burst at first, then a few each second."""

from __future__ import annotations

import random
import sys
import time

from celery import chain

from z4j_celery.demo.app import charge_card, place_order, report, send_invoice

ITEMS = ["lamp", "rope", "tent", "mug", "map", "stove"]


def publish_one(order: int) -> None:
    """Publish one piece of work, by chance of its kind."""
    choice = random.random()
    address = f"customer{order}@{'nowhere' if random.random() < 0.2 else 'shop'}.example"
    items = random.sample(ITEMS, random.randint(1, 4))
    if choice < 0.45:
        place_order.delay(order, items)
    elif choice < 0.7:
        charge_card.delay(order, card_token=f"tok_{order:08d}")
    elif choice < 0.97:
        chain(place_order.s(order, items), send_invoice.s(address)).delay()
    else:
        report.delay(time.strftime("%Y-%m-%d"), pages=random.randint(3, 12))


def main() -> None:
    """Publish until the process is ended."""
    order = 1000
    for _ in range(30):
        publish_one(order := order + 1)
    while True:
        publish_one(order := order + 1)
        time.sleep(random.uniform(0.2, 0.8))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
