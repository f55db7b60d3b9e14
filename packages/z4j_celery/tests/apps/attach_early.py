"""Attaches the engine before any app exists; then makes two apps."""

from __future__ import annotations

import os

os.environ["ATTACH"] = "early"

from celery import Celery
from celery_shop import app as first

second = Celery("second", broker=os.environ["BROKER_URL"], set_as_current=False)
app = first
