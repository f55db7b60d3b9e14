"""What is otherwise on RabbitMQ: queues of the server's own, and dead letters in order."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from dramatiq_stand import Shop, once, wait

from z4j_core.capability import ActionError
from z4j_core.events import Kind
from z4j_core.frames import TaskRef
from z4j_core.plugins import Depth, Verdict


def fail(number: int) -> None:
    """Fails."""
    raise ValueError(str(number))


def test_dead_letters_are_listed_and_requeued_in_their_order(rabbit_shop: Shop) -> None:
    shop = rabbit_shop
    actor = shop.actor(fail)
    shop.work(1)
    ids = []
    for number in range(3):
        ids.append(actor.send(number).message_id)
        shop.data(ids[-1], Kind.FAILED)
    wait(lambda: shop.act("list_dead_letters", "default").total == 3)
    for _ in range(2):  # to look changes nothing
        listed = shop.act("list_dead_letters", "default", limit=2)
        assert (listed.total, [one.task_id for one in listed.letters]) == (3, ids[:2])
    with pytest.raises(ActionError, match="in their order"):
        shop.act("requeue_dead_letters", "default", task_ids=[ids[2]])
    answer = shop.act("requeue_dead_letters", "default", limit=1)
    assert answer.requeued == 1
    assert answer.left in (2, 3), "the requeued one may be dead again"
    shop.data(ids[0], Kind.FAILED, attempt=1)
    again = once("published", "started", "failed", attempt=1)
    assert shop.kinds(ids[0]) == once("published", "started", "failed") + again


def test_purge_depth_and_retry(rabbit_shop: Shop) -> None:
    shop = rabbit_shop
    actor = shop.actor(fail)
    for number in range(5):
        actor.send(number)
    actor.send_with_options(args=(5,), delay=60_000)
    (broker,) = shop.engine.brokers()
    assert (broker.transport, broker.queues) == ("rabbitmq", ["default", "default.XQ"])

    def ask() -> Mapping[str, Depth]:
        return shop.engine.queue_depths(broker.id, ["default", "unknown"])

    wait(lambda: ask()["default"].waiting == 6, lambda: str(ask()))
    assert set(ask()) == {"default"}
    assert shop.act("purge", "default").deleted == 6
    assert ask()["default"].waiting == 0
    task = TaskRef("old", "fail", "default", "failed", args="[7]", kwargs="{}", exact=True)
    new = shop.act("retry", task).task_id
    assert not hasattr(shop.broker.state, "connection"), "nobody answers its heartbeats"
    actor.send(1)
    shop.work(1)
    assert shop.data(new, Kind.FAILED)["exception"]["message"] == "7"


def test_a_cancel_reaches_only_what_this_process_holds(rabbit_shop: Shop) -> None:
    shop = rabbit_shop
    actor = shop.actor(fail)
    shop.work(1)
    task_id = actor.send_with_options(args=(1,), delay=1_000).message_id
    shop.data(task_id, Kind.RECEIVED)
    probe = shop.act("probe", tasks=[{"task_id": task_id}, {"task_id": "elsewhere"}])
    assert probe.verdicts == [Verdict.ALIVE, Verdict.UNANSWERED]
    with pytest.raises(ActionError, match="no place"):
        shop.act("cancel", TaskRef("elsewhere", "fail"))
    shop.act("cancel", TaskRef(task_id, "fail"))
    shop.data(task_id, Kind.CANCELLED)
    assert shop.kinds(task_id) == once("published", "received", "cancelled")
