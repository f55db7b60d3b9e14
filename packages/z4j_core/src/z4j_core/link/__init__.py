"""The link protocol without I/O: both sides, reliable delivery, back-off."""

from z4j_core.link.backoff import AUTHENTICATION, NETWORK, BackOff
from z4j_core.link.errors import CloseReason, LinkError, LinkMisuse
from z4j_core.link.link import HEARTBEAT_S, SILENCE_S, Link
from z4j_core.link.reliable import Receiver, Sender
from z4j_core.link.states import Side, State

__all__ = [
    "AUTHENTICATION",
    "HEARTBEAT_S",
    "NETWORK",
    "SILENCE_S",
    "BackOff",
    "CloseReason",
    "Link",
    "LinkError",
    "LinkMisuse",
    "Receiver",
    "Sender",
    "Side",
    "State",
]
