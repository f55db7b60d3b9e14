"""The short road of redaction: small flat containers in which nothing can hide.

Most arguments of tasks are such. To see that costs a third of a whole `Walk`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from z4j_core.redaction.gates import may_hold_secret

MAX_ENTRIES: Final = 8
MAX_STRING: Final = 256
MAX_BYTES: Final = MAX_ENTRIES * 6 * (128 + MAX_STRING) + 256
"""A plain container never grows over this many bytes of JSON; keys are at most 128 characters."""

_FINITE: Final = 1e300
_SMALL: Final = 30_000_000_000_000  # integers nearer to zero cannot be card numbers


def is_plain(value: Any, clean_keys: dict[str, int]) -> bool:
    """Tell whether this is a list or dict of few simple values that redaction would not change.

    False means only that it has to be looked at. `clean_keys` are decisions on keys that are
    themselves harmless, see `KeyJudge.clean`; 0 is the one for a plain key.
    """
    if type(value) is dict:
        return (
            len(value) <= MAX_ENTRIES
            and _are_keys(value, clean_keys)
            and _are_values(value.values(), False)
        )
    return type(value) is list and len(value) <= MAX_ENTRIES and _are_values(value, True)


def _are_keys(keys: Iterable[Any], clean_keys: dict[str, int]) -> bool:
    for key in keys:
        # What stands under "value" may be named by its neighbour.
        if type(key) is not str or clean_keys.get(key) != 0 or key == "value":
            return False
    return True


def _are_values(values: Iterable[Any], is_list: bool) -> bool:
    for item in values:
        kind = type(item)
        if kind is str:
            if len(item) >= MAX_STRING or not item.isascii() or may_hold_secret(item, False):
                return False
            # What follows ``--password`` in a list is hidden by the walk.
            if is_list and item.startswith("--"):
                return False
        elif kind is int:
            if not -_SMALL < item < _SMALL:
                return False
        elif kind is float:
            if not -_FINITE < item < _FINITE:
                return False
        elif item is not None and kind is not bool:
            return False
    return True
