"""What is accepted as a command, what is turned down and why, and what the worker is sent."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec
import pytest

from z4j_brain.commands.catalogue import Catalogue, permission_of
from z4j_brain.commands.held import Held
from z4j_brain.commands.request import CommandError, Refusal
from z4j_brain.store import actions, projects
from z4j_core.frames import ActionInfo, Command, TaskRef

SECOND = 1_000_000


def test_a_command_is_stored_as_sent_and_sent(house: Any, run: Any) -> None:
    house.add_task()
    row = run(house.service.create(house.request(params=b'{"delay_s": 1.50}')))
    assert (row.state, row.sent_to, row.worker) == ("sent", house.w1, "w1")
    assert (row.created_at, row.sent_at, row.deadline - row.created_at) == (
        house.now,
        house.now,
        60 * SECOND,
    )
    assert (row.email, row.params, row.params_exact) == (
        "ada@example.org",
        '{"delay_s": 1.50}',
        True,
    )
    [(worker, command)] = house.registry.delivered
    assert worker == house.w1
    assert command == Command(
        id=str(row.id),
        engine="celery",
        action="retry",
        params=b'{"delay_s": 1.50}',
        task=TaskRef("t", "app.send", "email", "failed", 0, "[1]", '{"a":2}', exact=True),
        deadline=row.deadline,
    )
    [(project, offset, changes)] = house.hub.published
    assert (project, offset, changes.commands) == (house.project_id, 1, [row.id])


@pytest.mark.parametrize(
    ("fields", "refusal", "words"),
    [
        ({"task_id": "nobody"}, Refusal.INVALID, "no such task"),
        ({"task_id": None}, Refusal.INVALID, "needs the target's task_id"),
        ({"action": "cancel"}, Refusal.CONFLICT, "The task is failed; “cancel” is for tasks"),
        ({"action": "fly"}, Refusal.CONFLICT, "No online worker offers “fly” for celery"),
        ({"action": "terminate"}, Refusal.CONFLICT, "The pool cannot end one task."),
        ({"engine": "rq", "task_id": None}, Refusal.CONFLICT, "No online worker offers"),
        ({"worker": "w9"}, Refusal.CONFLICT, "The worker w9 is not online, or does not offer"),
        ({"action": "purge", "task_id": None}, Refusal.INVALID, "needs the target's queue"),
        ({"action": "purge", "queue": "q"}, Refusal.INVALID, "acts on a queue, not on this"),
        ({"action": "shutdown", "task_id": None}, Refusal.INVALID, "needs the target's worker_id"),
        ({"action": "forget", "task_id": None, "queue": "q"}, Refusal.INVALID, "acts on a engine"),
        ({"params": b'{"delay_s":"soon"}'}, Refusal.INVALID, "must be of type number"),
        ({"params": b'{"delay":1}'}, Refusal.INVALID, "Unknown parameters are not accepted"),
        ({"params": b"[]"}, Refusal.INVALID, "must be of type object"),
        ({"params": b"{"}, Refusal.INVALID, "must be a JSON object"),
        ({"params": b"[" * 2_000 + b"]" * 2_000}, Refusal.INVALID, "less deeply nested"),
    ],
)
def test_what_is_turned_down_leaves_no_trace(
    house: Any, run: Any, fields: dict[str, Any], refusal: Refusal, words: str
) -> None:
    house.add_task()
    with pytest.raises(CommandError) as caught:
        run(house.service.create(house.request(**({"action": "retry"} | fields))))
    assert caught.value.refusal is refusal
    assert words in caught.value.detail
    assert house.texts() == "[]"
    assert (house.registry.delivered, house.hub.published) == ([], [])


def test_faults_of_parameters_are_placed(house: Any, run: Any) -> None:
    house.add_task()
    with pytest.raises(CommandError) as caught:
        run(house.service.create(house.request("retry_edited", params=b'{"kwargs":[]}')))
    assert {(fault.pointer, fault.detail) for fault in caught.value.faults} == {
        ("/params/kwargs", "This must be of type object."),
        ("/params", "Missing: args."),
    }


def test_secrets_reach_the_worker_and_nothing_else(house: Any, run: Any) -> None:
    house.add_task()
    params = b'{"args":["x"],"kwargs":{"password":"hunter2"}}'
    row = run(house.service.create(house.request("retry_edited", params=params)))
    [command] = house.registry.take()
    assert command.params == params
    assert not row.params_exact
    assert msgspec.json.decode(row.params)["args"] == ["x"]
    assert "hunter2" not in house.texts()
    assert "hunter2" not in repr(house.hub.published)


def test_large_parameters_reach_the_worker_whole(house: Any, run: Any) -> None:
    house.add_task()
    params = msgspec.json.encode({"args": ["y" * 5_000] * 40, "kwargs": {}})
    row = run(house.service.create(house.request("retry_edited", params=params)))
    assert house.registry.take()[0].params == params
    assert len(row.params) <= 65_536
    assert not row.params_exact


def test_the_worker_of_the_task_goes_first(house: Any, run: Any) -> None:
    house.add_task()
    house.add_worker("w2", last_seen=house.now + 9)
    house.add_worker("p", role="publisher", last_seen=house.now + 99)
    assert run(house.service.create(house.request())).worker == "w1"
    house.add_task("other", worker="gone")
    assert run(house.service.create(house.request(task_id="other"))).worker == "w2"
    house.change_worker(house.w1, online=False)
    assert run(house.service.create(house.request())).worker == "w2"


def test_a_linked_worker_goes_before_one_that_only_seems_online(house: Any, run: Any) -> None:
    house.add_task()
    house.registry.linked.clear()
    house.add_worker("w2")
    assert run(house.service.create(house.request())).worker == "w2"


def test_a_named_worker_is_obeyed(house: Any, run: Any) -> None:
    house.add_task()
    w2 = house.add_worker("w2", is_linked=False)
    by_name = run(house.service.create(house.request(worker="w2")))
    by_row = run(house.service.create(house.request(worker=str(w2))))
    assert [(row.worker, row.target_worker, row.state) for row in (by_name, by_row)] == [
        ("w2", w2, "pending"),
        ("w2", w2, "pending"),
    ]
    assert house.registry.delivered == []


def test_parameters_are_checked_by_the_worker_that_will_run_it(house: Any, run: Any) -> None:
    house.add_task()
    strict = '{"type":"object","required":["why"]}'
    house.add_worker("w2", actions=[ActionInfo("retry", "task", params_schema=strict)])
    assert run(house.service.create(house.request())).worker == "w1"
    with pytest.raises(CommandError, match="Missing: why"):
        run(house.service.create(house.request(worker="w2")))


def test_other_targets(house: Any, run: Any) -> None:
    purge = run(house.service.create(house.request("purge", task_id=None, queue="email")))
    down = run(house.service.create(house.request("shutdown", task_id=None, worker="w1")))
    forget = run(house.service.create(house.request("forget", task_id=None)))
    assert [(row.task_id, row.queue, row.target_worker) for row in (purge, down, forget)] == [
        (None, "email", None),
        (None, None, house.w1),
        (None, None, None),
    ]
    assert [command.queue for command in house.registry.take()] == ["email", None, None]


def test_the_same_key_and_request_make_one_command(house: Any, run: Any) -> None:
    house.add_task()
    request = house.request(idempotency_key="k", params=b'{"delay_s":1}')

    async def twice() -> tuple[Any, Any, list[Any]]:
        first = await house.service.create(request)
        again = await house.service.create(request)
        others = await asyncio.gather(*(house.service.create(request) for _ in range(5)))
        return first, again, others

    first, again, others = run(twice())
    assert {row.id for row in (first, again, *others)} == {first.id}
    assert len(house.registry.delivered) == 1


def test_one_key_asked_at_the_same_time(house: Any, run: Any) -> None:
    house.add_task()

    async def race() -> list[Any]:
        request = house.request(idempotency_key="k")
        return await asyncio.gather(*(house.service.create(request) for _ in range(6)))

    assert len({row.id for row in run(race())}) == 1
    assert len(house.registry.delivered) == 1


def test_the_same_key_for_another_request_is_a_conflict(house: Any, run: Any) -> None:
    house.add_task()
    house.add_task("u")
    house.add_worker("w2")
    key = {"idempotency_key": "k"}
    secret = b'{"args":[],"kwargs":{"password":"%s"}}'
    first = house.request("retry_edited", params=secret % b"one", **key)
    kept = run(house.service.create(first)).id
    for other in (
        house.request("retry", **key),
        house.request("retry_edited", params=secret % b"two", **key),
        house.request("retry_edited", params=secret % b"one", task_id="u", **key),
        house.request("retry_edited", params=secret % b"one", worker="w2", **key),
    ):
        with pytest.raises(CommandError, match="Idempotency-Key belongs to another command"):
            run(house.service.create(other))
    assert run(house.service.create(first)).id == kept


def test_keys_belong_to_a_project(house: Any, run: Any) -> None:
    house.add_task()
    run(house.service.create(house.request(idempotency_key="k")))
    with house.database.write() as connection:
        other = projects.create(connection, name="other", now=house.now).id
    with pytest.raises(CommandError) as caught:
        run(house.service.create(house.request(idempotency_key="k", project_id=other)))
    assert "no such task" in caught.value.detail


def test_too_much_waits(house: Any, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    house.add_task()
    monkeypatch.setattr("z4j_brain.commands.held.MAX_BYTES", 10)
    with pytest.raises(CommandError) as caught:
        run(house.service.create(house.request(params=b'{"delay_s":1}')))
    assert caught.value.refusal is Refusal.BUSY


def test_what_is_held_is_counted_once() -> None:
    held, frame, key = Held(), Command("c", "celery", "retry", b"12345"), uuid.uuid4()
    for _ in range(3):
        held.hold(key, frame)
    assert (len(held), held._bytes, key in held) == (1, 5, True)
    held.drop(key)
    held.drop(key)
    assert (len(held), held._bytes, held.get(key)) == (0, 0, None)


def test_the_catalogue_merges_workers(house: Any) -> None:
    house.add_worker("w2", actions=[ActionInfo("terminate", "task"), ActionInfo("fly", "engine")])
    with house.database.read() as connection:
        catalogue = Catalogue(actions.online_workers(connection, house.project_id))
    names = [offer.info.name for offer in catalogue.offered()]
    assert names == sorted([*names])
    assert {"fly", "terminate", "retry"} <= set(names)
    assert catalogue.absent() == []
    retry = catalogue.find("celery", "retry")
    assert retry is not None
    assert [worker.worker_id for worker in retry.workers] == ["w1"]


@pytest.mark.parametrize(
    ("action", "permission"),
    [
        ("retry", "command.retry"),
        ("purge", "command.purge"),
        ("retry_edited", "command.retry_edited"),
        ("fly", "command.custom"),
        ("read", "command.custom"),
        ("custom", "command.custom"),
    ],
)
def test_permissions(action: str, permission: str) -> None:
    assert permission_of(action) == permission
