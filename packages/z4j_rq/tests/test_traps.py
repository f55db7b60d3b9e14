"""What RQ does otherwise than one would think: a test for each trap that was met."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import redis
import rq_shop
from rq import Retry
from rq.command import send_stop_job_command
from stand import Stand, wait

from z4j_core.events import Kind

JOBS = 40


def test_a_lock_that_is_held_at_the_fork_stops_no_horse(stand: Stand) -> None:
    """Trap 1: only the forking thread lives on in the horse; what others have locked stays so."""
    is_locked, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        with stand.host._changed:
            is_locked.set()
            is_over.wait(60)

    jobs = [stand.queue.enqueue(rq_shop.add, number) for number in range(20)]
    thread = threading.Thread(target=hold)
    thread.start()
    is_locked.wait(60)
    try:
        stand.work()
    finally:
        is_over.set()
        thread.join()
    for job in jobs:
        stand.host.wait_for(job.id, Kind.SUCCEEDED)


def test_a_horse_that_exits_at_once_has_told_everything(stand: Stand) -> None:
    """Trap 2: what is buffered in the horse is lost by `os._exit`."""
    jobs = [stand.queue.enqueue(rq_shop.add, number) for number in range(JOBS)]
    stand.work()
    for job in jobs:
        stand.host.wait_for(job.id, Kind.SUCCEEDED)
    assert len(stand.host.events) == 4 * JOBS


@pytest.mark.skipif(rq_shop.SpawnWorker is None, reason="this RQ has no SpawnWorker")
def test_a_spawned_horse_is_told_of_by_the_main_process(
    client: redis.Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap 4: the spawned process has nothing of us; what is known is what Redis says."""
    monkeypatch.setenv("PYTHONPATH", str(Path(rq_shop.__file__).parent))
    with Stand(client, "Spawning") as stand:
        done = stand.queue.enqueue("rq_shop.add", 2, y=3)
        failed = stand.queue.enqueue("rq_shop.fail", "no stock")
        again = stand.queue.enqueue("rq_shop.flaky", str(tmp_path / "marks"), 1, retry=Retry(max=1))
        stand.work()
        stand.host.wait_for(again.id, Kind.SUCCEEDED)
        for job, end in ((done, "succeeded"), (failed, "failed")):
            assert stand.host.kinds(job.id) == [
                (kind, 0) for kind in ("published", "received", "started", end)
            ]
        assert stand.host.data(done.id, "succeeded")["result"] == 5
        data = stand.host.data(failed.id, "failed")
        assert data["exception"] == {"type": "ValueError", "message": "no stock"}
        assert "Traceback" in data["traceback"]
        assert "Redis" in data["reason"] or "record" in data["reason"]
        assert ("retried", 0) in stand.host.kinds(again.id)
        assert ("succeeded", 1) in stand.host.kinds(again.id)


def test_cancelling_a_running_job_is_no_end(client: redis.Redis, tmp_path: Path) -> None:
    """Trap 5: RQ flips the status, and the job finishes all the same."""
    gate = tmp_path / "gate"
    with Stand(client, "Worker") as stand:
        job = stand.queue.enqueue(rq_shop.hold, str(gate))

        def cancel() -> None:
            wait((tmp_path / "gate.begun").exists)
            stand.job(job.id).cancel()
            gate.touch()

        thread = threading.Thread(target=cancel)
        thread.start()
        stand.work()
        thread.join()
        stand.host.wait_for(job.id, Kind.SUCCEEDED)
        assert "cancelled" not in dict(stand.host.kinds(job.id))


def test_a_stopped_job_is_cancelled_and_nothing_else(client: redis.Redis, tmp_path: Path) -> None:
    """Trap 5: only a stop ends a running job; RQ's stored result says FAILED for it."""
    with Stand(client, "Worker") as stand:
        job = stand.queue.enqueue(rq_shop.hold, str(tmp_path / "gate"), retry=Retry(max=3))

        def stop() -> None:
            wait((tmp_path / "gate.begun").exists)
            send_stop_job_command(client, job.id)

        thread = threading.Thread(target=stop)
        thread.start()
        stand.new_worker().work(burst=True, logging_level="CRITICAL")
        thread.join()
        assert stand.state(job.id) == "stopped"
        stand.host.wait_for(job.id, Kind.CANCELLED)
        kinds = [kind for kind, _ in stand.host.kinds(job.id)]
        assert kinds == ["published", "received", "started", "cancelled"]


@pytest.mark.parametrize("code", [None, 3])
def test_a_horse_that_dies_is_a_failure(stand: Stand, code: int | None) -> None:
    task_id = stand.run(rq_shop.die, code)
    stand.host.wait_for(task_id, Kind.FAILED)
    kinds = [kind for kind, _ in stand.host.kinds(task_id)]
    assert kinds == ["published", "received", "started", "failed"]
    error = stand.host.data(task_id, "failed")["exception"]
    assert error["type"] == "WorkHorseLost"
    assert ("signal 9" in error["message"]) == (code is None)


def test_a_horse_that_dies_is_retried_if_the_job_says_so(stand: Stand) -> None:
    task_id = stand.run(rq_shop.die, None, retry=Retry(max=1))
    wait(lambda: ("failed", 1) in stand.host.kinds(task_id))
    assert ("retried", 0) in stand.host.kinds(task_id)
    assert ("published", 1) in stand.host.kinds(task_id)


def test_a_horse_that_leaves_without_a_word_has_no_end(stand: Stand) -> None:
    """`os._exit(0)`: RQ takes it for done and says nothing, so nobody knows; nothing is guessed."""
    task_id = stand.run(rq_shop.die, 0)
    after = stand.run(rq_shop.add, 1)
    stand.host.wait_for(after, Kind.SUCCEEDED)
    kinds = [kind for kind, _ in stand.host.kinds(task_id)]
    assert kinds == ["published", "received", "started"]
    assert stand.state(task_id) == "started"


def test_the_scheduler_process_tells_what_it_enqueues(stand: Stand) -> None:
    """Trap 7: it enqueues by a plain `Queue`, in a fork of the worker."""
    job = stand.queue.enqueue_in(rq_shop.SHORT, rq_shop.add, 1)
    deadline = time.monotonic() + 60
    while not any(event.kind is Kind.SUCCEEDED for event in stand.host.of_task(job.id)):
        assert time.monotonic() < deadline
        worker = stand.new_worker()
        worker.subscribe = lambda: None
        worker.work(with_scheduler=True, max_idle_time=2, logging_level="CRITICAL")
    published = [event for event in stand.host.of_task(job.id) if event.kind is Kind.PUBLISHED]
    assert len(published) == 2
    assert stand.host.data(job.id, "started")["published_at"] == published[-1].occurred_at


@pytest.mark.parametrize("host_swallows", [False, True])
def test_a_time_limit_that_comes_in_a_report_is_not_swallowed(
    simple: Stand, monkeypatch: pytest.MonkeyPatch, host_swallows: bool
) -> None:
    """RQ's limit is an exception out of a signal; reports, and the agent, catch exceptions."""

    def slow(event: object) -> None:
        if getattr(event, "kind", None) is not Kind.STARTED:
            return
        try:
            while True:
                time.sleep(0.01)
        except Exception:
            if not host_swallows:
                raise

    monkeypatch.setattr(simple.host, "emit", slow)
    task_id = simple.run(rq_shop.sleep, 30, job_timeout=1)
    result = simple.job(task_id).latest_result()
    assert result is not None
    assert "JobTimeoutException" in str(result.exc_string)
