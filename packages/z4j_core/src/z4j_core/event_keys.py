"""The keys of an event's data that have a meaning for everybody: in which kinds, of which type.

The table of `docs/events.md` is made from here, and the contract kit holds every plugin to it. A
plugin may add keys of its own, under other names: they are kept and shown as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from z4j_core.events import ENDING_KINDS, MAX_TASK_ID, Kind, Micros

_ALL = frozenset(Kind)
_PLUGINS = _ALL - {Kind.UNKNOWN}
_ENDS = frozenset(ENDING_KINDS)
_RAISED = _ENDS - {Kind.SUCCEEDED}


class Key(NamedTuple):
    """One key; `type` is that of its JSON value, for `msgspec.convert`, `written` the same in words
    and with the unit.
    """

    type: Any
    written: str
    kinds: frozenset[Kind]
    meaning: str


class _Raised(msgspec.Struct):
    type: str
    message: str
    module: str = ""


_ID = str | None

KEYS: Mapping[str, Key] = {
    "args": Key(list[Any] | str, "array", _PLUGINS, "preview of the positional arguments"),
    "kwargs": Key(dict[str, Any] | str, "object", _PLUGINS, "preview of the keyword arguments"),
    "exact": Key(
        bool,
        "bool",
        _PLUGINS,
        "the previews equal the real arguments: nothing redacted, cut or converted (set by the "
        "agent)",
    ),
    "unsealed": Key(
        str,
        "string",
        _PLUGINS,
        "why the real arguments could not be [sealed](sealed.md) (set by the agent)",
    ),
    "cut": Key(list[str], "array", _PLUGINS, "the keys that were too large (set by the agent)"),
    "result": Key(Any, "any", frozenset({Kind.SUCCEEDED}), "preview of the result"),
    "published_at": Key(
        Micros | None, "µs", _PLUGINS, "when the message of this attempt was published"
    ),
    "eta": Key(Micros | None, "µs", _PLUGINS, "not to be started before"),
    "expires": Key(Micros | None, "µs", _PLUGINS, "not to be started after"),
    "retry_at": Key(Micros | None, "µs", frozenset({Kind.RETRIED}), "when the next attempt is due"),
    "run_us": Key(Micros | None, "µs, a duration", _ENDS, "how long the run took"),
    "pid": Key(int | None, "int", frozenset({Kind.STARTED}), "the process that runs the task"),
    "exception": Key(
        _Raised,
        "`{type, message, module}`",
        _RAISED,
        "what was raised; `module` where it is not `builtins`",
    ),
    "traceback": Key(str, "string", _RAISED, "as Python prints it, or its two ends"),
    "reason": Key(
        str,
        "string",
        _ENDS | {Kind.UNKNOWN},
        "why it was cancelled or rejected, who told an end that no worker reported, or why nobody "
        "knows",
    ),
    "since": Key(Micros, "µs", _ALL - _PLUGINS, "the last fact that was known (set by the server)"),
    "parent_id": Key(_ID, "string", _PLUGINS, "the task that published this one"),
    "root_id": Key(_ID, "string", _PLUGINS, "the task that the whole tree began with"),
    "group_id": Key(_ID, "string", _PLUGINS, "the group that it belongs to"),
    "retried_from": Key(_ID, "string", _PLUGINS, "the task that a person retried"),
    "schedule": Key(_ID, "string", _PLUGINS, "the id of the schedule that it was published for"),
    "priority": Key(int | float | None, "number", _PLUGINS, "as the engine counts it"),
}


def faults_of(kind: Kind, data: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the keys of an event's data as it travels, one sentence each."""
    found = []
    for name, value in data.items():
        key = KEYS.get(name)
        if key is None:
            continue
        if kind not in key.kinds:
            found.append(f"{name!r} has no meaning on {kind.value}.")
            continue
        try:
            msgspec.convert(value, key.type)
        except msgspec.ValidationError as error:
            found.append(f"{name!r} on {kind.value}: {error}.")
        if key.type is _ID and value is not None and not 0 < len(str(value)) <= MAX_TASK_ID:
            found.append(f"{name!r} on {kind.value} has not 1 to {MAX_TASK_ID} characters.")
    return found
