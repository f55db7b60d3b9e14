"""Which frame is legal from whom and when, as a table."""

from __future__ import annotations

from enum import Enum

from z4j_core import frames


class Side(Enum):
    """Who we are on a link."""

    AGENT = "agent"
    BRAIN = "brain"


class State(Enum):
    """The life of a link: a greeting, then frames until it is closed."""

    NEW = "new"
    GREETING = "greeting"
    OPEN = "open"
    CLOSED = "closed"


RECEIVES: dict[tuple[Side, State], dict[type[frames.Frame], State]] = {
    (Side.BRAIN, State.NEW): {
        frames.Hello: State.GREETING,
        frames.Goodbye: State.CLOSED,
    },
    (Side.BRAIN, State.OPEN): {
        frames.RawEvents: State.OPEN,
        frames.Result: State.OPEN,
        frames.Gap: State.OPEN,
        frames.Heartbeat: State.OPEN,
        frames.Queues: State.OPEN,
        frames.Depths: State.OPEN,
        frames.Schedules: State.OPEN,
        frames.Error: State.OPEN,
        frames.UnknownFrame: State.OPEN,
        frames.Goodbye: State.CLOSED,
    },
    (Side.AGENT, State.GREETING): {
        frames.Welcome: State.OPEN,
        frames.Goodbye: State.CLOSED,
    },
    (Side.AGENT, State.OPEN): {
        frames.Ack: State.OPEN,
        frames.Command: State.OPEN,
        frames.Heartbeat: State.OPEN,
        frames.Watch: State.OPEN,
        frames.WatchSchedules: State.OPEN,
        frames.Error: State.OPEN,
        frames.UnknownFrame: State.OPEN,
        frames.Goodbye: State.CLOSED,
    },
}
SENDS: dict[Side, frozenset[type[frames.Frame]]] = {
    Side.AGENT: frozenset(
        (
            frames.Heartbeat,
            frames.Queues,
            frames.Depths,
            frames.Schedules,
            frames.Error,
            frames.Goodbye,
        )
    ),
    Side.BRAIN: frozenset(
        (
            frames.Ack,
            frames.Command,
            frames.Heartbeat,
            frames.Watch,
            frames.WatchSchedules,
            frames.Error,
            frames.Goodbye,
        )
    ),
}
"""Frames that `Link.send` takes in an open link; reliable ones go through the `Sender`."""

KNOWN_TO_OTHER_SIDE: dict[Side, frozenset[type[frames.Frame]]] = {
    side: frozenset(
        frame for (other, _), legal in RECEIVES.items() if other is not side for frame in legal
    )
    for side in Side
}
