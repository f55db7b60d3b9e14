"""How commands end: results, deadlines, broken links, restarts."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec
import pytest

from z4j_brain.store import feeds
from z4j_brain.store.command_results import MAX_RESULT_BYTES

SECOND = 1_000_000
SECRET = b'{"args":[],"kwargs":{"password":"hunter2"}}'


@pytest.fixture
def sent(house: Any, run: Any) -> Any:
    house.add_task()
    return run(house.service.create(house.request()))


def offset(house: Any) -> int:
    with house.database.read() as connection:
        return feeds.position(connection, house.project_id)


def test_a_result_is_recorded_once(house: Any, sent: Any) -> None:
    house.now += SECOND
    assert house.finish(sent.id, result='{"task_id":"n"}') == sent.id
    assert house.finish(sent.id, ok=False, error="no") is None
    row = house.find(sent.id)
    assert (row.state, row.result, row.error, row.ended_at) == (
        "succeeded",
        '{"task_id":"n"}',
        None,
        house.now,
    )


def test_a_failure_keeps_its_reason_without_secrets(house: Any, sent: Any) -> None:
    house.finish(sent.id, ok=False, error="refused: password=hunter2 \0", result='{"a":1}')
    row = house.find(sent.id)
    assert (row.state, row.result) == ("failed", None)
    assert row.error is not None
    assert row.error.startswith("refused: ")
    assert "hunter2" not in row.error


@pytest.mark.parametrize("command_id", ["", "x", "\0", str(uuid.UUID(int=7)), "' OR 1=1 --"])
def test_results_of_unknown_commands_change_nothing(house: Any, sent: Any, command_id: str) -> None:
    assert house.finish(command_id) is None
    assert house.find(sent.id).state == "sent"


def test_a_result_of_another_worker_changes_nothing(house: Any, sent: Any) -> None:
    assert house.finish(sent.id, worker=uuid.UUID(int=1)) is None
    assert house.find(sent.id).state == "sent"


def test_results_are_redacted_and_bounded(house: Any, sent: Any) -> None:
    big = {"token": "hunter2", "rows": [{"n": n, "text": "z" * 500} for n in range(1_000)]}
    house.finish(sent.id, result=msgspec.json.encode(big).decode())
    stored = house.find(sent.id).result
    assert stored is not None
    assert len(stored) <= MAX_RESULT_BYTES
    assert "hunter2" not in stored
    assert "rows" in msgspec.json.decode(stored)


@pytest.mark.parametrize("result", ["{", "", "\ud800", "[" * 5_000])
def test_results_that_are_no_json_become_null(house: Any, sent: Any, result: str) -> None:
    assert house.finish(sent.id, result=result) == sent.id
    assert house.find(sent.id).result == "null"


def test_an_unanswered_command_expires_and_says_what_is_not_known(
    house: Any, sent: Any, run: Any
) -> None:
    house.now += 59 * SECOND
    run(house.service.sweep())
    assert house.find(sent.id).state == "sent"
    house.now += SECOND
    before = offset(house)
    run(house.service.sweep())
    row = house.find(sent.id)
    assert (row.state, row.ended_at) == ("expired", house.now)
    assert row.error is not None
    assert "sent to w1" in row.error
    assert "not known" in row.error
    assert offset(house) == before + 1
    assert house.hub.published[-1][1:] == (before + 1, house.hub.published[-1][2])
    assert house.hub.published[-1][2].commands == [sent.id]
    run(house.service.sweep())
    assert offset(house) == before + 1


def test_a_late_result_still_counts(house: Any, sent: Any, run: Any) -> None:
    house.now += 61 * SECOND
    run(house.service.sweep())
    assert house.finish(sent.id, result="5") == sent.id
    row = house.find(sent.id)
    assert (row.state, row.result, row.error) == ("succeeded", "5", None)


def test_a_command_without_a_link_waits_and_then_says_nothing_was_done(
    house: Any, run: Any
) -> None:
    house.add_task()
    house.registry.linked.clear()
    row = run(house.service.create(house.request()))
    assert (row.state, row.sent_at, row.sent_to) == ("pending", None, house.w1)
    house.now += 60 * SECOND
    run(house.service.sweep())
    ended = house.find(row.id)
    assert ended.state == "expired"
    assert "never sent" in (ended.error or "")


def test_a_link_that_opens_gets_what_is_open(house: Any, run: Any) -> None:
    house.add_task()
    house.registry.linked.clear()
    first = run(house.service.create(house.request("retry_edited", params=SECRET)))
    second = run(house.service.create(house.request()))
    done = run(house.service.create(house.request()))
    house.finish(done.id)
    other = house.add_worker("w2")
    run(house.service.link_opened(other))
    assert house.registry.take() == []
    house.registry.linked.add(house.w1)
    house.now += SECOND
    run(house.service.link_opened(house.w1))
    assert [(command.id, command.params) for command in house.registry.take()] == [
        (str(first.id), SECRET),
        (str(second.id), b"{}"),
    ]
    row = house.find(first.id)
    assert (row.state, row.sent_at) == ("sent", house.now)
    run(house.service.link_opened(house.w1))
    assert [command.id for command in house.registry.take()] == [str(first.id), str(second.id)]


def test_a_link_that_refuses_leaves_the_command_pending(house: Any, run: Any) -> None:
    house.add_task()
    house.registry.accepts = False
    row = run(house.service.create(house.request()))
    assert (row.state, row.sent_at) == ("pending", None)
    house.registry.accepts = True
    run(house.service.sweep())
    assert [command.id for command in house.registry.take()] == [str(row.id)]
    assert house.find(row.id).state == "sent"
    run(house.service.sweep())
    assert house.registry.take() == []


def test_after_a_restart_exact_parameters_are_sent_again(house: Any, run: Any) -> None:
    house.add_task()
    row = run(house.service.create(house.request(params=b'{"delay_s": 1.50}')))
    [before] = house.registry.take()
    restarted = house.new_service()
    run(restarted.link_opened(house.w1))
    assert house.registry.take() == [before]
    assert house.find(row.id).state == "sent"


def test_after_a_restart_lost_parameters_end_an_unsent_command(house: Any, run: Any) -> None:
    house.add_task()
    house.registry.linked.clear()
    row = run(house.service.create(house.request("retry_edited", params=SECRET)))
    kept = run(house.service.create(house.request()))

    async def restart() -> None:
        service = house.new_service()
        await service.start()
        await service.stop()

    run(restart())
    ended = house.find(row.id)
    assert ended.state == "failed"
    assert "restarted" in (ended.error or "")
    assert "Nothing was done" in (ended.error or "")
    assert house.find(kept.id).state == "pending"
    assert house.hub.published[-1][2].commands == [row.id]


def test_a_pending_command_of_another_process_is_not_sent_with_its_mask(
    house: Any, run: Any
) -> None:
    house.add_task()
    house.registry.linked.clear()
    row = run(house.service.create(house.request("retry_edited", params=SECRET)))
    restarted = house.new_service()
    house.registry.linked.add(house.w1)
    run(restarted.link_opened(house.w1))
    assert house.registry.take() == []
    assert house.find(row.id).state == "failed"


def test_a_sent_command_with_lost_parameters_waits_for_its_result(house: Any, run: Any) -> None:
    house.add_task()
    row = run(house.service.create(house.request("retry_edited", params=SECRET)))
    house.registry.take()
    restarted = house.new_service()
    run(restarted.link_opened(house.w1))
    assert house.registry.take() == []
    assert house.find(row.id).state == "sent"
    assert house.finish(row.id) == row.id


def test_secrets_are_forgotten_with_the_result(house: Any, run: Any) -> None:
    house.add_task()
    row = run(house.service.create(house.request("retry_edited", params=SECRET)))
    run(house.service.sweep())
    assert row.id in house.service._held
    house.finish(row.id)
    run(house.service.sweep())
    assert row.id not in house.service._held


def test_a_failing_database_does_not_break_the_link(
    house: Any, sent: Any, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("no database")

    monkeypatch.setattr("z4j_brain.commands.redelivery.prepare", fail)
    run(house.service.link_opened(house.w1))


def test_the_sweep_runs_by_itself(house: Any, sent: Any, run: Any) -> None:
    async def watch() -> None:
        await house.service.start()
        house.now += 61 * SECOND
        async with asyncio.timeout(15):
            while house.find(sent.id).state != "expired":  # noqa: ASYNC110 - nothing announces it
                await asyncio.sleep(0.05)
        await house.service.stop()

    run(watch())
