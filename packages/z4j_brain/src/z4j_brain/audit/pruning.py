"""Removes what is older than `Z4J_AUDIT_RETENTION_DAYS`, so that the rest can still be verified.

What goes is verified first: nobody gets rid of the traces of a change by waiting. A signed row
`audit.pruned` then names the last removed row; a chain that begins anywhere else was cut by
somebody else.
"""

from __future__ import annotations

import logging
import uuid

import msgspec
from sqlalchemy import Connection

from z4j_brain import clock
from z4j_brain.audit import pruned
from z4j_brain.audit.author import Target, from_server
from z4j_brain.audit.pruned import PRUNED, Pruned
from z4j_brain.audit.recording import BEGUN, append_system
from z4j_brain.audit.verifying import BrokenError, Walk
from z4j_brain.keys import Keys
from z4j_brain.store import audit as rows
from z4j_brain.store.audit import INSTANCE, AuditRow

log = logging.getLogger("z4j.audit")
BATCH = 5_000
"""Rows that one transaction verifies and removes at most."""
DAY_US = 86_400_000_000


def due(connection: Connection, cutoff: int) -> list[uuid.UUID]:
    """Return the chains that begin with a row of a day before a time (microseconds)."""
    day = cutoff - cutoff % DAY_US
    found = []
    for head in rows.heads(connection):
        first = rows.first_number(connection, head.chain)
        if first is not None and first <= _last_to_go(connection, head.chain, day):
            found.append(head.chain)
    return found


def prune(
    connection: Connection, keys: Keys, chain: uuid.UUID, cutoff: int, most: int = BATCH
) -> int:
    """Remove at most `most` rows of a chain that are older than a time (microseconds).

    Whole days go, so that a chain grows by one row of ours a day at most. Returns how many went: 0
    too when the chain is broken there, or signed under a secret that was not given.
    """
    if rows.lock_head(connection, chain) is None:
        return 0
    first = rows.first_number(connection, chain)
    last = _last_to_go(connection, chain, cutoff - cutoff % DAY_US)
    if first is None or last < first:
        return 0
    last = min(last, first + most - 1)
    if not rows.has_other(connection, chain, last, PRUNED):
        return 0
    begun = _Begun()
    walk = Walk(chain, keys.ring(), begun)
    try:
        walk.go_until(connection, last)
        walk.check_beginning(connection)
    except BrokenError as error:
        log.error("the audit log is not pruned, for it is broken: %s: %s", chain, error)
        return 0
    removed = rows.remove_until(connection, chain, last)
    told = sorted(begun.chains) if chain == INSTANCE else []
    note = Pruned(last, walk.end.mac.hex(), removed, told)
    name = "instance" if chain == INSTANCE else str(chain)
    append_system(
        connection,
        from_server(keys),
        chain,
        clock.now(),
        PRUNED,
        Target("audit", str(chain), name),
        msgspec.json.encode(note).decode(),
    )
    return removed


def _last_to_go(connection: Connection, chain: uuid.UUID, cutoff: int) -> int:
    kept = rows.first_number_since(connection, chain, cutoff)
    return rows.last_number(connection, chain) if kept is None else kept - 1


class _Begun:
    """Gathers from the rows that go which chains they know of."""

    def __init__(self) -> None:
        self.chains: set[uuid.UUID] = set()

    def __call__(self, row: AuditRow) -> None:
        if row.action == BEGUN and row.object_id is not None:
            self.chains.add(uuid.UUID(row.object_id))
        note = pruned.read(row)
        if note is not None:
            self.chains.update(note.begun)
