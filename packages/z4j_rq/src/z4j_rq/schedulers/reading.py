"""Function and arguments of a job, read without importing anything of the application."""

from __future__ import annotations

import io
import json
import pickle
from typing import Any

from rq.serializers import DefaultSerializer, JSONSerializer

_HARMLESS = frozenset({"datetime", "decimal", "uuid"})
MAX_DATA = 1 << 20


class _Plain(pickle.Unpickler):
    """Builds plain values only: a worker that forks must not load the application's code."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse everything that would have to be imported."""
        if module not in _HARMLESS:
            raise pickle.UnpicklingError(f"{module}.{name} is not plain")
        return super().find_class(module, name)


def plainly(job: Any) -> tuple[str, list[Any], dict[str, Any]] | None:
    """Return name, arguments and keyword arguments; None if that needs more than plain values."""
    data = job.data
    if len(data) > MAX_DATA:
        return None
    try:
        if job.serializer is DefaultSerializer:
            name, instance, args, kwargs = _Plain(io.BytesIO(data)).load()
        elif job.serializer is JSONSerializer:
            name, instance, args, kwargs = json.loads(data)
        else:
            return None
        return None if instance is not None else (str(name), list(args), dict(kwargs))
    except Exception:  # noqa: BLE001 - what stands in Redis may be anything
        return None
