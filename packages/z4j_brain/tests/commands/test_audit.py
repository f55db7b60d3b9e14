"""Commands in the audit log: what was asked for, by whom, and how it ended."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from z4j_brain.audit.command_ends import reported
from z4j_brain.commands.request import CommandError
from z4j_brain.store import audit

SECRET = b'{"args":[],"kwargs":{"password":"hunter2"}}'


def told(house: Any) -> list[Any]:
    with house.database.read() as connection:
        return audit.rows_after(connection, house.project_id, None, 100)


def test_what_a_person_asks_for_is_told_with_its_target(house: Any, run: Any) -> None:
    house.add_task()
    command = run(house.service.create(house.request("retry_edited", params=SECRET)))
    [row] = told(house)
    assert (row.action, row.actor_name, row.at) == (
        "command.retry_edited",
        "ada@example.org",
        house.now,
    )
    assert (row.object_kind, row.object_id, row.object_name) == ("task", "t", "app.send")
    after = msgspec.json.decode(row.after)
    assert (after["command"], after["worker"]) == (str(command.id), "w1")
    assert after["params"] == {"args": [], "kwargs": {"password": "[redacted]"}}


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({"action": "purge", "queue": "email"}, ("queue", "email", "email")),
        ({"action": "shutdown", "worker": "w1"}, ("worker", None, "w1")),
        ({"action": "forget"}, ("engine", "celery", "celery")),
    ],
)
def test_every_kind_of_target_has_its_name(
    house: Any, run: Any, fields: dict[str, str], target: tuple[str, str | None, str]
) -> None:
    run(house.service.create(house.request(task_id=None, **fields)))
    [row] = told(house)
    kind, id, name = target
    assert (row.object_kind, row.object_id, row.object_name) == (kind, id or str(house.w1), name)


def test_the_same_key_is_one_row_and_a_refusal_none(house: Any, run: Any) -> None:
    house.add_task()
    for _ in range(2):
        run(house.service.create(house.request(idempotency_key="k")))
    with pytest.raises(CommandError):
        run(house.service.create(house.request("cancel")))
    assert len(told(house)) == 1


def test_an_end_that_nobody_reports_is_told_by_the_server(house: Any, run: Any) -> None:
    house.add_task()
    run(house.service.create(house.request()))
    house.now += 60_000_000
    run(house.service.sweep())
    run(house.service.sweep())
    asked, ended = told(house)
    assert (ended.action, ended.actor_kind) == ("command.retry.expired", "system")
    assert ended.object_id == asked.object_id
    assert "not known" in msgspec.json.decode(ended.after)["error"]


def test_a_restart_that_loses_parameters_is_told(house: Any, run: Any) -> None:
    house.add_task()
    house.registry.linked.clear()
    run(house.service.create(house.request("retry_edited", params=SECRET)))
    run(house.new_service().link_opened(house.w1))
    assert [row.action for row in told(house)] == [
        "command.retry_edited",
        "command.retry_edited.failed",
    ]


def test_a_result_is_told_by_its_agent_and_the_servers_own_questions_are_not(
    house: Any, run: Any
) -> None:
    house.add_task()
    command = run(house.service.create(house.request()))
    own = run(house.service.create(house.request("forget", task_id=None, user_id=None)))
    for one in (command, own):
        house.finish(one.id)
    with house.database.write() as connection:
        reported(connection, {house.project_id: [command.id, own.id]}, keys=house.keys)
    ended = told(house)[1:]
    assert [(row.action, row.actor_kind, row.actor_name) for row in ended] == [
        ("command.retry.succeeded", "agent", "web")
    ]
