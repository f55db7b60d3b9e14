"""RQ's workers with an ear. For another class of yours: ``class Mine(ObservedWorker, Theirs)``."""

from __future__ import annotations

import rq

import z4j_rq.auto  # noqa: F401 - a worker that is observed reports
from z4j_rq.observed import ObservedWorker


class Worker(ObservedWorker, rq.Worker):
    """RQ's worker, which runs each job in a process of its own, reporting to z4j."""


class SimpleWorker(ObservedWorker, rq.SimpleWorker):
    """RQ's worker, which runs each job in its own process, reporting to z4j."""
