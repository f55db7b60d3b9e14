"""The Celery application of `celery_truth`, with a schedule; for each of Celery's schedulers."""

from __future__ import annotations

from celery_truth import app

NIGHTLY = {
    "task": "truth.work",
    "schedule": 86_400.0,
    "args": (1,),
    "options": {"queue": "parked"},
}
app.conf.update(
    beat_schedule={"nightly": NIGHTLY},
    redbeat_lock_key=None,  # nobody waits for a beat that was stopped before
    result_expires=None,  # else beat adds an entry of its own
)
