"""The periodic tasks of the tests' applications."""

from __future__ import annotations

from typing import Any

from celery.schedules import crontab

ENTRIES: dict[str, dict[str, Any]] = {
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
}
