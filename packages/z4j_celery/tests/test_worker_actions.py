"""What can be told to a worker, and its effect in the worker itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from celery import Celery
from harness import Worker, wait

from z4j_celery.engine import CeleryEngine

ClientOf = Callable[[Worker], Celery]
StartWorker = Callable[..., Worker]
NEED_PREFORK = {"pool_grow", "pool_shrink", "pool_restart", "autoscale", "time_limit"}
EVERYWHERE = {"add_consumer", "cancel_consumer", "rate_limit", "held_tasks", "shutdown"}


def send(app: Celery, name: str, *args: Any, **options: Any) -> str:
    return str(app.send_task(f"celery_shop.{name}", args=args, **options).id)


def ok(worker: Worker, action: str, **params: Any) -> Any:
    answer = worker.act(action, **params)
    assert "ok" in answer, answer
    return answer["ok"]


def error(worker: Worker, action: str, **params: Any) -> str:
    return str(worker.act(action, **params)["error"])


@contextmanager
def running(worker: Worker, app: Celery, gate: Path) -> Iterator[str]:
    """Have the worker run a task until the block ends."""
    task_id = send(app, "hold", str(gate))
    worker.record.wait_for(task_id, "started")
    yield task_id
    gate.touch()
    worker.record.wait_for(task_id, "succeeded")


def test_the_pool_grows_and_shrinks(prefork: Worker, client_of: ClientOf, tmp_path: Path) -> None:
    before = prefork.children()
    grown = ok(prefork, "pool_grow", by=2)
    assert grown == {"processes": len(before) + 2, "wanted": len(before) + 2}
    assert len(prefork.children()) == len(before) + 2
    with running(prefork, client_of(prefork), tmp_path / "gate"):
        shrunk = ok(prefork, "pool_shrink", by=2)
        # The answer waits for some seconds; a process may take longer to go.
        assert shrunk["wanted"] == len(before)
        wait(lambda: len(prefork.children()) == len(before), lambda: str(prefork.children()))
    assert "keeps one" in error(prefork, "pool_shrink", by=len(before))


def test_busy_processes_are_not_ended(
    start_worker: StartWorker, client_of: ClientOf, tmp_path: Path
) -> None:
    worker = start_worker("-P", "prefork", "-c", "2")
    app = client_of(worker)
    with (
        running(worker, app, tmp_path / "one"),
        running(worker, app, tmp_path / "two"),
    ):
        assert "busy" in error(worker, "pool_shrink")
        assert len(worker.children()) == 2


def test_the_bounds_of_a_pool_that_scales(
    start_worker: StartWorker, client_of: ClientOf, tmp_path: Path
) -> None:
    worker = start_worker("-P", "prefork", "--autoscale", "2,1")
    assert ok(worker, "autoscale", max=4, min=3) == {"max": 4, "min": 3, "processes": 3}
    assert len(worker.children()) == 3
    assert "greater" in error(worker, "autoscale", max=1, min=2)
    infos = {info["name"]: info for info in ok(worker, "info")["actions"]}
    for name in ("pool_grow", "pool_shrink"):
        assert "--autoscale" in infos[name]["absent"]
    # New processes are the parent's children as much as the first ones: their events come.
    for number in range(6):
        worker.record.wait_for(send(client_of(worker), "add", number, 1), "succeeded")


def test_the_pool_is_replaced(start_worker: StartWorker, client_of: ClientOf) -> None:
    worker = start_worker("-P", "prefork", "-c", "2", RESTARTS="1")
    before = worker.children()
    answer = ok(worker, "pool_restart")
    assert answer["replaced"] + answer["waiting"] == 2
    wait(
        lambda: len(worker.children()) == 2 and not before & worker.children(),
        lambda: str((before, worker.children())),
    )
    worker.record.wait_for(send(client_of(worker), "add", 1, 1), "succeeded")


def test_a_queue_is_paused_and_resumed(any_pool: Worker, client_of: ClientOf) -> None:
    app = client_of(any_pool)
    assert ok(any_pool, "cancel_consumer", queue="shop") == {"queues": []}
    waiting = send(app, "add", 1, 1)
    assert ok(any_pool, "add_consumer", queue="later") == {"queues": ["later"]}
    other = send(app, "add", 2, 1, queue="later")
    any_pool.record.wait_for(other, "succeeded")
    assert not any_pool.record.events(waiting), "its queue is paused, and it was sent first"
    answer = error(any_pool, "cancel_consumer", queue="shop")
    assert "takes no tasks from 'shop'" in answer
    assert "later" in answer
    assert ok(any_pool, "add_consumer", queue="shop") == {"queues": ["later", "shop"]}
    any_pool.record.wait_for(waiting, "succeeded")
    assert ok(any_pool, "cancel_consumer", queue="later") == {"queues": ["shop"]}


def test_a_rate_limit_holds_tasks_back(any_pool: Worker, client_of: ClientOf) -> None:
    app = client_of(any_pool)
    name = "celery_shop.echo"
    ok(any_pool, "rate_limit", task=name, rate="1/h")
    first, held = send(app, "echo", 1), send(app, "echo", 2)
    any_pool.record.wait_for(first, "succeeded")
    any_pool.record.wait_for(held, "received")
    ok(any_pool, "rate_limit", task=name)
    later = send(app, "echo", 3)
    any_pool.record.wait_for(later, "succeeded")
    assert any_pool.record.kinds(held)["started", 0] == 0
    assert "knows no task" in error(any_pool, "rate_limit", task="no.such", rate="1/s")


def test_a_time_limit_holds_for_what_others_publish(prefork: Worker, client_of: ClientOf) -> None:
    """Trap 8: Celery says "ok" and keeps the limits that its strategies were built with."""
    app = client_of(prefork)
    name = "celery_shop.sleep"
    assert "smaller" in error(prefork, "time_limit", task=name, soft_s=3, hard_s=2)
    assert "hard limit 1 s" in ok(prefork, "time_limit", task=name, hard_s=1)["outcome"]
    ended = send(app, "sleep", 600)
    end = prefork.record.wait_for(ended, "failed")
    assert end["data"]["exception"]["type"] == "TimeLimitExceeded"
    ok(prefork, "time_limit", task=name)
    prefork.record.wait_for(send(app, "sleep", 1.5), "succeeded")


def test_what_a_worker_holds(
    start_worker: StartWorker, client_of: ClientOf, tmp_path: Path
) -> None:
    worker = start_worker("-P", "prefork", "-c", "1")
    app = client_of(worker)
    with running(worker, app, tmp_path / "gate") as active:
        reserved = send(app, "fail", "x", kwargs={"password": "planted-held-secret"})
        due = send(app, "add", 1, 1, countdown=3600)
        for task_id in (reserved, due):
            worker.record.wait_for(task_id, "received")
        held = ok(worker, "held_tasks")
        [child] = worker.children()
        [running_now] = held["active"]
        assert running_now["started_at"].endswith("+00:00")
        assert (running_now["task_id"], running_now["pid"]) == (active, child)
        assert running_now["queue"] == "shop"
        assert [one["task_id"] for one in held["reserved"]] == [reserved]
        [scheduled] = held["scheduled"]
        assert scheduled["task_id"] == due
        assert scheduled["eta"]
        assert [held[f"{name}_count"] for name in ("active", "reserved", "scheduled")] == [1, 1, 1]
        assert "planted-held-secret" not in str(held)


def test_a_busy_solo_worker_tells_what_it_holds_and_changes_nothing(
    shared_workers: StartWorker, client_of: ClientOf, tmp_path: Path
) -> None:
    worker = shared_workers("-P", "solo")
    with running(worker, client_of(worker), tmp_path / "gate") as active:
        assert [one["task_id"] for one in ok(worker, "held_tasks")["active"]] == [active]
        assert "nothing was changed" in error(worker, "cancel_consumer", queue="shop")
    assert ok(worker, "add_consumer", queue="shop") == {"queues": ["shop"]}


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_a_worker_shuts_down(
    start_worker: StartWorker, client_of: ClientOf, tmp_path: Path, pool: str
) -> None:
    """Trap 10: Celery's own command would raise in the thread that calls it."""
    worker = start_worker("-P", pool, *(() if pool == "solo" else ("-c", "1")))
    gate = tmp_path / "gate"
    task_id = send(client_of(worker), "hold", str(gate))
    worker.record.wait_for(task_id, "started")
    assert worker.name in ok(worker, "shutdown")["outcome"]
    gate.touch()
    assert worker.process.wait(90) == os.EX_OK
    assert worker.record.kinds(task_id)["succeeded", 0] == 1, "what ran was let to end"


