"""The configuration of `rq cron`: one job of `rq_truth`."""

from __future__ import annotations

from rq import cron
from rq_truth import work

cron.register(work, queue_name="parked", args=(1,), cron="0 3 1 1 *", name="nightly")
