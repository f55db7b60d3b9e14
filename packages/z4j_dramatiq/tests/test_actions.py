"""Each action's effect, seen in the broker and in what ran, not in the answer."""

from __future__ import annotations

import time
from typing import Any

import pytest
from dramatiq_stand import Shop, once, wait

from z4j_core.capability import ActionError
from z4j_core.events import Kind
from z4j_core.frames import TaskRef
from z4j_core.plugins import Verdict
from z4j_dramatiq.cancelled import Cancelled

FAILED = TaskRef("old", "charge", "default", "failed", args='["o-1"]', kwargs="{}", exact=True)
UNKNOWN = TaskRef("old", "charge", "default", "failed", args='["o-1"]', kwargs="{}")


class Charge:
    """An actor that tells what it was given, and fails."""

    def __init__(self, shop: Shop) -> None:
        self.told: list[tuple[Any, Any]] = []

        def charge(order: Any, *, password: str = "") -> None:
            self.told.append((order, password))
            if isinstance(order, list):
                order.append("changed by the task")
            raise ValueError("declined")

        self.actor = shop.actor(charge)


def test_a_retry_has_the_very_arguments_though_the_task_changed_them(shop: Shop) -> None:
    charge = Charge(shop)
    shop.work()
    old = charge.actor.send_with_options(
        args=(["o-1"],), kwargs={"password": "tulip-7"}, max_age=60_000
    )
    shop.data(old.message_id, Kind.FAILED)
    new = shop.act("retry", TaskRef(old.message_id, "charge", "default", "failed")).task_id
    told = shop.data(new, Kind.FAILED)
    assert [password for _, password in charge.told] == ["tulip-7", "tulip-7"]
    assert charge.told[1][0] == ["o-1", "changed by the task"], "once, by the second run"
    assert shop.data(new, Kind.STARTED)["retried_from"] == old.message_id
    assert new != old.message_id
    assert told["exception"]["message"] == "declined"


def test_a_retry_from_the_seal(shop: Shop) -> None:
    charge = Charge(shop)
    old = charge.actor.send("o-9", password="tulip-9")
    shop.work()
    shop.data(old.message_id, Kind.FAILED)
    kept = shop.engine._capture.kept.get(old.message_id)  # type: ignore[attr-defined]
    sealed = TaskRef("elsewhere", "charge", "default", "failed", sealed=kept)
    shop.data(shop.act("retry", sealed).task_id, Kind.FAILED)
    assert charge.told == [("o-9", "tulip-9")] * 2
    with pytest.raises(ActionError, match="cannot be read"):
        shop.act("retry", TaskRef("elsewhere", "charge", sealed=b"\xc1 not a message"))


def test_a_retry_from_the_record_and_a_refusal(shop: Shop) -> None:
    charge = Charge(shop)
    shop.work()
    shop.data(shop.act("retry", FAILED, delay_s=0.02).task_id, Kind.FAILED)
    edited = shop.act("retry_edited", UNKNOWN, args=["o-2"], kwargs={"password": "p"}).task_id
    shop.data(edited, Kind.FAILED)
    assert charge.told == [("o-1", ""), ("o-2", "p")]
    with pytest.raises(ActionError, match="real arguments"):
        shop.act("retry", UNKNOWN)


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"queue": "nowhere"}, "No actor"),
        ({"delay_s": -1}, "delay_s"),
        ({"delay_s": 1e9}, "delay_s"),
    ],
)
def test_a_retry_that_would_come_to_nothing(shop: Shop, params: Any, why: str) -> None:
    Charge(shop)
    with pytest.raises(ActionError, match=why):
        shop.act("retry", FAILED, **params)
    with pytest.raises(ActionError, match="knows no actor"):
        shop.act("retry", TaskRef("old", "forgotten", exact=True))


def test_a_cancelled_task_never_starts_in_any_process(shop: Shop) -> None:
    """A new memory stands for another process, which was not asked."""
    ran: list[int] = []
    actor = shop.actor(ran.append, actor_name="append")
    ids = [actor.send(number).message_id for number in range(2)]
    answer = shop.act("cancel", TaskRef(ids[0], "append"))
    assert "Every worker" in answer.outcome
    shop.engine._capture.cancelled = Cancelled()  # type: ignore[attr-defined]
    shop.work()
    shop.data(ids[1], Kind.SUCCEEDED)
    assert "cancelled" in shop.data(ids[0], Kind.CANCELLED)["reason"]
    assert shop.kinds(ids[0]) == once("published", "cancelled")
    assert ran == [1]


def test_a_running_task_is_not_cancelled(shop: Shop) -> None:
    go: list[int] = []
    actor = shop.actor(lambda: wait(lambda: go), actor_name="hold")
    shop.work()
    task_id = actor.send().message_id
    shop.data(task_id, Kind.STARTED)
    wait(lambda: task_id in shop.engine._capture.running)  # type: ignore[attr-defined]
    with pytest.raises(ActionError, match="begun to run"):
        shop.act("cancel", TaskRef(task_id, "hold"))
    assert _verdict(shop, task_id) is Verdict.ALIVE
    go.append(1)
    shop.data(task_id, Kind.SUCCEEDED)


