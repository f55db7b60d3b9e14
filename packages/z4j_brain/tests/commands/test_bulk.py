"""Bulk runs: what is acted on, in which order and at which rate, and what becomes of each task."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import delete, update

from z4j_brain.audit.author import Actor, Author
from z4j_brain.auth.policy import Role
from z4j_brain.commands.request import CommandError
from z4j_brain.filters import FilterError, parse_filter
from z4j_brain.store.schema import commands, memberships, tasks, users

RETRIED = "It was retried already, or may have been: a command for it was sent."


def test_each_task_has_one_turn_and_its_result(house: Any, bulk: Any) -> None:
    bulk.add_tasks(120)
    house.add_task("other", state="succeeded")
    run = bulk.make()
    assert (run.state, run.matching, run.email) == ("preparing", 120, "ada@example.org")
    for _ in range(4):
        bulk.look()
        bulk.answer()
    bulk.look()
    done = bulk.find(run)
    assert (done.state, done.total, done.taken, done.succeeded) == ("done", 120, 120, 120)
    assert bulk.asked() == [f"t{number:05}" for number in range(120)]
    first = bulk.members(run)[0]
    assert (first.number, first.task_id, first.made_task_id) == (1, "t00000", "again-t00000")
    row = house.find(first.command_id)
    assert (row.bulk_run, row.email, row.state) == (run.id, "ada@example.org", "succeeded")
    told = [changes for _, _, changes in house.hub.published]
    assert all(changes.bulk_runs == [run.id] for changes in told), "the feed names the run"
    assert sum(len(changes.commands) for changes in told) == 120


def test_the_oldest_come_first_and_no_more_than_agents_can_take(house: Any, bulk: Any) -> None:
    bulk.add_tasks(250)
    run = bulk.make()
    bulk.look(3)
    assert bulk.find(run).outstanding == 200, "nobody has answered yet"
    assert max(bulk.asked()) == "t00199"
    assert set(bulk.states(run)[200:]) == {"waiting"}


def test_it_keeps_to_its_rate(bulk: Any) -> None:
    bulk.add_tasks(60)
    run = bulk.make(rate=10.0)
    taken = []
    for _ in range(4):
        bulk.look()
        taken.append(bulk.find(run).taken)
    assert taken == [1, 11, 21, 31]
    bulk.seconds += 3_600
    bulk.look()
    assert bulk.find(run).taken == 41, "what an hour would have allowed is not made up for"


def test_what_came_later_is_not_in_it(house: Any, bulk: Any) -> None:
    bulk.add_tasks(3)
    later = {"first_at": house.now + 1, "ended_at": house.now + 1}
    house.add_task("began later", **later)
    house.add_task("failed later", ended_at=house.now + 1)
    run = bulk.make()
    bulk.look()
    assert [one.task_id for one in bulk.members(run)] == ["t00000", "t00001", "t00002"]


def test_what_changed_meanwhile_is_left_out_with_the_reason(house: Any, bulk: Any) -> None:
    bulk.add_tasks(5)
    run = bulk.make(rate=0.1)
    bulk.look()
    house.add_task("by hand", name="app.send", retried_from="t00001", first_at=house.now + 5)
    asyncio.run(house.service.create(house.request(task_id="t00002")))
    with house.database.write() as connection:
        change = update(tasks).where(tasks.c.task_id == "t00003")
        connection.execute(change.values(state="running", ended_at=None))
        connection.execute(delete(tasks).where(tasks.c.task_id == "t00004"))
    bulk.seconds += 3_600
    bulk.take(run, "pause")
    bulk.take(run, "resume")
    for _ in range(60):
        bulk.seconds += 9
        bulk.look()
    bulk.answer()
    bulk.look()
    assert [(one.state, one.reason) for one in bulk.members(run)] == [
        ("succeeded", None),
        ("skipped", RETRIED),
        ("skipped", RETRIED),
        ("skipped", "The task is running; “retry” is for tasks that are failed or succeeded."),
        ("skipped", "It is not in the record any more."),
    ]
    assert bulk.find(run).state == "done"


def test_a_retry_of_what_was_retried_can_be_asked_for(house: Any, bulk: Any) -> None:
    bulk.add_tasks(1)
    house.add_task("again", retried_from="t00000", state="succeeded")
    run = bulk.make("id:t0", skip_retried=False)
    bulk.look()
    assert bulk.states(run) == ["sent"]


def test_a_task_that_failed_again_under_its_own_id_may_be_retried_again(
    house: Any, bulk: Any
) -> None:
    bulk.add_tasks(2)
    row = asyncio.run(house.service.create(house.request(task_id="t00000")))
    house.finish(row.id)
    house.now += 10_000_000
    with house.database.write() as connection:
        change = update(tasks).where(tasks.c.task_id == "t00000")
        connection.execute(change.values(ended_at=house.now - 1))
    run = bulk.make()
    bulk.look(2)
    assert bulk.states(run) == ["sent", "sent"]


def test_failures_and_silence_are_told_with_their_reasons(house: Any, bulk: Any) -> None:
    bulk.add_tasks(2)
    run = bulk.make()
    bulk.look(2)
    first = bulk.members(run)[0]
    house.finish(first.command_id, ok=False, error="The broker is away. password=hunter2")
    house.now += 61_000_000
    asyncio.run(house.service.sweep())
    bulk.look()
    done = bulk.find(run)
    assert (done.state, done.failed, done.expired) == ("done", 1, 1)
    failed, expired = bulk.members(run)
    assert failed.reason.startswith("The broker is away.")
    assert "hunter2" not in failed.reason
    assert "no result came before the deadline" in expired.reason


def test_what_was_never_sent_may_be_retried_and_what_had_no_answer_may_not(
    house: Any, bulk: Any
) -> None:
    bulk.add_tasks(2)
    house.registry.accepts = False
    asyncio.run(house.service.create(house.request(task_id="t00000")))
    house.registry.accepts = True
    asyncio.run(house.service.create(house.request(task_id="t00001")))
    house.now += 61_000_000
    asyncio.run(house.service.sweep())
    run = bulk.make()
    bulk.look(2)
    assert [(one.state, one.reason) for one in bulk.members(run)] == [
        ("sent", None),
        ("skipped", RETRIED),
    ]


def test_pause_resume_and_abort(bulk: Any) -> None:
    bulk.add_tasks(300)
    run = bulk.make(rate=100.0)
    bulk.look(2)
    assert bulk.take(run, "pause").state == "paused"
    taken = bulk.find(run).taken
    bulk.look(2)
    assert bulk.find(run).taken == taken
    assert bulk.take(run, "resume").state == "running"
    bulk.look()
    assert bulk.find(run).taken > taken
    assert bulk.take(run, "abort").state == "aborting"
    bulk.look()
    assert bulk.find(run).state == "aborting", "what was sent is waited for"
    bulk.answer()
    bulk.look()
    ended = bulk.find(run)
    assert (ended.state, ended.outstanding) == ("aborted", 0)
    assert len(bulk.asked()) == ended.taken < 300
    for step in ("pause", "resume", "approve", "abort"):
        with pytest.raises(CommandError, match=f"aborted; it cannot {step}"):
            bulk.take(run, step)


def test_a_new_run_goes_on_where_an_aborted_one_ended(bulk: Any) -> None:
    bulk.add_tasks(100)
    first = bulk.make(rate=40.0)
    bulk.look(2)
    bulk.take(first, "abort")
    bulk.answer()
    bulk.look()
    second = bulk.make()
    bulk.look()
    bulk.answer()
    bulk.look()
    assert bulk.find(second).skipped == bulk.find(first).succeeded > 0
    assert bulk.asked() == [f"t{number:05}" for number in range(100)], "each exactly once"


def test_a_restart_in_the_middle_repeats_nothing(house: Any, bulk: Any) -> None:
    bulk.add_tasks(150)
    run = bulk.make(rate=50.0)
    bulk.look(2)
    house.service = house.new_service()
    bulk.work = bulk.new_work()
    asyncio.run(house.service.start())
    asyncio.run(house.service.link_opened(house.w1))
    asyncio.run(house.service.stop())
    bulk.answer(house.registry.take())
    for _ in range(6):
        bulk.look()
        bulk.answer()
    bulk.look()
    assert bulk.find(run).state == "done"
    assert bulk.asked() == [f"t{number:05}" for number in range(150)]


def test_two_leaders_at_once_give_each_task_one_turn(bulk: Any) -> None:
    bulk.add_tasks(180)
    run = bulk.make()
    bulk.look()
    other = bulk.new_work()
    bulk.seconds += 1

    async def both() -> None:
        await asyncio.gather(bulk.work.look(), other.look(), bulk.work.look(), other.look())

    asyncio.run(both())
    assert len(bulk.asked()) == len(set(bulk.asked())) == bulk.find(run).taken == 180


def test_without_a_worker_it_waits_and_says_so(house: Any, bulk: Any) -> None:
    bulk.add_tasks(3)
    run = bulk.make()
    house.registry.linked.clear()
    bulk.look(3)
    stalled = bulk.find(run)
    assert (stalled.state, stalled.taken) == ("running", 0)
    assert "No worker that offers “retry” for celery is connected" in stalled.note
    published = len(house.hub.published)
    bulk.look(2)
    assert len(house.hub.published) == published, "and says it once"
    house.registry.linked.add(house.w1)
    bulk.look()
    assert (bulk.find(run).note, bulk.find(run).taken) == (None, 3)


@pytest.mark.parametrize("loss", ["role", "membership", "account"])
def test_who_may_no_longer_do_it_stops_it(house: Any, bulk: Any, loss: str) -> None:
    bulk.add_tasks(30)
    with house.database.write() as connection:
        connection.execute(update(users).values(is_admin=False))
        member = {"project_id": house.project_id, "user_id": house.user_id}
        connection.execute(memberships.insert().values(**member, role=Role.OPERATOR))
    run = bulk.make(rate=10.0)
    bulk.look()
    taken = bulk.find(run).taken
    with house.database.write() as connection:
        if loss == "role":
            connection.execute(update(memberships).values(role=Role.VIEWER))
        elif loss == "membership":
            connection.execute(delete(memberships))
        else:
            connection.execute(update(users).values(disabled_at=house.now))
    bulk.look(2)
    stopped = bulk.find(run)
    assert (stopped.state, stopped.taken) == ("paused", taken)
    assert "Whoever made this run" in stopped.note
    bulk.take(run, "resume")
    bulk.look()
    assert bulk.find(run).taken == taken, "it is asked again each time"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"filter": "queue:nowhere"}, "No task meets this filter"),
        ({"action": "cancel"}, "No task meets this filter and is in a state that “cancel” is for"),
        ({"action": "fly"}, "No online worker offers “fly”"),
        ({"action": "terminate"}, "The pool cannot end one task."),
        ({"action": "purge"}, "no action on a task"),
        ({"engine": "rq"}, "No online worker offers"),
        ({"params": b'{"delay_s":"soon"}'}, "must be of type number"),
        ({"params": b"["}, "must be a JSON object"),
        (
            {"action": "retry_edited", "params": b'{"args":[],"kwargs":{"password":"hunter2"}}'},
            "cannot hold a secret",
        ),
    ],
)
def test_what_is_turned_down_leaves_no_trace(bulk: Any, fields: dict[str, Any], words: str) -> None:
    bulk.add_tasks(2)
    with pytest.raises(CommandError, match=words):
        bulk.make(**fields)
    assert bulk.audited() == []


def test_a_filter_that_cannot_be_read_makes_no_run(bulk: Any) -> None:
    with pytest.raises(FilterError):
        bulk.make("state:broken")


def test_too_many_tasks_or_runs_are_refused(bulk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bulk.add_tasks(12)
    monkeypatch.setattr("z4j_brain.commands.bulk_runs.MAX_OPEN", 2)
    for _ in range(2):
        bulk.make()
    with pytest.raises(CommandError, match="have not ended"):
        bulk.make()
    monkeypatch.setattr("z4j_brain.commands.bulk_runs.MAX_MEMBERS", 11)
    with pytest.raises(CommandError, match="Narrow it"):
        bulk.make()


def test_the_same_key_and_request_make_one_run(bulk: Any) -> None:
    bulk.add_tasks(2)
    request = bulk.request(idempotency_key="k")

    async def race() -> list[Any]:
        return await asyncio.gather(*(bulk.runs.create(request) for _ in range(5)))

    assert len({run.id for run in asyncio.run(race())}) == 1
    with pytest.raises(CommandError, match="belongs to another run"):
        bulk.make("state:failed name:~send", idempotency_key="k")


def test_many_members_are_gathered_in_batches(bulk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("z4j_brain.commands.bulk_progress.GATHERED", 7)
    bulk.add_tasks(30, first_at=1_000)
    run = bulk.make()
    bulk.look()
    assert [one.task_id for one in bulk.members(run)] == [f"t{n:05}" for n in range(30)]


def test_the_log_tells_of_the_run_and_not_of_each_task(house: Any, bulk: Any) -> None:
    bulk.add_tasks(2)
    run = bulk.make("state:failed since:1h", params=b'{"delay_s":3}')
    bulk.take(run, "abort")
    bulk.look()
    made, aborting, ended = bulk.audited()
    assert (made.actor_name, made.object_id) == ("ada@example.org", str(run.id))
    told = json.loads(made.after)
    assert (told["filter"], told["matching"], told["params"]) == (
        "state:failed since:1h",
        2,
        {"delay_s": 3},
    )
    assert json.loads(aborting.before) == {"state": "preparing"}
    assert (ended.action, ended.actor_name) == ("bulk_run.aborted", "z4j")


def test_an_api_key_that_is_revoked_stops_its_run(house: Any, bulk: Any) -> None:
    bulk.add_tasks(2)
    nobody = house.w1
    run = bulk.make(key_id=nobody, author=Author(house.keys, Actor("key", nobody, "nightly")))
    bulk.look()
    assert (bulk.find(run).state, bulk.find(run).taken) == ("paused", 0)
    assert "API key" in bulk.find(run).note


def test_an_estimate_tells_what_a_run_would_do(house: Any, bulk: Any) -> None:
    bulk.add_tasks(6)
    bulk.add_tasks(3, "other", name="app.bill", args="[2]")
    house.add_task("good", state="succeeded", name="app.send")
    house.add_task("queued", state="queued", ended_at=None)
    house.add_task("r1", retried_from="t00000", state="succeeded", args="[7]")
    house.add_task("r2", retried_from="t00001", state="failed", args="[8]")

    def estimate(action: str, filter: str) -> Any:
        question = bulk.runs.estimate(house.project_id, "celery", action, parse_filter(filter))
        return asyncio.run(question)

    found = estimate("retry", "")
    assert (found.matching.value, found.matching.is_capped) == (13, False)
    assert found.by_state == {"failed": 10, "succeeded": 2, "queued": 1}
    assert found.eligible.value == 12, "a queued task is not retried"
    assert (found.looked.retried, found.looked.later_succeeded) == (2, 1)
    assert [(one.name, one.count) for one in found.looked.by_name] == [
        ("app.send", 9),
        ("app.bill", 3),
    ]
    assert (found.looked.names, found.looked.count, found.looked.alike) == (2, 12, 9)
    assert estimate("cancel", "state:failed").eligible.value == 0
    with house.database.read() as connection:
        assert connection.execute(commands.select()).all() == []
