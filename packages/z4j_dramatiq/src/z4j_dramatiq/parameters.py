"""The names of an actor's parameters, so that positional secrets can be recognised by name."""

from __future__ import annotations

import inspect
from typing import Any

_NAMES = "_z4j_parameters"
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def parameters_of(broker: Any, actor_name: str) -> tuple[str, ...]:
    """Return the names of an actor's positional parameters; none when they cannot be told."""
    actor = broker.actors.get(actor_name)
    if actor is None:
        return ()
    known: tuple[str, ...] | None = actor.__dict__.get(_NAMES)
    if known is None:
        known = actor.__dict__[_NAMES] = _names(actor.fn)
    return known


def _names(function: Any) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    return tuple(parameter.name for parameter in parameters if parameter.kind in _POSITIONAL)
