"""What retry, cancel, terminate and purge do, seen in Celery itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from harness import Worker, wait

ClientOf = Callable[[Worker], Celery]
StartWorker = Callable[..., Worker]


def send(app: Celery, name: str, *args: Any, **options: Any) -> str:
    return str(app.send_task(f"celery_shop.{name}", args=args, **options).id)


def task(task_id: str, name: str = "fail", **more: Any) -> dict[str, Any]:
    return {"task_id": task_id, "name": f"celery_shop.{name}", "queue": "shop", **more}


def result_of(worker: Worker, task_id: str) -> str:
    """Return the state of a task in the result backend."""
    with Celery("reader", backend=worker.url, set_as_current=False) as app:
        return str(app.backend.get_state(task_id))


def test_retry_has_the_real_arguments_although_the_record_has_not(
    any_pool: Worker, client_of: ClientOf
) -> None:
    app = client_of(any_pool)
    old = send(app, "fail", "no stock", kwargs={"password": "tulip-7"}, priority=3)
    received = any_pool.record.wait_for(old, "received")
    assert received["data"]["exact"] is False
    any_pool.record.wait_for(old, "failed")
    new = any_pool.act("retry", task(old))["ok"]["task_id"]
    assert new != old
    # The task accepts only `password` beside the message, so a wrong argument would show.
    end = any_pool.record.wait_for(new, "failed")
    assert end["data"]["exception"] == {"type": "ValueError", "message": "no stock"}
    published = any_pool.record.wait_for(new, "published")
    assert published["data"]["retried_from"] == old
    assert published["data"]["priority"] == 3
    assert published["queue"] == "shop"
    again = any_pool.record.wait_for(new, "received")
    assert again["data"]["retried_from"] == old
    assert again["data"]["published_at"] == published["at"]
    assert any_pool.record.kinds(new) == Counter(
        {(kind, 0): 1 for kind in ("published", "received", "started", "failed")}
    )


def test_a_task_that_changed_its_arguments_is_retried_with_the_first_ones(
    any_pool: Worker, client_of: ClientOf
) -> None:
    old = send(client_of(any_pool), "mutate", [1, 2])
    any_pool.record.wait_for(old, "failed")
    new = any_pool.act("retry", task(old, "mutate"))["ok"]["task_id"]
    assert any_pool.record.wait_for(new, "received")["data"]["args"] == [[1, 2]]


def test_a_success_is_retried_from_the_record_if_it_is_exact(
    any_pool: Worker, client_of: ClientOf
) -> None:
    old = send(client_of(any_pool), "add", 2, 3)
    any_pool.record.wait_for(old, "succeeded")
    ref = task(old, "add", args="[2,3]", kwargs="{}", exact=True)
    new = any_pool.act("retry", ref, delay_s=0.2)["ok"]["task_id"]
    assert any_pool.record.wait_for(new, "succeeded")["data"]["result"] == 5
    assert any_pool.record.wait_for(new, "received")["data"]["eta"] > 0
    assert result_of(any_pool, new) == "SUCCESS"


def test_edited_retry_takes_the_given_arguments_and_queue(
    any_pool: Worker, client_of: ClientOf
) -> None:
    old = send(client_of(any_pool), "fail", "old")
    any_pool.record.wait_for(old, "failed")
    new = any_pool.act("retry_edited", task(old), args=["new"], kwargs={})["ok"]["task_id"]
    end = any_pool.record.wait_for(new, "failed")
    assert end["data"]["exception"]["message"] == "new"
    answer = any_pool.act("retry_edited", task(old), args=["x"], kwargs={}, queue="elsewhere")
    with redis.Redis.from_url(any_pool.url) as client:
        assert client.llen("elsewhere") == 1
    other = any_pool.record.wait_for(answer["ok"]["task_id"], "published")
    assert other["queue"] == "elsewhere"


@pytest.mark.parametrize(
    ("ref", "params", "reason"),
    [
        ({"args": "[1]", "kwargs": "{}", "exact": False}, {}, "edited retry"),
        ({"args": "{}", "kwargs": "[]", "exact": True}, {}, "cannot be read"),
        ({"args": "[" * 5000, "kwargs": "{}", "exact": True}, {}, "cannot be read"),
        ({"name": None, "args": "[]", "kwargs": "{}", "exact": True}, {}, "name"),
        ({"args": "[]", "kwargs": "{}", "exact": True}, {"delay_s": -1}, "delay_s"),
        ({"args": "[]", "kwargs": "{}", "exact": True}, {"delay_s": 1e12}, "delay_s"),
        ({"args": "[]", "kwargs": "{}", "exact": True}, {"queue": "q" * 300}, "queue"),
        ({"args": "[]", "kwargs": "{}", "exact": True}, {"queue": ""}, "queue"),
    ],
)
def test_a_retry_that_is_impossible_says_why(
    prefork: Worker, ref: dict[str, Any], params: dict[str, Any], reason: str
) -> None:
    answer = prefork.act("retry", {**task("an-old-task"), **ref}, **params)
    assert reason in answer["error"]


def test_a_running_task_is_not_retried(
    prefork: Worker, client_of: ClientOf, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    running = send(client_of(prefork), "hold", str(gate))
    prefork.record.wait_for(running, "started")
    ref = task(running, "hold", args="[2]", kwargs="{}", exact=True)
    assert "running" in prefork.act("retry", ref)["error"]
    assert "Terminate" in prefork.act("cancel", task(running, "hold"))["error"]
    gate.touch()


def test_cancel_keeps_a_waiting_task_from_starting(any_pool: Worker, client_of: ClientOf) -> None:
    due = send(client_of(any_pool), "add", 1, 1, countdown=5)
    any_pool.record.wait_for(due, "received")
    outcome = any_pool.act("cancel", task(due, "add"))["ok"]["outcome"]
    assert any_pool.name in outcome
    end = any_pool.record.wait_for(due, "cancelled")
    assert "revoked" in end["data"]["reason"]
    assert any_pool.record.kinds(due) == Counter({("received", 0): 1, ("cancelled", 0): 1})
    # Celery tells its listeners first and its result backend after that.
    wait(lambda: result_of(any_pool, due) == "REVOKED", lambda: result_of(any_pool, due))


def test_cancel_says_when_it_is_too_late(prefork: Worker, client_of: ClientOf) -> None:
    done = send(client_of(prefork), "add", 1, 1)
    prefork.record.wait_for(done, "succeeded")
    wait(lambda: result_of(prefork, done) == "SUCCESS", lambda: result_of(prefork, done))
    assert "already ended" in prefork.act("cancel", task(done, "add"))["error"]


def test_cancel_of_an_unknown_task_does_not_claim_to_know_it(prefork: Worker) -> None:
    """Trap 9: Celery says ok for any id."""
    outcome = prefork.act("cancel", task("no-such-task", "add"))["ok"]["outcome"]
    assert outcome.startswith("No worker holds the task")
    assert prefork.name in outcome


def test_a_cancel_reaches_a_task_in_the_hands_of_another_worker(
    start_worker: StartWorker, client_of: ClientOf, tmp_path: Path
) -> None:
    holder = start_worker("-P", "threads", "-c", "1")
    options = ("-P", "threads", "-c", "1", "-Q", "nothing")
    asked = start_worker(*options, url=holder.url, ANSWER_WAIT_S="4")
    due = send(client_of(holder), "add", 1, 1, countdown=12)
    holder.record.wait_for(due, "received")
    outcome = asked.act("cancel", task(due, "add"))["ok"]["outcome"]
    assert holder.name in outcome
    holder.record.wait_for(due, "cancelled")
    gate = tmp_path / "gate"
    running = send(client_of(holder), "hold", str(gate))
    holder.record.wait_for(running, "started")
    assert holder.name in asked.act("cancel", task(running, "hold"))["error"]
    gate.touch()


def test_a_cancel_is_forgotten_by_a_restart_and_sticks_when_sent_again(
    start_worker: StartWorker, client_of: ClientOf
) -> None:
    """Trap 9: a restarted worker alone knows nothing of it; the brain repeats the command."""
    first = start_worker("-P", "threads", "-c", "1")
    app = client_of(first)
    first.act("cancel", task("waits-in-the-queue", "add"))
    first.stop()
    second = start_worker("-P", "threads", "-c", "1", "-Q", "nothing", url=first.url)
    send(app, "add", 1, 1, task_id="waits-in-the-queue")
    second.act("cancel", task("waits-in-the-queue", "add"))
    app.control.add_consumer("shop")
    end = second.record.wait_for("waits-in-the-queue", "cancelled")
    assert end["name"] == "celery_shop.add"
    assert second.record.kinds("waits-in-the-queue") == Counter(
        {("received", 0): 1, ("cancelled", 0): 1}
    )


def test_terminate_ends_a_running_task(prefork: Worker, client_of: ClientOf) -> None:
    running = send(client_of(prefork), "sleep", 60)
    started = prefork.record.wait_for(running, "started")
    outcome = prefork.act("terminate", task(running, "sleep"))["ok"]["outcome"]
    assert str(started["data"]["pid"]) in outcome
    end = prefork.record.wait_for(running, "cancelled")
    assert "SIGTERM" in end["data"]["reason"]
    wait(lambda: result_of(prefork, running) == "REVOKED", lambda: result_of(prefork, running))
    after = send(client_of(prefork), "add", 1, 1)
    prefork.record.wait_for(after, "succeeded")
    assert prefork.record.kinds(running) == Counter(
        {("received", 0): 1, ("started", 0): 1, ("cancelled", 0): 1}
    )


def test_terminate_of_a_task_that_does_not_run_is_an_error(prefork: Worker) -> None:
    assert "No worker" in prefork.act("terminate", task("no-such-task", "sleep"))["error"]


def test_children_forked_after_an_action_work(
    start_worker: StartWorker, client_of: ClientOf
) -> None:
    """A connection of the app's pool that waited for replies would hang every later child."""
    worker = start_worker("-P", "prefork", "-c", "1")
    app = client_of(worker)
    for _ in range(2):
        worker.act("cancel", task("no-such-task", "add"))
        worker.act("terminate", task("no-such-task", "add"))
    for _ in range(2):
        worker.record.wait_for(send(app, "killed"), "failed")
        worker.record.wait_for(send(app, "add", 1, 1), "succeeded")


