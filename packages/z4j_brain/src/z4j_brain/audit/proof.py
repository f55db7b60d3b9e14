"""Verifies every chain of the audit log, what the chains say of each other, and a checkpoint."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from z4j_brain.audit import checkpoints
from z4j_brain.audit.checkpoints import Checkpoint
from z4j_brain.audit.verifying import Births, Break, Report, verify_chain
from z4j_brain.keys import Keys
from z4j_brain.store import audit as rows
from z4j_brain.store.audit import INSTANCE, AuditRow

if TYPE_CHECKING:
    from z4j_brain.store.database import Database


class Proof(msgspec.Struct, frozen=True):
    """What was found of one chain; `name` is its project's slug, or `instance`."""

    name: str
    report: Report
    broken: Break | None


def prove(
    database: Database,
    keyring: Sequence[Keys],
    checkpoint: Checkpoint | None = None,
    *,
    on_row: Callable[[], None] = lambda: None,
) -> Iterator[Proof]:
    """Verify chain by chain, the instance's first. `on_row` is called for every good row.

    Uses constant memory for any number of rows; it grows with the number of projects.
    """
    with database.read() as connection:
        names = rows.chains(connection)
        headed = {head.chain for head in rows.heads(connection)}
    births = Births()

    def watch(row: AuditRow) -> None:
        if row.chain == INSTANCE:
            births(row)
        on_row()

    instance = verify_chain(database, keyring, INSTANCE, watch)
    yield _proof(database, "instance", instance, births, headed, checkpoint)
    told = births.chains() | (set(checkpoint.ends) if checkpoint else set())
    names |= {chain: str(chain) for chain in sorted(told) if chain not in names}
    for chain, name in names.items():
        if chain != INSTANCE:
            report = verify_chain(database, keyring, chain, watch)
            yield _proof(database, name, report, births, headed, checkpoint)


def _proof(
    database: Database,
    name: str,
    report: Report,
    births: Births,
    headed: set[uuid.UUID],
    checkpoint: Checkpoint | None,
) -> Proof:
    broken = report.broken or births.fault(report.chain, has_head=report.chain in headed)
    if broken is None and checkpoint is not None and report.chain in checkpoint.ends:
        number = checkpoint.ends[report.chain].number
        with database.read() as connection:
            found = rows.mac_at(connection, report.chain, number)
        broken = checkpoints.fault(checkpoint, report.chain, found, report.pruned)
    return Proof(name, report, broken)
