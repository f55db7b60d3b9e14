"""What each action does, seen in RQ itself."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import rq_shop
from rq import Callback, Queue, Retry
from rq.suspension import is_suspended
from stand import Stand, beside, ref, wait

from z4j_core.capability import ActionError
from z4j_core.events import Kind


def test_retry_has_the_real_arguments_although_the_record_has_not(any_stand: Stand) -> None:
    old = any_stand.run(
        rq_shop.fail,
        "no stock",
        password="tulip-7",
        job_timeout=77,
        result_ttl=78,
        retry=Retry(max=1),
        on_failure=Callback("rq_shop.noted"),
    )
    new = any_stand.act("retry", ref(old)).task_id
    assert new != old
    job = any_stand.job(new)
    assert (job.args, job.kwargs) == (("no stock",), {"password": "tulip-7"})
    assert (job.timeout, job.result_ttl, job.retries_left) == (77, 78, 1)
    assert job._failure_callback_name == "rq_shop.noted"
    assert any_stand.host.data(new, "published")["retried_from"] == old
    assert any_stand.state(old) == "failed"
    any_stand.work()
    any_stand.host.wait_for(new, Kind.FAILED)
    assert any_stand.host.data(new, "received")["retried_from"] == old


def test_retry_takes_what_was_sealed_when_rq_has_forgotten_the_job(simple: Stand) -> None:
    old = simple.run(rq_shop.fail, "no stock", password="tulip-7")
    # In an event with arguments, or nothing would be sealed.
    [told] = [event.data for event in simple.host.raw if "original" in event.data]
    assert told["kwargs"] == {"password": "tulip-7"}
    original = told["original"]()
    simple.job(old).delete()
    simple.host.sealed[old] = original
    new = simple.act("retry", ref(old)).task_id
    assert simple.job(new).kwargs == {"password": "tulip-7"}
    simple.host.sealed[old] = original[:-3]
    with pytest.raises(ActionError, match="cannot be read"):
        simple.act("retry", ref(old))


def test_retry_takes_the_record_if_it_is_exact(stand: Stand) -> None:
    stand.run(rq_shop.add, 1)
    told = ref("an-old-job", args="[2]", kwargs='{"y": 3}', exact=True)
    new = stand.act("retry", told).task_id
    stand.work()
    stand.host.wait_for(new, Kind.SUCCEEDED)
    assert stand.host.data(new, "succeeded")["result"] == 5


def test_edited_retry_takes_the_given_arguments_and_queue(stand: Stand) -> None:
    old = stand.run(rq_shop.fail, "old")
    new = stand.act("retry_edited", ref(old), args=["new"], kwargs={}, queue="elsewhere").task_id
    assert stand.job(new).origin == "elsewhere"
    stand.work("elsewhere")
    stand.host.wait_for(new, Kind.FAILED)
    assert stand.host.data(new, "failed")["exception"]["message"] == "new"
    method = stand.run(rq_shop.Till(40).pay, 1)
    new = stand.act("retry_edited", ref(method), args=[2], kwargs={}).task_id
    stand.work()
    stand.host.wait_for(new, Kind.SUCCEEDED)
    assert stand.host.data(new, "succeeded")["result"] == 42


def test_a_delay_needs_a_scheduler(stand: Stand) -> None:
    old = stand.run(rq_shop.fail, "x")
    with pytest.raises(ActionError, match="--with-scheduler"):
        stand.act("retry", ref(old), delay_s=60)
    stand.client.set("rq:scheduler-lock:shop", "somebody")
    new = stand.act("retry", ref(old), delay_s=60).task_id
    assert stand.state(new) == "scheduled"
    assert stand.host.data(new, "published")["eta"] > 0


@pytest.mark.parametrize(
    ("more", "params", "reason"),
    [
        ({"args": "[1]", "kwargs": "{}", "exact": False}, {}, "edited retry"),
        ({"args": "{}", "kwargs": "[]", "exact": True}, {}, "cannot be read"),
        ({"args": "[" * 5000, "kwargs": "{}", "exact": True}, {}, "cannot be read"),
        ({"name": None, "args": "[]", "exact": True}, {}, "function"),
        ({"args": "[]", "kwargs": "{}", "exact": True}, {"delay_s": -1}, "delay_s"),
        ({"args": "[]", "kwargs": "{}", "exact": True}, {"delay_s": 1e12}, "delay_s"),
        ({"args": "[]", "kwargs": "{}", "exact": True}, {"queue": "q" * 300}, "queue"),
        ({"args": "[]", "kwargs": "{}", "exact": True}, {"queue": ""}, "queue"),
        ({"queue": None, "args": "[]", "kwargs": "{}", "exact": True}, {}, "queue"),
    ],
)
def test_a_retry_that_is_impossible_says_why(
    stand: Stand, more: dict[str, Any], params: dict[str, Any], reason: str
) -> None:
    stand.queue.enqueue(rq_shop.add, 1)
    with pytest.raises(ActionError, match=reason):
        stand.act("retry", ref("an-old-job", **more), **params)


def test_requeue_runs_the_very_job_again(stand: Stand, tmp_path: Path) -> None:
    old = stand.run(rq_shop.flaky, str(tmp_path / "marks"), 1)
    assert stand.act("requeue", ref(old)).task_id == old
    stand.work()
    wait(lambda: ("succeeded", 1) in stand.host.kinds(old))
    with pytest.raises(ActionError, match="finished"):
        stand.act("requeue", ref(old))
    with pytest.raises(ActionError, match="no longer has"):
        stand.act("requeue", ref("nobody"))


@pytest.mark.parametrize("state", ["queued", "scheduled", "deferred"])
def test_cancel_keeps_a_waiting_job_from_starting(stand: Stand, state: str) -> None:
    if state == "scheduled":
        job = stand.queue.enqueue_in(timedelta(hours=1), rq_shop.add, 1)
    else:
        job = stand.queue.enqueue(rq_shop.add, 1)
    if state == "deferred":
        job = stand.queue.enqueue(rq_shop.add, 2, depends_on=job)
    last = stand.queue.enqueue(rq_shop.add, 3, depends_on=job)
    outcome = stand.act("cancel", ref(job.id)).outcome
    assert state in outcome
    assert "1 dependent job will wait" in outcome
    stand.work()
    assert stand.state(job.id) == "canceled"
    assert stand.state(last.id) == "deferred"
    assert [kind for kind, _ in stand.host.kinds(job.id)] == ["published", "cancelled"]
    assert "before" in stand.act("cancel", ref(job.id)).outcome


def test_cancel_says_when_it_is_too_late(stand: Stand, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running = stand.queue.enqueue(rq_shop.hold, str(gate))

    def act() -> None:
        wait((tmp_path / "gate.begun").exists)
        for action in ("cancel", "retry"):
            with pytest.raises(ActionError, match=r"[Tt]erminate"):
                stand.act(action, ref(running.id))
        gate.touch()

    with beside(act):
        stand.work()
    with pytest.raises(ActionError, match="already ended"):
        stand.act("cancel", ref(running.id))
    with pytest.raises(ActionError, match="no longer has"):
        stand.act("cancel", ref("nobody"))
    taken = stand.queue.enqueue(rq_shop.add, 1)
    stand.client.lrem(stand.queue.key, 1, taken.id)
    with pytest.raises(ActionError, match="just taken"):
        stand.act("cancel", ref(taken.id))


def test_terminate_kills_a_running_job(stand: Stand, tmp_path: Path) -> None:
    running = stand.queue.enqueue(rq_shop.hold, str(tmp_path / "gate"))

    def act() -> None:
        wait((tmp_path / "gate.begun").exists)
        assert "stopped" in stand.act("terminate", ref(running.id)).outcome

    with beside(act):
        stand.new_worker().work(burst=True, logging_level="CRITICAL")
    stand.host.wait_for(running.id, Kind.CANCELLED)
    assert stand.state(running.id) == "stopped"
    with pytest.raises(ActionError, match="does not run"):
        stand.act("terminate", ref(running.id))


def test_a_simple_worker_is_never_told_to_stop_a_job(simple: Stand, tmp_path: Path) -> None:
    """On it RQ's command does harm: older ones kill their own process group."""
    gate = tmp_path / "gate"
    running = simple.queue.enqueue(rq_shop.hold, str(gate))
    absences: list[dict[str, str]] = []

    def act() -> None:
        wait((tmp_path / "gate.begun").exists)
        try:
            absences.append(simple.engine.absences())
            with pytest.raises(ActionError, match="SimpleWorker"):
                simple.act("terminate", ref(running.id))
        finally:
            gate.touch()

    with beside(act):
        simple.work()
    assert "SimpleWorker" in absences[0]["terminate"]
    assert simple.state(running.id) == "finished"


