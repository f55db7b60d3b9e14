"""A run that is ended from outside ends for good, and never takes a thread along."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

import pytest
from dramatiq.worker import WorkerThread
from dramatiq_stand import Shop, once, wait

from z4j_core.capability import ActionError
from z4j_core.events import Kind
from z4j_core.frames import TaskRef


def busy(*_: Any) -> None:
    """Is in Python code for two minutes at most."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        time.sleep(0.005)


@pytest.mark.parametrize("options", [{"max_retries": 3}, {"retry_when": lambda *_: True}])
def test_a_terminated_run_is_not_retried(shop: Shop, options: dict[str, Any]) -> None:
    """Trap 11."""
    shop.work(1)
    task_id = shop.actor(busy, **options).send().message_id
    shop.data(task_id, Kind.STARTED)
    wait(lambda: task_id in shop.engine._capture.running)  # type: ignore[attr-defined]
    answer = shop.act("terminate", TaskRef(task_id, "busy"))
    assert "exception" in answer.outcome
    assert "terminated" in shop.data(task_id, Kind.CANCELLED)["reason"]
    after = shop.actor(lambda: None, actor_name="after").send().message_id
    shop.data(after, Kind.SUCCEEDED)
    assert shop.kinds(task_id) == once("published", "started", "cancelled")
    kept = shop.engine._capture.kept.get(task_id)  # type: ignore[attr-defined]
    assert b"max_retries" not in kept, "its retry is a task like any other"
    letters = shop.act("list_dead_letters", "default").letters
    assert [letter.task_id for letter in letters] == [task_id]


def test_a_task_that_does_not_run_is_refused(stub_shop: Shop) -> None:
    stub_shop.work()
    with pytest.raises(ActionError, match="does not run"):
        stub_shop.act("terminate", TaskRef("nobody", "busy"))


def test_an_exception_never_lands_outside_of_the_actor(stub_shop: Shop) -> None:
    """Trap 10: in a hook it makes a dead letter of a success, or ends the worker's thread."""
    done: list[str] = []

    def quick(number: int) -> None:
        done.append(str(number))

    worker = stub_shop.work(2)
    running = stub_shop.engine._capture.running  # type: ignore[attr-defined]
    ids = [stub_shop.actor(quick, max_retries=3).send(number).message_id for number in range(1)]
    actor = stub_shop.broker.actors["quick"]
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            for task_id in list(running._runs):
                running.terminate(task_id)

    hammering = threading.Thread(target=hammer)
    hammering.start()
    ids += [actor.send(number).message_id for number in range(1, 400)]
    ends = ("succeeded", "cancelled")
    try:
        wait(lambda: sum(_ends(stub_shop, ids).values()) >= len(ids), timeout_s=100)
    finally:
        stop.set()
        hammering.join()
    threads = [one for one in worker.workers if isinstance(one, WorkerThread)]
    assert all(thread.is_alive() for thread in threads)
    found = _ends(stub_shop, ids)
    assert set(found) <= set(ends), found
    assert sum(found.values()) == len(ids)
    dead = {letter.message_id for letter in stub_shop.broker.dead_letters}
    cancelled = {one.task_id for one in stub_shop.host.events if one.kind is Kind.CANCELLED}
    assert dead == cancelled


def _ends(shop: Shop, ids: list[str]) -> Counter[str]:
    known = set(ids)
    told = [one for one in list(shop.host.events) if one.task_id in known]
    return Counter(one.kind.value for one in told if one.kind not in ("published", "started"))
