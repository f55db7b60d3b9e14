"""A message as bytes that a retry reads again: with its arguments, and the options that still
make sense in a second life.

The form is Dramatiq's own, by the encoder that the application uses for its broker too, so whoever
can read the broker's messages can read these.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dramatiq.message import Message

_ONLY_ONCE = frozenset({"pipe_target", "pipe_ignore", "periodic"})
_SIMPLE = frozenset({str, int, float, bool, type(None)})


def lasting_options(broker: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that a middleware has declared for actors, such as ``time_limit``.

    Not those of one run (retries, traceback, eta), nor the rest of a pipeline or of a group, which
    would run under the ids that they ran under before.
    """
    declared = (broker.actor_options | {"broker_priority"}) - _ONLY_ONCE
    return {name: value for name, value in options.items() if name in declared}


def pack(broker: Any, message: Any, options: dict[str, Any]) -> bytes | None:
    """Return a message as bytes, with those of these options that last; None if its encoder cannot.

    `options` are those that it came with: what happens in a run, such as its termination, changes
    the message's own.
    """
    plain = getattr(message, "_message", message)
    try:
        data: bytes = replace(plain, options=lasting_options(broker, options)).encode()
    except Exception:  # noqa: BLE001 - arguments may have become anything
        return None
    return data


def unpack(data: bytes) -> Any:
    """Return the message of these bytes. Raise ``dramatiq.errors.DecodeError``."""
    return Message.decode(data)


def can_change(message: Any) -> bool:
    """Tell whether a run could change the arguments that it was given."""
    return not _SIMPLE.issuperset(map(type, (*message.args, *message.kwargs.values())))
