"""Rows that are removed because of their age: the rest stays provable, and nobody can cut more."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from z4j_brain import clock
from z4j_brain.audit import checkpoints, pruning
from z4j_brain.audit.author import Author
from z4j_brain.audit.pruned import PRUNED, read
from z4j_brain.audit.verifying import verify_chain, verify_part
from z4j_brain.keys import Keys
from z4j_brain.reconcile.counters import Counters
from z4j_brain.reconcile.steps import Steps
from z4j_brain.settings import load
from z4j_brain.store import audit
from z4j_brain.store.audit import INSTANCE
from z4j_brain.store.schema import audit as table

DAY = 86_400_000_000
FORMER = Keys(b"f" * 40, b"s" * 40)


def prune(log: Any, chain: uuid.UUID | None = None, keys: Keys | None = None, **more: int) -> int:
    """Remove what is older than day 5."""
    with log.database.write() as connection:
        return pruning.prune(
            connection, keys or log.author.keys, chain or log.project_id, 5 * DAY, **more
        )


@pytest.fixture
def days(log: Any) -> Any:
    """The log with a row on each of the days 1 to 8."""
    for day in range(1, 9):
        log.add(1, now=day * DAY + 1)
    return log


def test_what_is_older_goes_and_the_rest_is_whole(days: Any) -> None:
    assert prune(days) == 4
    rows = days.rows()
    assert [row.number for row in rows] == [5, 6, 7, 8, 9]
    assert rows[-1].action == PRUNED
    note = read(rows[-1])
    assert note is not None
    assert (note.number, note.rows) == (4, 4)
    assert days.is_whole()
    assert days.proofs()["shop"].report.pruned == note.position
    assert prune(days) == 0, "a day's rows are gone already"
    days.add(2)
    assert days.is_whole()


def test_batches_and_further_days_follow_each_other(days: Any) -> None:
    assert [prune(days, most=3), prune(days, most=3), prune(days, most=3)] == [3, 1, 0]
    assert days.is_whole()
    assert days.rows()[0].number == 5


def test_a_part_is_verified_from_where_the_chain_begins_now(days: Any) -> None:
    prune(days)
    with days.database.read() as connection:
        ring = days.author.keys.ring()
        whole = verify_part(connection, ring, days.project_id, 1, 100)
        part = verify_part(connection, ring, days.project_id, 1, 2)
    assert (whole.broken, whole.is_whole, whole.rows) == (None, True, 5)
    assert (part.broken, part.is_whole, part.rows) == (None, False, 2)


ATTACKS = {
    "more is cut than was pruned": ("DELETE FROM audit WHERE number = 5", 5, "deleted"),
    "the row that tells of it is deleted": ("DELETE FROM audit WHERE number = 9", 1, "deleted"),
    "the row that tells of it is changed": (
        "UPDATE audit SET after = replace(after, '4,', '5,') WHERE number = 9",
        9,
        "changed",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_nobody_hides_more_behind_it(days: Any, name: str) -> None:
    sql, number, reason = ATTACKS[name]
    prune(days)
    days.attack(sql)
    found = days.broken()
    assert (found[0], reason in found[1]) == (number, True), found


def test_a_beginning_that_was_cut_is_found_by_a_part_too(days: Any) -> None:
    prune(days)
    days.attack("DELETE FROM audit WHERE number = 5")
    with days.database.read() as connection:
        part = verify_part(connection, [days.author.keys], days.project_id, 1, 2)
    assert part.broken is not None
    assert part.broken.number == 5


def test_removed_rows_that_are_put_back_are_found(days: Any) -> None:
    saved = days.rows()[:4]
    prune(days)
    with days.database.write() as connection:
        connection.execute(table.insert(), [msgspec.structs.asdict(row) for row in saved[2:]])
    assert days.broken() == (3, "it was removed because of its age, and somebody has put it back")


def test_pruning_does_not_wash_away_a_change_or_a_cut(days: Any) -> None:
    days.attack("UPDATE audit SET actor_name = 'eve' WHERE number = 2")
    assert prune(days) == 0
    assert days.broken()[0] == 2
    days.attack("UPDATE audit SET actor_name = 'ada@example.org' WHERE number = 2")
    days.attack("DELETE FROM audit WHERE number = 1 AND chain <> :nil", nil=_nil(days))
    assert prune(days) == 0
    assert days.broken()[0] == 1


def test_rows_under_an_unknown_secret_stay(log: Any) -> None:
    log.add(2, Author(FORMER, log.author.actor), now=DAY)
    log.add(1)
    assert prune(log) == 0
    both = Keys(b"m" * 40, b"s" * 40, former=(FORMER.master,))
    assert prune(log, keys=both) == 3, "with the row that tells of the other key"
    assert log.rows()[0].number == 4
    assert log.proofs(FORMER)["shop"].broken is None


def test_the_instance_still_knows_which_chains_were_begun(days: Any) -> None:
    days.attack("UPDATE projects SET name = 'x'")
    with days.database.write() as connection:
        removed = pruning.prune(connection, days.author.keys, INSTANCE, clock.now() + 2 * DAY)
    assert removed == 1
    assert days.is_whole()
    assert [row.action for row in days.rows(INSTANCE)] == [PRUNED]
    for name in ("audit_heads", "audit"):
        days.attack(f"DELETE FROM {name} WHERE chain <> :nil", nil=_nil(days))
    assert "deleted" in days.broken()[1]


def test_a_checkpoint_from_before_is_no_reproach(days: Any) -> None:
    pins = [_pin(days, number) for number in (2, 4)]
    prune(days)
    assert all(days.is_whole(checkpoint=pin) for pin in pins)
    other = _pin(days, 4, b"x" * 32)
    assert days.broken(checkpoint=other)[0] == 4


def test_only_chains_with_old_rows_are_due(days: Any) -> None:
    with days.database.read() as connection:
        assert pruning.due(connection, DAY) == []
        assert pruning.due(connection, 5 * DAY) == [days.project_id]


def test_a_proof_under_way_does_not_stumble_over_it(
    days: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("z4j_brain.audit.verifying.PAGE", 2)
    removed: list[int] = []

    def watch(row: Any) -> None:
        if not removed:
            removed.append(0)
            removed.append(prune(days))

    report = verify_chain(days.database, [days.author.keys], days.project_id, watch)
    assert removed == [0, 4]
    assert (report.broken, report.rows) == (None, 5)


def test_the_leader_prunes_by_the_setting(days: Any) -> None:
    variables = {"Z4J_AUDIT_RETENTION_DAYS": "30"}
    counters = Counters()
    for settings, gone in (({}, 0), (variables, 8)):
        steps = Steps(days.database, load(settings).settings, counters, keys=days.author.keys)
        assert asyncio.run(steps.prune_audit())
        assert counters.deleted.get("audit", 0) == gone
    assert days.is_whole()
    assert [row.action for row in days.rows()] == [PRUNED]


def _pin(log: Any, number: int, mac: bytes | None = None) -> Any:
    with log.database.read() as connection:
        found = mac or audit.mac_at(connection, log.project_id, number)
    assert found is not None
    end = audit.Head(log.project_id, number, found, "", b"")
    keys = log.author.keys
    return checkpoints.read(checkpoints.write(keys, [end], DAY), [keys])


def _nil(log: Any) -> Any:
    return str(INSTANCE) if log.database.is_postgres else _as_stored(log)


def _as_stored(log: Any) -> Any:
    with log.database.read() as connection:
        return connection.execute(text("SELECT min(chain) FROM audit_heads")).scalar_one()
