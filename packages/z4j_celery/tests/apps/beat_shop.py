"""A Celery application with schedules; its process serves one of the schedulers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.beat import BeatLazyFunc
from celery.schedules import crontab
from recording import RecordingHost

from z4j_celery.engine import CeleryEngine
from z4j_core.plugins import Scheduler

app = Celery("beat_shop", broker=os.environ["BROKER_URL"])
if "DJANGO_SETTINGS_MODULE" in os.environ:
    app.config_from_object("django.conf:settings", namespace="CELERY")


def cart() -> str:
    """Called when the task is published."""
    return f"cart-{os.getpid()}"


class Odd(crontab):
    """A schedule of somebody's own that cannot say when it runs next."""

    def remaining_estimate(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("I do not know")

    def is_due(self, *_: Any) -> Any:
        return False, 60.0


app.conf.update(
    timezone="Europe/Berlin",
    beat_max_loop_interval=1,
    result_expires=None,  # else beat adds an entry of its own
    redbeat_redis_url=os.environ["BROKER_URL"],
    redbeat_lock_key=None,
    beat_schedule={
        "tick": {
            "task": "beat_shop.tick",
            "schedule": 1.0,
            "kwargs": {"password": "hunter2"},
            "options": {"queue": "ticks"},
        },
        "nightly": {
            "task": "beat_shop.report",
            "schedule": crontab("30", "2", day_of_week="1-5"),
            "args": (1,),
            "options": {"queue": "reports", "headers": {"tenant": "acme"}},
        },
    },
)
if os.environ["SCHEDULER"] == "static":
    app.conf.beat_schedule |= {
        "odd": {"task": "beat_shop.odd", "schedule": Odd("0")},
        "lazy": {"task": "beat_shop.tick", "schedule": 86_400, "args": (BeatLazyFunc(cart),)},
        "n" * 256: {"task": "beat_shop.tick", "schedule": 86_400},
    }


@app.task(queue="own", name="beat_shop.tick")
def tick(*_: Any, **__: Any) -> None:
    """Publish only: no worker runs."""


def scheduler() -> Scheduler:
    if os.environ["SCHEDULER"] == "static":
        from z4j_celery.schedulers.static import CeleryBeat

        return CeleryBeat()
    if os.environ["SCHEDULER"] == "django":
        from z4j_celery.schedulers.django_beat import DjangoCeleryBeat

        return DjangoCeleryBeat()
    from z4j_celery.schedulers.redis_beat import RedBeat

    return RedBeat()


host = RecordingHost(Path(os.environ["RECORD"]))
CeleryEngine().attach(host)
host.engine = scheduler()
host.engine.attach(host)
