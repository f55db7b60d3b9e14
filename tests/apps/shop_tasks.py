"""The background work of the three web shops: one Celery task."""

from __future__ import annotations

import os

from celery import Celery

app = Celery("shop", broker=os.environ["BROKER_URL"])
app.conf.update(task_default_queue="shop", broker_connection_retry_on_startup=True)


@app.task(name="shop.pack")
def pack(order: int) -> int:
    """Packs an order."""
    return order
