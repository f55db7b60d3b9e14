"""What an engine says of tasks that seem stuck, seen with real workers that are killed."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import Celery, states
from harness import Worker

from z4j_celery.actions.results import event_of
from z4j_core.events import Kind
from z4j_core.plugins import ProbedTask

ClientOf = Callable[[Worker], Celery]
StartWorker = Callable[..., Worker]
POOL = ("-P", "prefork", "-c", "1")


def send(app: Celery, name: str, *args: Any, **options: Any) -> str:
    return str(app.send_task(f"celery_shop.{name}", args=args, **options).id)


def probe(at: Worker, *ids: str, **more: Any) -> tuple[list[str], str]:
    """Return the verdicts and who was asked."""
    tasks = [{"task_id": task_id, **more} for task_id in ids]
    answer = at.act("probe", tasks=tasks)["ok"]
    return answer["verdicts"], answer["asked"]


def kill(worker: Worker) -> None:
    """Kill a worker and its children, -9, all at once."""
    os.killpg(worker.process.pid, signal.SIGKILL)
    worker.process.wait()


def test_the_backend_tells_what_nobody_reported(
    start_worker: StartWorker, client_of: ClientOf
) -> None:
    runner = start_worker(*POOL)
    app = client_of(runner)
    done, failed = send(app, "add", 2, 3), send(app, "fail", "no stock, password=tulip-7")
    runner.record.wait_for(done, "succeeded")
    end = runner.record.wait_for(failed, "failed")
    kill(runner)
    other = start_worker(*POOL, url=runner.url)
    verdicts, asked = probe(other, done, "nobody-knows-this", failed, name="celery_shop.add")
    assert verdicts == ["ended", "unknown", "ended"]
    assert asked == f"the worker {other.name} itself, the result backend redis and 0 other workers"
    [told] = other.record.events(done)
    assert (told["kind"], told["data"]["result"]) == ("succeeded", 5)
    assert told["data"]["reason"] == (
        "Told by the result backend redis, when asked; no worker reported it."
    )
    [again] = other.record.events(failed)
    assert again["kind"] == "failed"
    assert again["data"]["exception"]["type"] == end["data"]["exception"]["type"] == "ValueError"
    assert "Traceback" in again["data"]["traceback"]
    assert "tulip-7" not in other.record.path.read_text()
    assert abs(again["at"] - end["at"]) < 5_000_000, "the time of the fact, not of the question"


def test_a_task_that_runs_is_alive_until_its_worker_is_killed(
    start_worker: StartWorker, client_of: ClientOf
) -> None:
    runner = start_worker(*POOL)
    other = start_worker(*POOL, "-Q", "elsewhere", url=runner.url, ANSWER_WAIT_S="4")
    app = client_of(runner)
    running, waiting, behind = (send(app, "sleep", seconds) for seconds in (60, 61, 62))
    runner.record.wait_for(running, "started")
    # "received" is told a moment before the worker holds it; what comes next is received after.
    runner.record.wait_for(behind, "received")
    for worker in (runner, other):
        verdicts, asked = probe(worker, running, waiting)
        assert verdicts == ["alive", "alive"]
    assert asked.endswith("and 1 other worker")
    kill(runner)
    verdicts, asked = probe(other, running, waiting, state="running", worker=runner.name)
    assert verdicts == ["unknown", "unknown"]
    assert other.record.events(running) == []


@pytest.mark.parametrize(
    ("results", "verdict", "words"),
    [
        ("", "unknown", "no result backend, since none is configured"),
        ("rpc://", "unknown", "not the result backend rpc, which answers the publisher alone"),
        ("redis://127.0.0.1:{port}/0", "unanswered", "the result backend redis"),
    ],
)
def test_without_a_backend_that_answers(
    start_worker: StartWorker, results: str, verdict: str, words: str
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        worker = start_worker(*POOL, RESULTS=results.format(port=nobody.getsockname()[1]))
        verdicts, asked = probe(worker, "some-task")
    assert (verdicts, words in asked) == ([verdict], True), asked


def test_a_question_about_a_running_task_tells_nothing_of_it(
    prefork: Worker, client_of: ClientOf, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    running = send(client_of(prefork), "hold", str(gate))
    prefork.record.wait_for(running, "started")
    assert probe(prefork, running)[0] == ["alive"]
    gate.touch()
    prefork.record.wait_for(running, "succeeded")
    assert len([one for one in prefork.record.events(running) if one["kind"] == "succeeded"]) == 1


@pytest.mark.parametrize(
    ("meta", "kind", "attempt"),
    [
        ({"status": states.PENDING}, None, 0),
        ({"status": states.STARTED}, None, 0),
        ({"status": states.RETRY}, None, 0),
        ({"status": states.RETRY, "retries": 0}, None, 0),
        ({"status": states.RETRY, "retries": 2}, Kind.RETRIED, 2),
        ({"status": states.REVOKED}, Kind.CANCELLED, 2),
        ({"status": states.REJECTED}, Kind.REJECTED, 2),
        ({"status": states.SUCCESS, "result": 1}, Kind.SUCCEEDED, 2),
        ({"status": states.SUCCESS, "retries": 3}, Kind.SUCCEEDED, 3),
        ({"status": states.FAILURE, "retries": True, "result": KeyError("k")}, Kind.FAILED, 2),
        ({"status": ["SUCCESS"]}, None, 0),
        ({}, None, 0),
    ],
)
def test_only_an_end_is_an_event(meta: Any, kind: Kind | None, attempt: int) -> None:
    event = event_of(ProbedTask("t", attempt=2, state="running"), meta, "the backend")
    if kind is None:
        assert event is None
    else:
        assert event is not None
        assert (event.kind, event.attempt) == (kind, attempt)


def test_the_time_of_an_end_is_the_backends() -> None:
    meta = {"status": states.SUCCESS, "date_done": "2026-01-02T03:04:05+00:00"}
    event = event_of(ProbedTask("t"), meta, "the backend")
    assert event is not None
    assert event.occurred_at == 1_767_323_045_000_000
