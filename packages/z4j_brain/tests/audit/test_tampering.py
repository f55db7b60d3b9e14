"""What the owner of a database without the key may try: each is found, and named."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from z4j_brain.audit import checkpoints
from z4j_brain.audit.author import Author
from z4j_brain.audit.encoding import head_of, row_mac
from z4j_brain.audit.recording import HEAD_REPLACED
from z4j_brain.keys import Keys
from z4j_brain.store import audit
from z4j_brain.store.audit import INSTANCE

FORMER = Keys(b"f" * 40, b"s" * 40)
TEXTS = (
    *("actor_kind", "actor_id", "actor_name", "action", "object_kind", "object_id", "object_name"),
    *("before", "after", "address", "request_id", "key_id"),
)


@pytest.fixture(autouse=True)
def _rows(log: Any) -> None:
    log.add(6, before={"a": 1}, after={"a": 2})


def pin(log: Any, keys: Keys | None = None) -> Any:
    """Make a checkpoint of now, as text and back."""
    signer = keys or log.author.keys
    with log.database.read() as connection:
        written = checkpoints.write(signer, audit.heads(connection), 1_700_000_000_000_000)
    return checkpoints.read(written, [signer])


def snapshot(log: Any) -> list[tuple[str, list[dict[str, Any]]]]:
    with log.database.read() as connection:
        return [
            (
                table,
                [
                    dict(row)
                    for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()
                ],
            )
            for table in ("audit", "audit_heads")
        ]


def restore(log: Any, saved: list[tuple[str, list[dict[str, Any]]]]) -> None:
    """Take the log back to an older state, as from a backup."""
    with log.database.write() as connection:
        for table, rows in saved:
            connection.execute(text(f"DELETE FROM {table}"))
            for row in rows:
                names = ", ".join(row)
                values = ", ".join(f":{name}" for name in row)
                connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def test_an_untouched_log_is_whole(log: Any) -> None:
    proofs = log.proofs()
    assert {name: proof.report.rows for name, proof in proofs.items()} == {"instance": 1, "shop": 6}
    assert log.is_whole(checkpoint=pin(log))


@pytest.mark.parametrize("column", TEXTS)
def test_a_changed_text_is_found(log: Any, column: str) -> None:
    log.attack(f"UPDATE audit SET {column} = 'x' WHERE number = 3")
    number, reason = log.broken()
    assert number == 3
    assert ("another Z4J_SECRET" if column == "key_id" else "changed") in reason


@pytest.mark.parametrize("column", ["before", "after", "actor_id", "address"])
def test_nothing_is_not_the_empty_text(log: Any, column: str) -> None:
    log.attack(f"UPDATE audit SET {column} = NULL WHERE number = 3")
    assert log.broken()[0] == 3


def test_a_changed_time_is_found(log: Any) -> None:
    other = "TIMESTAMPTZ '2001-01-01'" if log.database.is_postgres else "978307200000000"
    log.attack(f"UPDATE audit SET at = {other} WHERE number = 2")
    assert log.broken()[0] == 2


def test_text_moved_over_the_border_of_two_columns_is_found(log: Any) -> None:
    log.attack("UPDATE audit SET actor_name = actor_name || action, action = '' WHERE number = 4")
    assert log.broken()[0] == 4


@pytest.mark.parametrize("number", [1, 3])
def test_a_deleted_row_is_found(log: Any, number: int) -> None:
    log.attack(
        "DELETE FROM audit WHERE number = :number AND chain <> :nil", number=number, nil=_nil(log)
    )
    found = log.broken()
    assert found[0] == number
    assert "deleted" in found[1]


def test_a_deleted_row_with_those_behind_it_renumbered_is_found(log: Any) -> None:
    log.attack("DELETE FROM audit WHERE number = 3")
    for number in (4, 5, 6):
        log.attack(
            "UPDATE audit SET number = :to WHERE number = :number", number=number, to=number - 1
        )
    assert log.broken()[0] == 3


def test_exchanged_rows_are_found(log: Any) -> None:
    for number, to in ((3, 99), (4, 3), (99, 4)):
        log.attack("UPDATE audit SET number = :to WHERE number = :number", number=number, to=to)
    assert log.broken()[0] == 3


@pytest.mark.parametrize("number", [7, 0, -5])
def test_an_added_row_is_found(log: Any, number: int) -> None:
    names = ", ".join(name for name in audit.AuditRow.__struct_fields__ if name != "number")
    log.attack(
        f"INSERT INTO audit (number, {names}) SELECT :number, {names} FROM audit WHERE number = 6",
        number=number,
    )
    assert log.broken()[0] == number


def test_a_row_added_behind_the_end_is_told_of_by_the_next_one(log: Any) -> None:
    """It must not keep the server from writing, either."""
    names = ", ".join(name for name in audit.AuditRow.__struct_fields__ if name != "number")
    log.attack(f"INSERT INTO audit (number, {names}) SELECT 7, {names} FROM audit WHERE number = 6")
    log.add(1)
    assert [row.number for row in log.rows()] == list(range(1, 10))
    assert log.broken()[0] == 7


def test_a_good_row_of_another_chain_is_found(log: Any) -> None:
    log.attack("UPDATE audit SET number = 77 WHERE chain = :nil", nil=_nil(log))
    log.attack("DELETE FROM audit WHERE number = 6")
    log.attack("UPDATE audit SET number = 6, chain = (SELECT id FROM projects) WHERE number = 77")
    assert log.broken()[0] == 6
    assert log.broken("instance")[0] == 1


def test_a_tail_that_was_cut_off_is_found(log: Any) -> None:
    log.attack("DELETE FROM audit WHERE number > 4")
    assert log.broken() == (5, _matching(log, "cut off"))
    log.add(1)
    assert log.broken()[0] == 5


def test_a_tail_that_was_cut_off_with_the_head_moved_is_found_for_ever(log: Any) -> None:
    log.attack("DELETE FROM audit WHERE number > 4")
    log.attack(
        "UPDATE audit_heads SET number = 4, last = (SELECT mac FROM audit WHERE number = 4)"
        " WHERE number = 6"
    )
    assert "head" in log.broken()[1]
    log.add(2)
    row = log.rows()[4]
    assert (row.number, row.action) == (5, HEAD_REPLACED)
    assert log.broken()[0] == 5


def test_a_deleted_head_is_found_for_ever(log: Any) -> None:
    log.attack("DELETE FROM audit_heads WHERE number = 6")
    assert "no head" in log.broken()[1]
    log.add(1)
    assert log.broken()[0] == 7


def test_a_chain_that_was_deleted_whole_is_found(log: Any) -> None:
    log.attack("DELETE FROM audit WHERE chain <> :nil", nil=_nil(log))
    log.attack("DELETE FROM audit_heads WHERE chain <> :nil", nil=_nil(log))
    assert "whole chain was deleted" in log.broken()[1]
    log.add(1)
    assert "a second time" in log.broken()[1]


def test_a_chain_that_was_deleted_with_its_project_is_found(log: Any) -> None:
    for table, column in (("audit", "chain"), ("audit_heads", "chain"), ("feeds", "project_id")):
        log.attack(f"DELETE FROM {table} WHERE {column} <> :nil", nil=_nil(log))
    log.attack("DELETE FROM projects")
    assert "whole chain was deleted" in log.broken(str(log.project_id))[1]


def test_the_chain_of_the_instance_is_missed_too(log: Any) -> None:
    log.attack("DELETE FROM audit WHERE chain = :nil", nil=_nil(log))
    log.attack("DELETE FROM audit_heads WHERE chain = :nil", nil=_nil(log))
    assert "does not know this one" in log.broken()[1]


def test_a_chain_written_anew_without_the_key_is_found(log: Any) -> None:
    forged = b"x" * 32
    previous = bytes(32)
    for row in log.rows():
        new = msgspec.structs.replace(row, actor_name="eve", previous=previous)
        previous = row_mac(forged, new)
        log.attack(
            "UPDATE audit SET actor_name = 'eve', previous = :before, mac = :mac"
            " WHERE number = :number AND chain <> :nil",
            before=new.previous,
            mac=previous,
            number=row.number,
            nil=_nil(log),
        )
    head = head_of(forged, log.project_id, 6, previous)
    log.attack(
        "UPDATE audit_heads SET last = :last, mac = :mac WHERE number = 6",
        last=head.last,
        mac=head.mac,
    )
    assert log.broken()[0] == 1


def test_an_older_state_is_whole_in_itself_and_found_by_a_checkpoint(log: Any) -> None:
    saved = snapshot(log)
    log.add(3)
    known = pin(log)
    restore(log, saved)
    assert log.is_whole()
    number, reason = log.broken(checkpoint=known)
    assert (number, "older state" in reason) == (9, True)
    log.add(5)
    assert log.is_whole()
    assert log.broken(checkpoint=known)[0] == 9


def test_a_chain_written_anew_with_a_stolen_key_is_found_by_a_checkpoint(log: Any) -> None:
    known = pin(log)
    for table in ("audit", "audit_heads"):
        log.attack(f"DELETE FROM {table}")
    log.add(8)
    assert log.is_whole()
    assert log.broken(checkpoint=known)[0] == 6


def test_a_checkpoint_knows_a_chain_of_which_nothing_is_left(log: Any) -> None:
    known = pin(log)
    for table in ("audit", "audit_heads", "feeds", "projects"):
        log.attack(f"DELETE FROM {table}")
    assert log.is_whole()
    assert log.broken(str(log.project_id), checkpoint=known)[0] == 6


def test_a_checkpoint_that_was_changed_is_refused(log: Any) -> None:
    with log.database.read() as connection:
        written = checkpoints.write(log.author.keys, audit.heads(connection), 0)
    keyring = [log.author.keys]
    assert checkpoints.read(written.replace("\n", "\r\n"), keyring)
    chain = f"chain {log.project_id} 6"
    for bad in (
        written.replace(chain, chain.replace(" 6", " 5")),
        written.replace("1970", "1971"),
        written.replace("signature ", "signature 0"),
        written + "chain\n",
        "",
        "signature ",
        "\ud800",
    ):
        with pytest.raises(checkpoints.CheckpointError):
            checkpoints.read(bad, keyring)
    with pytest.raises(checkpoints.CheckpointError, match="another Z4J_SECRET"):
        checkpoints.read(written, [FORMER])


def test_a_change_of_the_secret_is_survived_and_needs_the_former_one(log: Any) -> None:
    renewed = Keys(b"n" * 40, b"s" * 40)
    log.add(2, Author(renewed, log.author.actor))
    assert [row.action for row in log.rows()][6:] == [HEAD_REPLACED] + ["agent.created"] * 2
    assert "another Z4J_SECRET" in log.broken()[1]
    assert all(proof.broken is None for proof in log.proofs(renewed).values())
    log.attack("DELETE FROM audit WHERE number = 6")
    assert log.proofs(renewed)["shop"].broken.number == 6


def test_a_cut_before_a_change_of_the_secret_is_found(log: Any) -> None:
    renewed = Keys(b"n" * 40, b"s" * 40)
    log.attack("DELETE FROM audit WHERE number > 4")
    log.add(2, Author(renewed, log.author.actor))
    assert log.proofs(renewed)["shop"].broken.number == 5


def _nil(log: Any) -> Any:
    return INSTANCE if log.database.is_postgres else uuid.UUID(int=0).hex


def _matching(log: Any, part: str) -> str:
    reason: str = log.broken()[1]
    assert part in reason
    return reason
