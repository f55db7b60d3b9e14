"""A retry is given what was sealed with its task; nothing and nobody else is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from sqlalchemy import delete, insert

from z4j_brain.audit.command_ends import reported
from z4j_brain.store import audit
from z4j_brain.store.schema import sealed_payloads as table
from z4j_core.frames import Command
from z4j_core.seal import Envelope

KEY, OTHER = "ab12cd34ef567890", "0" * 16
CIPHER = b"cipher text that nobody here can read \xff\x00"
SEALED = Envelope(bytes.fromhex(KEY), bytes(8), bytes(16), bytes(12), CIPHER).pack()


def seal(house: Any, task_id: str = "t", **fields: Any) -> None:
    values = {
        "project_id": house.project_id,
        "engine": "celery",
        "task_id": task_id,
        "attempt": 0,
        "key_id": KEY,
        "envelope": SEALED,
        "received_at": house.now,
    }
    with house.database.write() as connection:
        connection.execute(insert(table).values(values | fields))


def sealed_of(command: Command) -> bytes | None:
    assert command.task is not None
    return command.task.sealed


@pytest.mark.parametrize(
    ("action", "params", "state", "expected"),
    [
        ("retry", b"{}", "failed", SEALED),
        ("retry_edited", b'{"args":[],"kwargs":{}}', "failed", None),
        ("cancel", b"{}", "queued", None),
    ],
)
def test_only_a_retry_carries_it(
    house: Any, run: Any, action: str, params: bytes, state: str, expected: bytes | None
) -> None:
    house.add_task(exact=False, state=state)
    seal(house)
    run(house.service.create(house.request(action, params=params)))
    [command] = house.registry.take()
    assert sealed_of(command) == expected


def test_a_retry_of_another_task_does_not_carry_it(house: Any, run: Any) -> None:
    house.add_task("other")
    seal(house)
    run(house.service.create(house.request(task_id="other")))
    [command] = house.registry.take()
    assert sealed_of(command) is None


def test_after_a_restart_it_is_handed_out_again(house: Any, run: Any) -> None:
    house.add_task(exact=False)
    seal(house)
    run(house.service.create(house.request()))
    [first] = house.registry.take()
    run(house.new_service().link_opened(house.w1))
    [again] = house.registry.take()
    assert again == first


def test_what_is_gone_meanwhile_is_not_made_up(house: Any, run: Any) -> None:
    house.add_task(exact=False)
    seal(house)
    run(house.service.create(house.request()))
    house.registry.take()
    with house.database.write() as connection:
        connection.execute(delete(table))
    run(house.new_service().link_opened(house.w1))
    [again] = house.registry.take()
    assert sealed_of(again) is None


def test_the_worker_that_has_the_key_goes_first(house: Any, run: Any) -> None:
    house.add_task(exact=False)
    seal(house)
    other = house.add_worker("w2", seal_keys=[OTHER], role="worker")
    opener = house.add_worker("w3", seal_keys=[OTHER, KEY], role="web")
    run(house.service.create(house.request()))
    [(worker, _)] = house.registry.delivered
    assert worker == opener
    house.registry.take()
    house.registry.linked.remove(opener)
    run(house.service.create(house.request()))
    [(worker, _)] = house.registry.delivered
    assert worker == house.w1  # nobody has it; the one that ran the task may remember
    assert worker != other


def test_it_counts_against_the_memory_of_open_commands(house: Any, run: Any) -> None:
    house.add_task(exact=False)
    seal(house)
    row = run(house.service.create(house.request()))
    held = house.service._held
    assert held._bytes == len(b"{}") + len(SEALED)
    held.drop(row.id)
    assert held._bytes == 0


def test_it_is_in_no_command_and_no_audit_row_and_a_refusal_is_audited(
    house: Any, run: Any
) -> None:
    house.add_task(exact=False)
    seal(house)
    row = run(house.service.create(house.request()))
    error = "The sealed arguments do not open: they were changed. Nothing was done."
    house.finish(row.id, ok=False, error=error)
    with house.database.write() as connection:
        reported(connection, {house.project_id: [row.id]}, keys=house.keys)
        rows = audit.rows_after(connection, house.project_id, None, 100)
    assert [one.action for one in rows] == ["command.retry", "command.retry.failed"]
    assert msgspec.json.decode(rows[1].after)["error"] == error
    assert "cipher text" not in house.texts() + repr(rows)


def test_what_a_hostile_owner_put_in_its_place_is_for_the_agent_to_refuse(
    house: Any, run: Any
) -> None:
    house.add_task(exact=False)
    seal(house, envelope=b"garbage")
    assert run(house.service.create(house.request())).state == "sent"
    [command] = house.registry.take()
    assert sealed_of(command) == b"garbage"
