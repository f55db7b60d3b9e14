"""The demo's Celery application: a small shop, whose tasks succeed, fail, retry and are slow."""

from __future__ import annotations

import os
import random
import time
from typing import Any

from celery import Celery

import z4j_celery.auto  # noqa: F401 - this import is all that z4j needs

app = Celery("shop", broker=os.environ["Z4J_DEMO_BROKER"])
app.conf.update(
    result_backend=os.environ["Z4J_DEMO_BROKER"],
    result_expires=600,
    broker_connection_retry_on_startup=True,
    task_default_queue="orders",
    task_routes={"shop.send_*": {"queue": "email"}, "shop.report": {"queue": "reports"}},
    worker_hijack_root_logger=False,
)


class PaymentDeclined(Exception):
    """The bank said no."""


@app.task(name="shop.place_order")
def place_order(order: int, items: list[str]) -> dict[str, Any]:
    """Always works."""
    time.sleep(random.uniform(0.01, 0.15))
    return {"order": order, "items": len(items)}


@app.task(name="shop.charge_card", bind=True, max_retries=3)
def charge_card(self: Any, order: int, card_token: str) -> str:
    """Is refused now and then: retried, and sometimes failed in the end."""
    time.sleep(random.uniform(0.02, 0.1))
    try:
        if random.random() < 0.35:
            raise PaymentDeclined(f"order {order}: the bank answered token={card_token}")
    except PaymentDeclined as error:
        raise self.retry(exc=error, countdown=random.uniform(0.5, 2.0)) from error
    return "charged"


@app.task(name="shop.send_invoice")
def send_invoice(previous: Any, address: str) -> str:
    """Fails for addresses that do not exist."""
    time.sleep(random.uniform(0.01, 0.05))
    if address.endswith("@nowhere.example"):
        raise ValueError(f"no mailbox for {address}")
    return f"sent to {address}"


@app.task(name="shop.report")
def report(day: str, pages: int) -> int:
    """Slow: long enough to be watched and terminated."""
    for _ in range(pages):
        time.sleep(1.0)
    return pages
