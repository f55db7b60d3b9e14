"""An arq worker with a cron job that tells the truth; arq is in an environment of its own."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from arq import cron
from arq.connections import RedisSettings
from telling import tell

import z4j_arq.auto  # noqa: F401


async def nightly(ctx: dict[Any, Any]) -> None:
    """Tells that it ran."""
    tell("started", "nightly", 0)


class WorkerSettings:
    """What `arq arq_clock.WorkerSettings` runs."""

    redis_settings = RedisSettings.from_dsn(os.environ["BROKER_URL"])
    cron_jobs: ClassVar = [cron(nightly, name="nightly", month=1, day=1, hour=3)]