def test_without_a_place_to_share_only_what_is_held_is_cancelled(stub_shop: Shop) -> None:
    actor = stub_shop.actor(lambda: None, actor_name="later")
    with pytest.raises(ActionError, match="no place"):
        stub_shop.act("cancel", TaskRef("somewhere", "later"))
    stub_shop.work()
    task_id = actor.send_with_options(delay=1_500).message_id
    stub_shop.data(task_id, Kind.RECEIVED)
    wait(lambda: _verdict(stub_shop, task_id) is Verdict.ALIVE)
    assert "holds the task" in stub_shop.act("cancel", TaskRef(task_id, "later")).outcome
    stub_shop.data(task_id, Kind.CANCELLED)
    assert stub_shop.kinds(task_id) == once("published", "received", "cancelled")


def test_a_purge_deletes_what_waits_and_tells_it(shop: Shop) -> None:
    """Trap 12: what a worker holds until it is due survives in its memory, and would run."""
    ran: list[int] = []
    actor = shop.actor(ran.append, actor_name="append")
    letter = Charge(shop).actor
    worker = shop.work(1)
    shop.data(letter.send("dead").message_id, Kind.FAILED)
    worker.consumers["default"].pause()
    assert worker.consumers["default"].paused_event.wait(60)
    held = actor.send_with_options(args=(1,), delay=1_000).message_id
    shop.data(held, Kind.RECEIVED)
    waiting = [actor.send(number).message_id for number in range(700)]
    answer = shop.act("purge", "default")
    assert (answer.deleted, answer.held) == (700, 1)
    for task_id in (waiting[0], waiting[-1]):
        assert "purged" in shop.data(task_id, Kind.CANCELLED)["reason"]
    worker.consumers["default"].resume()
    shop.data(held, Kind.CANCELLED)
    assert ran == []
    assert shop.act("list_dead_letters", "default").total == 1
    assert shop.broker.do_qsize("default") == 0


def test_a_queue_that_nobody_uses_is_not_purged(shop: Shop) -> None:
    Charge(shop)
    for queue in ("nowhere", "default.XQ", "default.DQ"):
        with pytest.raises(ActionError, match="queue"):
            shop.act("purge", queue)


def test_dead_letters_get_one_more_attempt(shop: Shop) -> None:
    charge = Charge(shop)
    shop.work()
    ids = [charge.actor.send(number).message_id for number in range(3)]
    for task_id in ids:
        shop.data(task_id, Kind.FAILED)
    listed = shop.act("list_dead_letters", "default", limit=2)
    assert (listed.total, len(listed.letters)) == (3, 2)
    assert {letter.name for letter in listed.letters} == {"charge"}
    assert all(abs(letter.died_at / 1e6 - time.time()) < 600 for letter in listed.letters)
    answer = shop.act("requeue_dead_letters", "default", task_ids=[ids[1], "unknown"])
    assert answer.requeued == 1
    assert answer.left in (2, 3), "the requeued one may be dead again"
    shop.data(ids[1], Kind.FAILED, attempt=1)
    again = once("published", "started", "failed", attempt=1)
    assert shop.kinds(ids[1]) == once("published", "started", "failed") + again
    wait(lambda: shop.act("list_dead_letters", "default").total == 3)
    assert shop.act("requeue_dead_letters", "default", limit=2).requeued == 2


def test_a_paused_queue_rests_until_it_is_resumed(shop: Shop) -> None:
    actor = shop.actor(lambda: None, actor_name="nothing")
    worker = shop.work(1)
    shop.act("pause_queue", queue="default")
    wait(lambda: shop.act("pause_queue", queue="default").is_resting)
    task_id = actor.send().message_id
    assert worker.consumers["default"].paused
    assert shop.broker.client.llen("dramatiq:default") == 1
    depth = next(iter(shop.engine.queue_depths(shop.engine.brokers()[0].id, ["default"]).values()))
    assert (depth.waiting, depth.oldest_at) == (1, shop.host.of_task(task_id)[0].occurred_at)
    assert _verdict(shop, task_id) is Verdict.ALIVE
    shop.act("resume_queue", queue="default")
    shop.data(task_id, Kind.SUCCEEDED)
    with pytest.raises(ActionError, match="does not consume"):
        shop.act("pause_queue", queue="nowhere")


def _verdict(shop: Shop, task_id: str) -> Verdict:
    return Verdict(shop.act("probe", tasks=[{"task_id": task_id}]).verdicts[0])


def test_what_cannot_be_done_is_not_offered(stub_shop: Shop) -> None:
    absent = {one.name: one.absent for one in stub_shop.engine.info().actions if one.absent}
    assert set(absent) >= {"retry", "purge", "terminate"}, "no broker is in use yet"
    stub_shop.actor(lambda: None, actor_name="nothing")
    absent = {one.name: one.absent for one in stub_shop.engine.info().actions if one.absent}
    assert set(absent) == {
        "terminate", "pause_queue", "resume_queue", "list_dead_letters", "requeue_dead_letters"
    }  # fmt: skip
    stub_shop.work()
    absent = {one.name: one.absent for one in stub_shop.engine.info().actions if one.absent}
    assert set(absent) == {"list_dead_letters", "requeue_dead_letters"}
