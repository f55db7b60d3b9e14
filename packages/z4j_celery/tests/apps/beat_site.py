"""A Celery application with schedules that turns z4j on by the import alone."""

from __future__ import annotations

import os

from beat_entries import ENTRIES
from celery import Celery

import z4j_celery.auto  # noqa: F401 - this import is all that z4j needs

app = Celery("beat_site", broker=os.environ["BROKER_URL"])
app.conf.update(beat_schedule=ENTRIES, result_expires=None)
