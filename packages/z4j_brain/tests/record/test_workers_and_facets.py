"""Workers and the values for completion."""

from __future__ import annotations

from typing import Any

from z4j_brain.store import facets, tasks, workers
from z4j_core.events import Kind


def test_workers_in_pages(record: Any, noon: int) -> None:
    for number in range(7):
        record.add_worker(f"x{number}", last_seen=noon + number % 3, online=number % 2 == 0)
    names, after = [], None
    while True:
        page = record.read(workers.page, after=after, limit=3)
        names += [worker.worker_id for worker in page]
        if len(page) < 3:
            break
        after = (page[-1].online, page[-1].last_seen, page[-1].id)
    assert sorted(names) == sorted(["w1", *(f"x{n}" for n in range(7))])
    online = {"w1", "x0", "x2", "x4", "x6"}
    assert set(names[:5]) == online
    assert record.read(workers.count) == 8


def test_running_tasks_belong_to_the_latest_incarnation(record: Any, event: Any, noon: int) -> None:
    record.change_worker(record.w1, online=False)
    newer = record.add_worker("w1", last_seen=noon - 5)
    record.tell(
        event("a", Kind.STARTED, 2),
        event("b", Kind.STARTED, 1),
        event("c", Kind.RECEIVED),
        event("d", Kind.STARTED),
        event("d", Kind.SUCCEEDED, 5),
    )
    found = {one.id: one for one in record.read(workers.page, after=None, limit=10)}
    assert (found[newer].running, found[record.w1].running) == (2, 0)
    assert found[newer].agent_name == "web"
    running = record.read(tasks.running_on, "w1", 10)
    assert [task.task_id for task in running] == ["b", "a"]
    assert record.read(workers.find, newer).running == 2


def test_workers_of_another_project_are_not_found(record: Any) -> None:
    other = record.add_project("other")
    agent = record.add_agent(other, "web")
    foreign = record.add_worker("w", project_id=other, agent_id=agent)
    assert record.read(workers.find, foreign) is None
    assert record.read(workers.find_many, [foreign, record.w1])[0].id == record.w1


def test_the_lag_is_that_of_the_worst_online_worker(record: Any) -> None:
    assert record.read(workers.lag_us) is None
    record.change_worker(record.w1, lag_us=5)
    record.add_worker("w2", lag_us=9)
    record.add_worker("w3", lag_us=99, online=False)
    assert record.read(workers.lag_us) == 9


def test_facets(record: Any, event: Any) -> None:
    record.change_worker(record.w1, engines=[{"name": "lantern", "version": "1"}])
    record.add_worker("web:1", role="web")
    record.tell(
        event("a", Kind.STARTED, name="b.z", queue="q2"),
        event("b", Kind.STARTED, name="b.a", queue="q1"),
        event("c", Kind.STARTED, name=None, queue=None),
        event("d", Kind.STARTED, name="B", queue="q1", engine="rq"),
    )
    found = record.read(facets.find)
    assert found == facets.Facets(
        queues=[("celery", "q1"), ("rq", "q1"), ("celery", "q2")],
        names=["B", "b.a", "b.z"],
        workers=["w1"],
        engines=["celery", "lantern", "rq"],
    )


def test_facets_are_bounded(record: Any, event: Any) -> None:
    record.tell(
        *(event(f"t{n}", Kind.STARTED, name=f"n{n:04}") for n in range(facets.MAX_NAMES + 9))
    )
    assert record.read(facets.find).names == [f"n{n:04}" for n in range(facets.MAX_NAMES)]


def test_facets_of_an_empty_project(record: Any) -> None:
    record.change_worker(record.w1, role="web")
    assert record.read(facets.find) == facets.Facets([], [], [], [])