def test_purge_deletes_and_tells_what_it_deleted(stand: Stand) -> None:
    jobs = [stand.queue.enqueue(rq_shop.add, number) for number in range(3)]
    assert stand.act("purge", "shop").deleted == 3
    assert stand.queue.count == 0
    for job in jobs:
        assert not job.exists(job.id, stand.client)
        assert [kind for kind, _ in stand.host.kinds(job.id)] == ["published", "cancelled"]
    assert stand.act("purge", "shop").deleted == 0
    Queue("other", connection=stand.client)
    for name in ("never-heard-of", "", "q" * 300):
        with pytest.raises(ActionError, match=r"no queue|characters"):
            stand.act("purge", name)


def test_suspended_workers_wait_and_an_idle_one_may_still_run_one(simple: Stand) -> None:
    """Trap 6: who is blocked in dequeue has looked already; the outcome says so."""
    simple.run(rq_shop.add, 1)
    ran: list[str] = []

    def act() -> None:
        wait(lambda: simple.client.scard("rq:workers"))
        wait(lambda: simple.client.info("clients")["blocked_clients"])
        assert "may still run one" in simple.act("suspend", duration_s=3600).outcome
        assert is_suspended(simple.client)
        one, other = (simple.queue.enqueue(rq_shop.add, number) for number in (1, 2))
        wait(lambda: simple.state(one.id) == "finished")
        wait(lambda: simple.state(other.id) == "queued")
        ran.extend([one.id, other.id])
        outcome = simple.act("resume")
        assert outcome.workers == 1
        assert "go on" in outcome.outcome
        wait(lambda: simple.state(other.id) == "finished")
        assert "were not suspended" in simple.act("resume").outcome
        simple.act("shutdown")

    with beside(act):
        worker = simple.new_worker()
        worker.subscribe = lambda: None
        worker.work(logging_level="CRITICAL")
    for job_id in ran:
        simple.host.wait_for(job_id, Kind.SUCCEEDED)


