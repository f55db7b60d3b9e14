"""RQ's plugins in each kind of process. Nothing here talks to Redis."""

from __future__ import annotations

import sys
from unittest.mock import MagicMock

from offers import Asked
from redis import Redis
from rq import Queue

import z4j_rq
from z4j_core.testing import RecordingHost
from z4j_rq.engine import RqEngine
from z4j_rq.schedulers.cron import RqCron


def engine() -> Asked:
    """Return the engine in an unused process, in a publisher and in both kinds of workers."""
    queue = Queue("docs", connection=Redis())  # connects when it is used
    kinds = {"Worker": z4j_rq.Worker, "SimpleWorker": z4j_rq.SimpleWorker}
    for where in ("processes that have not used RQ yet", "publishers", *kinds):
        plugin = RqEngine()
        plugin.attach(RecordingHost())
        process = plugin._attached().process
        if where in kinds:
            worker = kinds[where]([queue], connection=queue.connection, prepare_for_work=False)
            process.on_worker_begins(worker)
        elif where == "publishers":
            process.on_publish(queue)
        yield f"`z4j_rq.{where}`" if where in kinds else where, plugin
        plugin.detach()


def cron() -> Asked:
    """Return RQ's cron."""
    yield "everywhere", RqCron()


def scheduler() -> Asked:
    """Return rq-scheduler, of which nothing is needed to be asked what it offers.

    It cannot be installed beside django-celery-beat: each brings another module `crontab`.
    """
    for name in ("rq_scheduler", "rq_scheduler.utils"):
        sys.modules.setdefault(name, MagicMock())
    from z4j_rq.schedulers.store import RqScheduler

    yield "everywhere", RqScheduler()
