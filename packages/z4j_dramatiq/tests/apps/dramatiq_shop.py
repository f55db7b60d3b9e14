"""A Dramatiq application on real Redis, for workers in processes of their own."""

from __future__ import annotations

import os
from pathlib import Path

import dramatiq
from dramatiq.brokers.redis import RedisBroker

import z4j_dramatiq.auto  # noqa: F401
from z4j_core.testing.marks import Marks

# What a process that is gone had taken comes again a second later, and not in a minute by chance.
broker = RedisBroker(
    url=os.environ["BROKER_URL"], heartbeat_timeout=1_000, maintenance_chance=1_000_000
)
dramatiq.set_broker(broker)


@dramatiq.actor
def add(one: int, two: int) -> None:
    """Does next to nothing."""


@dramatiq.actor
def process_id(file: str) -> None:
    """Tell in which process this runs."""
    with Path(file).open("a") as told:
        told.write(f"{os.getpid()}\n")


@dramatiq.actor
def marked(folder: str, task_id: str, is_held: bool) -> None:
    """Mark in which process this runs."""
    Marks(folder).run(task_id, is_held=is_held)
