"""How deep queues are, and what is said of jobs that seem stuck."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis
import rq_shop
from hypothesis import given
from hypothesis import strategies as st
from rq import Queue
from stand import Stand, beside, ref, wait

from z4j_core.events import Kind
from z4j_core.plugins import Depth
from z4j_rq.clients import identity_of
from z4j_rq.original import Original, unpack
from z4j_rq.original import _encode as encode
from z4j_rq.stored import raised


def test_depths_count_waiting_running_and_workers(stand: Stand, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    stand.queue.enqueue(rq_shop.hold, str(gate))
    oldest = stand.queue.enqueue(rq_shop.add, 1)
    stand.queue.enqueue(rq_shop.add, 2)
    depths: list[Depth] = []

    def act() -> None:
        wait((tmp_path / "gate.begun").exists)
        [broker] = stand.engine.brokers()
        assert broker.consumed == ["shop"]
        told = stand.engine.queue_depths(broker.id, ["shop", "never"])
        depths.extend([told["shop"], told["never"]])
        assert stand.engine.queue_depths("0" * 16, ["shop"]) == {}
        gate.touch()

    with beside(act):
        stand.work()
    published = stand.host.data(oldest.id, "published")["at"]
    assert depths[0] == Depth(waiting=2, unacked=1, consumers=1, oldest_at=published)
    assert depths[1] == Depth(waiting=0, unacked=0, consumers=0)


def test_a_hostile_head_of_a_queue_has_no_age(stand: Stand) -> None:
    stand.queue.enqueue(rq_shop.add, 1)
    stand.client.lpush(stand.queue.key, b"\xff\xfe", b"rq:job:nobody")
    [broker] = stand.engine.brokers()
    depth = stand.engine.queue_depths(broker.id, ["shop"])["shop"]
    assert (depth.waiting, depth.oldest_at) == (3, None)


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("redis://h/0", "redis://user:secret@h:6379", True),
        ("redis://h/0", "redis://h/1", False),
        ("redis://h", "redis://H", True),
        ("redis://h", "redis://h:6380", False),
        ("redis://h", "rediss://h", True),
        ("unix:///a", "unix:///b", False),
    ],
)
def test_a_redis_is_known_by_its_address(one: str, other: str, are_same: bool) -> None:
    first, second = (identity_of(redis.Redis.from_url(url)) for url in (one, other))
    assert (first == second) == are_same


def test_ends_that_nobody_told_are_told_from_redis(client: redis.Redis) -> None:
    with Stand(client, "Worker") as stand:
        stand.engine.detach()
        done, failed = stand.run(rq_shop.add, 2), stand.run(rq_shop.fail, "no stock")
        stand.engine.attach(stand.host)
        waiting = stand.queue.enqueue(rq_shop.add, 1).id
        Queue("shop", connection=client)
        question = [{"task_id": one, "attempt": 3} for one in (done, failed, waiting, "nobody")]
        answer = stand.act("probe", tasks=question)
        assert answer.verdicts == ["ended", "ended", "alive", "unknown"]
        assert answer.asked == "RQ's records in Redis"
        assert stand.host.data(done, "succeeded", 3)["result"] == 2
        data = stand.host.data(failed, "failed", 3)
        assert data["exception"] == {"type": "ValueError", "message": "no stock"}
        assert "no process reported it" in data["reason"]


def test_a_running_job_is_alive_while_its_worker_is(stand: Stand, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running = stand.queue.enqueue(rq_shop.hold, str(gate))

    def act() -> None:
        wait((tmp_path / "gate.begun").exists)
        assert stand.act("probe", tasks=[{"task_id": running.id}]).verdicts == ["alive"]
        gate.touch()

    with beside(act):
        stand.work()
    lost = stand.run(rq_shop.die, 0)
    answer = stand.act("probe", tasks=[{"task_id": lost}])
    assert answer.verdicts == ["unknown"]
    assert [kind for kind, _ in stand.host.kinds(lost)][-1] == "started"


def test_a_stopped_and_a_cancelled_job_are_told_as_cancelled(stand: Stand) -> None:
    job = stand.queue.enqueue(rq_shop.add, 1)
    stand.act("cancel", ref(job.id))
    assert stand.act("probe", tasks=[{"task_id": job.id}]).verdicts == ["ended"]
    assert stand.host.of_task(job.id)[-1].kind is Kind.CANCELLED


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Traceback…\nValueError: a: b", {"type": "ValueError", "message": "a: b"}),
        ("x\nshop.errors.Empty", {"type": "Empty", "message": "", "module": "shop.errors"}),
        ("KeyError: 'k'\n  with a note", {"type": "KeyError", "message": "'k'"}),
        ("", {"type": "Exception", "message": ""}),
        ("(no name here)", {"type": "Exception", "message": "(no name here)"}),
    ],
)
def test_an_exception_is_read_from_a_traceback(text: str, error: dict[str, str]) -> None:
    assert raised(text) == error


SHORT = st.text(max_size=30)
NUMBER = st.none() | st.integers(-1, 1 << 31)


@given(
    original=st.builds(
        Original,
        data=st.binary(),
        queue=SHORT,
        description=st.none() | SHORT,
        timeout=NUMBER,
        result_ttl=NUMBER,
        failure_ttl=NUMBER,
        retries=NUMBER,
        retry_intervals=st.none() | st.lists(st.integers(0, 99)),
        callbacks=st.lists(st.tuples(st.none() | SHORT, NUMBER), max_size=3),
        parent=st.none() | SHORT,
        root=st.none() | SHORT,
    )
)
def test_a_sealed_job_comes_back_as_it_was(original: Original) -> None:
    assert unpack(encode(original)) == original


@given(data=st.binary(max_size=100))
def test_bytes_of_another_version_are_refused_without_a_quote(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^it is no job of this version: \w+$"):
        unpack(data)


def test_what_was_sealed_long_ago_still_opens() -> None:
    sealed = bytes.fromhex("96c4026869a473686f70c0cd012ccd01f4c0")
    assert unpack(sealed) == Original(data=b"hi", queue="shop", timeout=300, result_ttl=500)
