"""An APScheduler whose jobs stand in Redis and tell the truth."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import redis
from apscheduler.jobstores.redis import RedisJobStore
from apscheduler.schedulers.background import BackgroundScheduler

import z4j_apscheduler.auto  # noqa: F401


def tell(word: str) -> None:
    """Write it down."""
    with Path(os.environ["TRUTH_FILE"]).open("a") as file:
        file.write(f"{word}\n")


def run() -> None:
    """Serve the jobs."""
    url = redis.ConnectionPool.from_url(os.environ["BROKER_URL"]).connection_kwargs
    store = RedisJobStore(host=url["host"], port=url["port"], db=url.get("db", 0))
    scheduler = BackgroundScheduler(jobstores={"default": store}, timezone="UTC")
    scheduler.start()
    job = "apscheduler_clock:tell"  # not the function: this module has to be found by its name
    scheduler.add_job(job, "interval", hours=24, args=["first"], id="first", name="first")
    print("ready", flush=True)
    signal.pause()