def test_each_action_is_offered_where_it_works(any_pool: Worker) -> None:
    infos = {info["name"]: info for info in any_pool.act("info")["ok"]["actions"]}
    assert not [name for name in EVERYWHERE if infos[name]["absent"]]
    if "prefork" in any_pool.process.args:  # type: ignore[operator]
        absent = {"pool_restart": "worker_pool_restarts", "autoscale": "--autoscale"}
    else:
        absent = dict.fromkeys(NEED_PREFORK, "--pool prefork")
    found = {name: infos[name]["absent"] for name in NEED_PREFORK if infos[name]["absent"]}
    assert found.keys() == absent.keys()
    assert all(reason in found[name] for name, reason in absent.items())


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("pool_grow", {"by": 0}),
        ("pool_grow", {"by": 10**6}),
        ("pool_grow", {"by": True}),
        ("pool_shrink", {"by": "all"}),
        ("autoscale", {"max": 10**9, "min": 0}),
        ("add_consumer", {"queue": ""}),
        ("add_consumer", {"queue": "q" * 256}),
        ("add_consumer", {"queue": "a\x00b"}),
        ("cancel_consumer", {"queue": "a\nb"}),
        ("rate_limit", {"task": "t", "rate": "fast"}),
        ("rate_limit", {"task": "t", "rate": "1/s; drop"}),
        ("time_limit", {"task": "t", "hard_s": -1}),
        ("time_limit", {"task": "t", "hard_s": 1e12}),
        ("time_limit", {"task": "t", "hard_s": 1, "kill": True}),
    ],
)
def test_parameters_have_bounds(action: str, params: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(params, CeleryEngine.actions()[action].params)
