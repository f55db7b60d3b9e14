"""The canary of a bulk run: what it waits for, and when it goes on, asks, or stops."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from z4j_brain.store.schema import tasks

CANARY = {"canary_percent": 1.0, "rate": 500.0}


def begin(bulk: Any, **options: Any) -> Any:
    """A run of 100 tasks whose canary has its results, but not yet the ends of its tasks."""
    bulk.add_tasks(100)
    run = bulk.make(**(CANARY | options))
    bulk.look(3)
    assert (bulk.find(run).state, bulk.find(run).canary_size, bulk.find(run).taken) == (
        "canary",
        10,
        10,
    )
    bulk.answer()
    bulk.look()
    return run


def ends(house: Any, bulk: Any, run: Any, failed: int, open_: int = 0) -> None:
    """Record the tasks that the canary made: some failed, some not yet ended, the rest good."""
    for number, member in enumerate(bulk.members(run)[:10]):
        state, ended_at = "succeeded", house.now
        if number < failed:
            state = "failed"
        elif number < failed + open_:
            state, ended_at = "running", None
        house.add_task(
            member.made_task_id,
            state=state,
            ended_at=ended_at,
            retried_from=member.task_id,
            first_at=house.now + 1,
        )


def test_it_waits_for_the_ends_of_the_tasks_that_it_made(house: Any, bulk: Any) -> None:
    run = begin(bulk)
    assert "10 of its tasks have not yet" in bulk.find(run).note
    ends(house, bulk, run, failed=0, open_=3)
    bulk.look()
    assert (bulk.find(run).state, bulk.find(run).taken) == ("canary", 10)
    assert "3 of its tasks have not yet" in bulk.find(run).note
    with house.database.write() as connection:
        change = update(tasks).where(tasks.c.state == "running")
        connection.execute(change.values(state="succeeded", ended_at=house.now))
    bulk.look(2)
    assert (bulk.find(run).state, bulk.find(run).note) == ("running", None)
    assert bulk.find(run).taken == 100


def test_too_many_failures_stop_it_until_somebody_decides(house: Any, bulk: Any) -> None:
    run = begin(bulk)
    ends(house, bulk, run, failed=3)
    bulk.look(3)
    stopped = bulk.find(run)
    assert (stopped.state, stopped.taken) == ("waiting", 10)
    assert stopped.note == "3 of 10 tasks of the canary failed; up to 20 % were to be let pass."
    assert bulk.take(run, "approve").state == "running"
    bulk.look(2)
    assert bulk.find(run).taken == 100


def test_as_many_as_were_to_be_let_pass_do(house: Any, bulk: Any) -> None:
    run = begin(bulk)
    ends(house, bulk, run, failed=2)
    bulk.look()
    assert bulk.find(run).state == "running"


def test_commands_that_fail_count_too(house: Any, bulk: Any) -> None:
    bulk.add_tasks(50)
    run = bulk.make(**CANARY)
    bulk.look(2)
    for command in bulk.members(run)[:10]:
        house.finish(command.command_id, ok=False, error="no")
    bulk.look()
    assert bulk.find(run).state == "waiting"
    assert "10 of 10 tasks of the canary failed" in bulk.find(run).note


def test_it_can_wait_for_a_person_when_all_went_well(house: Any, bulk: Any) -> None:
    run = begin(bulk, canary_then="wait")
    ends(house, bulk, run, failed=1)
    bulk.look()
    assert bulk.find(run).state == "waiting"
    assert "went well: 1 of 10 failed" in bulk.find(run).note
    bulk.take(run, "abort")
    bulk.look()
    assert (bulk.find(run).state, bulk.find(run).taken) == ("aborted", 10)


def test_its_patience_has_an_end(house: Any, bulk: Any) -> None:
    run = begin(bulk, canary_patience_s=60)
    ends(house, bulk, run, failed=0, open_=4)
    house.now += 61_000_000
    bulk.look()
    assert bulk.find(run).state == "waiting"
    assert "4 of 10 tasks of the canary have not ended in 60 s" in bulk.find(run).note


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_pause_in_the_canary_goes_on_with_the_canary(bulk: Any) -> None:
    run = begin(bulk)
    bulk.take(run, "pause")
    bulk.look()
    assert bulk.take(run, "resume").state == "canary"


def test_the_same_task_run_again_counts_by_its_new_end(house: Any, bulk: Any) -> None:
    """As engines do that put the same task back into its queue."""
    bulk.add_tasks(20)
    run = bulk.make(**CANARY, canary_max_failed_percent=0.0)
    bulk.look(2)
    for command in house.registry.take():
        member = bulk.members(run)[int(command.task.task_id[1:])]
        house.finish(member.command_id, result=f'{{"task_id":"{member.task_id}"}}')
    bulk.look()
    assert bulk.find(run).state == "canary", "their failures are those from before"
    with house.database.write() as connection:
        change = update(tasks).where(tasks.c.task_id < "t00010")
        connection.execute(change.values(state="succeeded", ended_at=house.now + 1))
    bulk.look()
    assert bulk.find(run).state == "running"


def test_a_run_no_larger_than_its_canary_ends_with_it(bulk: Any) -> None:
    bulk.add_tasks(8)
    run = bulk.make(**CANARY)
    bulk.look(2)
    bulk.answer()
    bulk.look()
    assert bulk.find(run).state == "done"
