"""Ways to turn z4j on: `celery_sites:bare` has no z4j at all; options bring it in."""

from __future__ import annotations

import os

from celery import Celery

from z4j_core.testing.marks import Marks

bare = Celery("bare", broker=os.environ["BROKER_URL"], backend=os.environ["BROKER_URL"])
bare.conf.update(
    broker_connection_retry_on_startup=True, task_default_queue="shop", worker_pool_restarts=True
)


@bare.task(name="celery_shop.add")
def add(x: int, y: int) -> int:
    return x + y


@bare.task(name="celery_shop.spawn")
def spawn(number: int) -> str:
    return str(add.delay(number, 1).id)


@bare.task(name="celery_shop.marked")
def marked(folder: str, task_id: str, is_held: bool) -> None:
    Marks(folder).run(task_id, is_held=is_held)
