"""The row that tells that the server removed the beginning of a chain because of its age."""

from __future__ import annotations

import uuid

import msgspec

from z4j_brain.audit.encoding import MAC_BYTES
from z4j_brain.store.audit import AuditRow

PRUNED = "audit.pruned"


class Position(msgspec.Struct, frozen=True):
    """A row by its number and MAC."""

    number: int
    mac: bytes


class Pruned(msgspec.Struct, frozen=True):
    """What the row holds in `after`: the last removed row, and how many were removed this time.

    In the chain of the instance `begun` names every chain whose beginning was told in a row that is
    removed by now.
    """

    number: int
    mac: str
    rows: int
    begun: list[uuid.UUID] = []

    @property
    def position(self) -> Position:
        """The last removed row."""
        return Position(self.number, bytes.fromhex(self.mac))


def read(row: AuditRow) -> Pruned | None:
    """Return what such a row tells; None for another one, or one that cannot be read.

    Whether the row is genuine is not looked at.
    """
    if row.action != PRUNED:
        return None
    try:
        found = msgspec.json.decode(row.after or "", type=Pruned)
        return found if len(found.position.mac) == MAC_BYTES else None
    except (msgspec.MsgspecError, ValueError):
        return None
