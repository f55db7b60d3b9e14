"""z4j engine plugin for RQ.

Workers: ``rq worker --worker-class z4j_rq.Worker`` (or `RQ_WORKER_CLASS`); publishers:
``import z4j_rq.auto``. Nothing happens unless `Z4J_URL` is set.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from z4j_rq.observed import ObservedWorker
    from z4j_rq.workers import SimpleWorker, Worker

__version__ = "0.1.0"
__all__ = ["ObservedWorker", "SimpleWorker", "Worker"]

_PLACES = {
    "ObservedWorker": "z4j_rq.observed",
    "SimpleWorker": "z4j_rq.workers",
    "Worker": "z4j_rq.workers",
}


def __getattr__(name: str) -> object:
    """Import a worker class when it is asked for: importing this package imports no RQ."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_PLACES[name]), name)