def test_only_what_works_is_offered(any_pool: Worker) -> None:
    infos = {info["name"]: info for info in any_pool.act("info")["ok"]["actions"]}
    is_prefork = "prefork" in any_pool.process.args  # type: ignore[operator]
    of_tasks = {"retry", "retry_edited", "cancel", "purge", "probe", "terminate"}
    offered = {name for name in of_tasks if not infos[name]["absent"]}
    assert of_tasks - offered == (set() if is_prefork else {"terminate"})
    if not is_prefork:
        assert "prefork" in infos["terminate"]["absent"]


def test_purge_says_how_many_and_refuses_the_unknown(any_pool: Worker, client_of: ClientOf) -> None:
    """Trap 12: an empty queue of Redis does not exist."""
    app = client_of(any_pool)
    for number in range(7):
        send(app, "add", number, 1, queue="idle", priority=number)
    assert any_pool.act("purge", "idle")["ok"] == {"deleted": 7}
    with redis.Redis.from_url(any_pool.url) as client:
        assert not [key for key in client.keys("*") if key.startswith(b"idle")]
    assert any_pool.act("purge", "shop")["ok"] == {"deleted": 0}
    assert "no queue 'idle'" in any_pool.act("purge", "idle")["error"]
    assert "255" in any_pool.act("purge", "q" * 300)["error"]


def test_a_busy_solo_worker_still_takes_a_cancel(
    start_worker: StartWorker, client_of: ClientOf, tmp_path: Path
) -> None:
    worker = start_worker("-P", "solo")
    app = client_of(worker)
    gate = tmp_path / "gate"
    running = send(app, "hold", str(gate))
    worker.record.wait_for(running, "started")
    waiting = send(app, "add", 1, 1)
    worker.act("cancel", task(waiting, "add"))
    gate.touch()
    worker.record.wait_for(waiting, "cancelled")
    worker.record.wait_for(running, "succeeded")
    assert worker.record.kinds(waiting)["started", 0] == 0
