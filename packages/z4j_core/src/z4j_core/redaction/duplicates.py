"""Find repeated keys in JSON, which a decoder silently drops."""

from __future__ import annotations

import json


class _DuplicateError(Exception):
    pass


def has_duplicate_keys(payload: bytes) -> bool:
    """Tell whether an object in valid JSON has the same key twice; True when in doubt."""
    try:
        json.loads(payload, object_pairs_hook=_refuse_duplicates)
    except (_DuplicateError, ValueError, RecursionError):
        return True
    return False


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise _DuplicateError