def test_what_is_absent_says_why(stand: Stand) -> None:
    absent = stand.engine.absences()
    assert set(absent) == set(stand.engine.actions())
    assert all(reason.endswith(".") for reason in absent.values())
    with pytest.raises(ActionError, match="knows no Redis"):
        stand.act("purge", "shop")
    stand.queue.enqueue(rq_shop.add, 1)
    assert set(stand.engine.absences()) == {"shutdown"}
    with pytest.raises(ActionError, match="no worker"):
        stand.act("shutdown")


def test_of_several_servers_the_one_with_the_queue_is_used(stand: Stand, redis_url: str) -> None:
    stand.queue.enqueue(rq_shop.add, 1)
    with redis.Redis.from_url(redis_url.rpartition("/")[0] + "/9") as second:
        second.flushdb()
        Queue("elsewhere", connection=second).enqueue(rq_shop.add, 1)
        assert len(stand.engine.brokers()) == 2
        assert stand.act("purge", "elsewhere").deleted == 1
        with pytest.raises(ActionError, match="none of them"):
            stand.act("purge", "nowhere")
    second.connection_pool.disconnect()
    assert stand.queue.count == 1


def test_a_redis_that_is_gone_is_a_reason(own_redis: Any) -> None:
    with redis.Redis.from_url(own_redis.url) as client, Stand(client) as stand:
        job = stand.queue.enqueue(rq_shop.add, 1)
        own_redis.stop()
        for action in ("retry", "cancel", "terminate", "requeue"):
            with pytest.raises(ActionError, match="Redis did not carry it out"):
                stand.act(action, ref(job.id))
        question = [{"task_id": job.id}]
        assert stand.act("probe", tasks=question).verdicts == ["unanswered"]
    client.connection_pool.disconnect()
