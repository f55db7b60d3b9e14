"""Celery's plugins in each kind of process. Workers are made and never started."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from celery import Celery
from celery.signals import worker_init
from celery.worker import WorkController
from offers import Asked

from z4j_celery.engine import CeleryEngine
from z4j_celery.schedulers.django_beat import DjangoCeleryBeat
from z4j_celery.schedulers.redis_beat import RedBeat
from z4j_celery.schedulers.static import CeleryBeat
from z4j_core.testing import RecordingHost

_WORKERS: dict[str, dict[str, Any]] = {
    "workers with `--pool solo`": {"pool": "solo"},
    "workers with `--pool threads`": {"pool": "threads"},
    "prefork workers": {"pool": "prefork"},
    "prefork workers with `--autoscale`": {"pool": "prefork", "autoscale": (4, 1)},
    "prefork workers with `worker_pool_restarts`": {"pool": "prefork"},
}


def engine() -> Asked:
    """Return the engine without an app, in a publisher, and in workers of several pools."""
    for where in ("processes without a Celery app", "publishers", *_WORKERS):
        app = None
        if "app" not in where:
            app = Celery("docs", broker="memory://", set_as_current=False)
            app.conf.worker_pool_restarts = "worker_pool_restarts" in where
        yield from _asked(where, app)
        if app is not None:
            app.close()


def _asked(where: str, app: Any) -> Iterator[tuple[str, CeleryEngine]]:
    plugin = CeleryEngine()
    plugin.attach(RecordingHost())
    if app is not None and where in _WORKERS:
        worker = WorkController(app=app, concurrency=1, **_WORKERS[where])
        worker_init.send(sender=worker)
        plugin._process().on_consumer_start(worker.consumer)
    yield where, plugin
    plugin.detach()


def beat() -> Asked:
    """Return celery beat: it is announced by the process that it runs in alone."""
    yield "everywhere", CeleryBeat()


def django_beat() -> Asked:
    """Return django-celery-beat in a project without an app and in one that has it."""
    yield "processes without a Celery app", DjangoCeleryBeat()
    app = Celery("docs", broker="memory://", set_as_current=False)
    yield "other processes of the project", DjangoCeleryBeat()
    app.close()


def redbeat() -> Asked:
    """Return celery-redbeat."""
    yield "everywhere", RedBeat()
