"""Each fact of a job's life is told once, by workers that fork and workers that do not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import redis
import rq_shop
from rq import Queue, Retry
from rq.exceptions import InvalidJobOperation
from rq.job import Dependency, Job
from rq.worker import Worker
from stand import Stand, wait

from z4j_core.events import Kind

WHOLE = ["published", "received", "started", "succeeded"]


def once(*kinds: str, attempt: int = 0) -> list[tuple[str, int]]:
    return [(kind, attempt) for kind in kinds]


def test_a_success_is_told_with_all_its_facts(any_stand: Stand) -> None:
    task_id = any_stand.run(rq_shop.add, 2, y=3)
    host = any_stand.host
    end = host.wait_for(task_id, Kind.SUCCEEDED)
    assert host.kinds(task_id) == once(*WHOLE)
    assert (end.name, end.queue) == ("rq_shop.add", "shop")
    published, started = (host.data(task_id, kind) for kind in ("published", "started"))
    for told in (published, started):
        assert (told["args"], told["kwargs"], told["exact"]) == ([2], {"y": 3}, True)
    assert published["root_id"] == task_id
    for kind in ("received", "started"):
        assert host.data(task_id, kind)["published_at"] == published["at"]
    succeeded = host.data(task_id, "succeeded")
    assert succeeded["result"] == 5
    assert 0 <= succeeded["run_us"] <= succeeded["at"] - started["at"]
    forks = any_stand.worker_class.__name__ == "Worker"
    assert (started["pid"] != os.getpid()) == forks


def test_positional_secrets_are_known_by_the_names_of_parameters(any_stand: Stand) -> None:
    task_id = any_stand.run(rq_shop.sign_in, "anna", "tulip-7-mountain")
    any_stand.host.wait_for(task_id, Kind.SUCCEEDED)
    assert any_stand.host.data(task_id, "started")["args"][0] == "anna"
    assert b"tulip-7" not in b"".join(event.payload for event in any_stand.host.events)


def test_a_method_is_run_and_named(any_stand: Stand) -> None:
    task_id = any_stand.run(rq_shop.Till(40).pay, 2)
    end = any_stand.host.wait_for(task_id, Kind.SUCCEEDED)
    assert end.name == "pay"
    assert any_stand.host.data(task_id, "succeeded")["result"] == 42


def test_a_failure_has_type_message_traceback(any_stand: Stand) -> None:
    task_id = any_stand.run(rq_shop.fail, "no stock")
    any_stand.host.wait_for(task_id, Kind.FAILED)
    assert any_stand.host.kinds(task_id) == once("published", "received", "started", "failed")
    data = any_stand.host.data(task_id, "failed")
    assert data["exception"] == {"type": "ValueError", "message": "no stock"}
    assert "raise ValueError(message)" in data["traceback"]
    assert data["run_us"] >= 0


def test_an_unknown_function_fails_without_a_start(any_stand: Stand) -> None:
    task_id = any_stand.run("rq_shop.nothing_like_this", "tulip-7-mountain")
    any_stand.host.wait_for(task_id, Kind.FAILED)
    assert any_stand.host.kinds(task_id) == once("published", "received", "failed")


def test_a_time_limit_is_a_failure(any_stand: Stand) -> None:
    task_id = any_stand.run(rq_shop.sleep, 30, job_timeout=1)
    any_stand.host.wait_for(task_id, Kind.FAILED)
    data = any_stand.host.data(task_id, "failed")
    assert data["exception"]["type"] == "JobTimeoutException"
    assert any_stand.host.kinds(task_id) == once("published", "received", "started", "failed")


def test_a_success_whose_job_is_deleted_at_once_is_told(any_stand: Stand) -> None:
    task_id = any_stand.run(rq_shop.add, 1, result_ttl=0)
    any_stand.host.wait_for(task_id, Kind.SUCCEEDED)
    assert any_stand.host.kinds(task_id) == once(*WHOLE)
    assert not Job.exists(task_id, any_stand.client)


def test_each_attempt_is_numbered_with_its_own_traceback(any_stand: Stand, tmp_path: Path) -> None:
    """Trap 3: Redis keeps no result of a run that is retried."""
    task_id = any_stand.run(rq_shop.flaky, str(tmp_path / "marks"), 2, retry=Retry(max=2))
    any_stand.host.wait_for(task_id, Kind.SUCCEEDED)
    retried = ["published", "received", "started", "retried"]
    expected = [*once(*retried), *once(*retried, attempt=1), *once(*WHOLE, attempt=2)]
    assert sorted(any_stand.host.kinds(task_id)) == sorted(expected)
    for attempt in (0, 1):
        data = any_stand.host.data(task_id, "retried", attempt)
        assert data["exception"]["message"] == f"'run {attempt + 1}'"
        assert "flaky" in data["traceback"]
        following = any_stand.host.data(task_id, "published", attempt + 1)
        assert data["retry_at"] == following["at"]
        received = any_stand.host.data(task_id, "received", attempt + 1)
        assert received["published_at"] == following["at"]


def test_a_retry_with_an_interval_says_when(any_stand: Stand, tmp_path: Path) -> None:
    retry = Retry(max=1, interval=3_600)
    task_id = any_stand.run(rq_shop.flaky, str(tmp_path / "marks"), 1, retry=retry)
    any_stand.host.wait_for(task_id, Kind.RETRIED)
    retried = any_stand.host.data(task_id, "retried")
    following = any_stand.host.data(task_id, "published", 1)
    assert retried["retry_at"] == following["eta"] > following["at"] + 3_000_000_000


@pytest.mark.skipif(not hasattr(Worker, "handle_job_retry"), reason="RQ 2.0 has no such thing")
def test_a_returned_retry_is_a_retry_until_it_is_one_too_many(any_stand: Stand) -> None:
    task_id = any_stand.run(rq_shop.again, 1)
    any_stand.host.wait_for(task_id, Kind.FAILED)
    kinds = any_stand.host.kinds(task_id)
    assert ("retried", 0) in kinds
    assert ("failed", 1) in kinds
    assert any_stand.host.data(task_id, "failed", 1)["exception"]["type"] == "MaxRetriesExceeded"
    assert any_stand.state(task_id) == "failed"


def test_a_requeued_job_goes_on_with_the_next_number(any_stand: Stand, tmp_path: Path) -> None:
    task_id = any_stand.run(rq_shop.flaky, str(tmp_path / "marks"), 1)
    any_stand.host.wait_for(task_id, Kind.FAILED)
    any_stand.job(task_id).requeue()
    any_stand.work()
    any_stand.host.wait_for(task_id, Kind.SUCCEEDED)
    expected = [*once("published", "received", "started", "failed"), *once(*WHOLE, attempt=1)]
    assert any_stand.host.kinds(task_id) == expected


def test_what_a_job_enqueues_is_its_child(any_stand: Stand, redis_url: str) -> None:
    parent = any_stand.run(rq_shop.enqueue, redis_url, 2)
    any_stand.host.wait_for(parent, Kind.SUCCEEDED)
    children = any_stand.host.data(parent, "succeeded")["result"]
    for child in children:
        any_stand.host.wait_for(child, Kind.SUCCEEDED)
        assert any_stand.host.kinds(child) == once(*WHOLE)
        for kind in ("published", "received"):
            data = any_stand.host.data(child, kind)
            assert (data["parent_id"], data["root_id"]) == (parent, parent)


def test_dependents_are_a_tree_and_wait_from_when_they_may_run(any_stand: Stand) -> None:
    first = any_stand.queue.enqueue(rq_shop.add, 1)
    second = any_stand.queue.enqueue(rq_shop.add, 2, depends_on=first)
    third = any_stand.queue.enqueue(rq_shop.add, 3, depends_on=Dependency([second]))
    any_stand.work()
    host = any_stand.host
    host.wait_for(third.id, Kind.SUCCEEDED)
    for job, parent in ((second, first), (third, second)):
        published = [event for event in host.of_task(job.id) if event.kind is Kind.PUBLISHED]
        assert len(published) == 2
        received = host.data(job.id, "received")
        assert (received["parent_id"], received["root_id"]) == (parent.id, first.id)
    events = [data for data in map(_data, host.of_task(second.id)) if "eta" in data]
    assert len(events) == 1, "released once, with the time from which it waits for a worker"


def _data(event: object) -> dict[str, object]:
    from z4j_core.testing.host import data_of

    return data_of(event)  # type: ignore[arg-type]


def test_many_jobs_at_once_and_a_pipeline_that_is_thrown_away(stand: Stand) -> None:
    first = stand.queue.enqueue(rq_shop.add, 0)
    prepared = [
        Queue.prepare_data(rq_shop.add, (1,)),
        Queue.prepare_data(rq_shop.add, (2,), depends_on=first),
    ]
    with stand.client.pipeline() as pipeline:
        jobs = stand.queue.enqueue_many(prepared[:1], pipeline=pipeline)
        assert not stand.host.of_task(jobs[0].id)
        pipeline.execute()
        assert stand.host.kinds(jobs[0].id) == once("published")
    jobs += stand.queue.enqueue_many(prepared[1:])
    assert stand.host.data(jobs[1].id, "published")["deferred"] is True
    with stand.client.pipeline() as pipeline:
        lost = stand.queue.enqueue(rq_shop.add, 3, pipeline=pipeline)
        pipeline.reset()
    stand.work()
    for job in jobs:
        stand.host.wait_for(job.id, Kind.SUCCEEDED)
    assert not stand.host.of_task(lost.id)


def test_a_job_that_runs_at_once_is_not_told(stand: Stand) -> None:
    """A queue with ``is_async=False`` runs its jobs itself, and nothing waits or travels."""
    queue = Queue("shop", connection=stand.client, is_async=False)
    job = queue.enqueue(rq_shop.add, 1)
    assert job.return_value() == 1
    assert not stand.host.of_task(job.id)


def test_a_cancelled_job_is_told_where_it_is_cancelled(any_stand: Stand) -> None:
    waiting = any_stand.queue.enqueue(rq_shop.add, 1)
    later = any_stand.queue.enqueue_in(timedelta(hours=1), rq_shop.add, 2)
    assert any_stand.host.data(later.id, "published")["eta"] > 0
    for job in (waiting, later):
        job.cancel()
        assert any_stand.host.kinds(job.id) == once("published", "cancelled")
    any_stand.work()
    assert any_stand.host.kinds(waiting.id) == once("published", "cancelled")


def test_a_cancel_of_nothing_is_rqs_own_affair(
    stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    job = stand.queue.enqueue(rq_shop.add, 1)
    stand.client.delete(job.key)
    with pytest.raises(InvalidJobOperation):
        job.cancel()
    assert not caplog.records
    assert stand.host.kinds(job.id) == once("published")


def test_roles_are_told_once(any_stand: Stand) -> None:
    any_stand.run(rq_shop.add, 1)
    worker = any_stand.work()
    assert any_stand.host.started[0] == ("publisher", None)
    assert any_stand.host.started[-1] == ("worker", worker.name)
    assert any_stand.host.stopped == 2


def test_hostile_fields_of_a_job_are_left_out(stand: Stand) -> None:
    job = stand.queue.enqueue(rq_shop.add, 1)
    for runs, stamp in ((b"-5", b"{"), (b"9" * 400, b"[" * 10_000), (b"x", b'{"parent": 5}')):
        stand.client.hset(job.key, mapping={"z4j_runs": runs, "z4j": stamp})
        assert stand.job(job.id).get_status() == "queued"
    stand.client.hset(job.key, mapping={"z4j_runs": 999_999_999, "z4j": b'{"root": ""}'})
    stand.work()
    wait(lambda: ("succeeded", 65_535) in stand.host.kinds(job.id))
    assert stand.host.data(job.id, "received", 65_535)["root_id"] == job.id


@pytest.fixture
def plain(client: redis.Redis) -> Iterator[Stand]:
    with Stand(client, "Worker") as stand:
        stand.engine.detach()
        yield stand


def test_without_an_engine_a_worker_is_rqs_own(plain: Stand) -> None:
    task_id = plain.run(rq_shop.add, 1)
    assert plain.state(task_id) == "finished"
    assert not plain.host.events
    assert not plain.host.started
    assert not plain.client.hexists(Job.key_for(task_id), "z4j_runs")
