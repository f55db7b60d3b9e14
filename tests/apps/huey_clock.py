"""A Huey in Redis with a periodic task that tells the truth."""

from __future__ import annotations

import os

from huey import RedisHuey, crontab
from telling import tell

import z4j_huey.auto  # noqa: F401

huey = RedisHuey("clock", url=os.environ["BROKER_URL"])


@huey.periodic_task(crontab(minute="0", hour="3", day="1", month="1"))
def nightly() -> None:
    """Tells that it ran."""
    tell("started", "nightly", 0)
