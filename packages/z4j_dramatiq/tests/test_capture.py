"""What happens to messages is told once, with the truth about their ends."""

from __future__ import annotations

import os
import time
from typing import Any

import dramatiq
import pytest
from dramatiq.middleware import AsyncIO, GroupCallbacks, Middleware
from dramatiq.rate_limits.backends.stub import StubBackend
from dramatiq_stand import Shop, once, wait

from z4j_core.events import Kind
from z4j_core.testing.host import data_of


def nothing(*_: Any, **__: Any) -> None:
    """Does nothing."""


def test_a_success_has_all_its_facts(shop: Shop) -> None:
    shop.work()
    actor = shop.actor(lambda one, two: one + two, actor_name="add")
    before = time.time_ns() // 1000
    task_id = actor.send(2, two=3).message_id
    end = shop.data(task_id, Kind.SUCCEEDED)
    assert shop.kinds(task_id) == once("published", "started", "succeeded")
    published, started, _ = shop.host.of_task(task_id)
    assert (started.name, started.queue, started.attempt) == ("add", "default", 0)
    told = data_of(started)
    assert (told["args"], told["kwargs"], told["exact"]) == ([2], {"two": 3}, True)
    assert (told["root_id"], told["pid"]) == (task_id, os.getpid())
    assert before <= told["published_at"] == published.occurred_at <= started.occurred_at
    assert (end["result"], end["run_us"] >= 0) == (5, True)


def test_positional_secrets_are_known_by_the_names_of_parameters(stub_shop: Shop) -> None:
    def sign_in(user: str, password: str) -> None:
        """Takes a secret."""

    task_id = stub_shop.actor(sign_in).send("ada", "tulip-7").message_id
    assert b"tulip-7" not in stub_shop.host.wait_for(task_id, Kind.PUBLISHED).payload


def test_the_final_failure_is_one_and_no_retry(stub_shop: Shop) -> None:
    """Trap 8."""

    def fail() -> None:
        raise ValueError("no stock")

    stub_shop.work()
    task_id = stub_shop.actor(fail, max_retries=0).send().message_id
    end = stub_shop.data(task_id, Kind.FAILED)
    assert stub_shop.kinds(task_id) == once("published", "started", "failed")
    assert end["exception"] == {"type": "ValueError", "message": "no stock"}
    assert 'raise ValueError("no stock")' in end["traceback"]
    assert "dead letter" in end["reason"]


def test_each_attempt_is_told_with_its_reason_and_time(shop: Shop) -> None:
    left = [2]

    def flaky() -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise KeyError("k")

    shop.work()
    task_id = shop.actor(flaky, max_retries=5).send().message_id
    shop.data(task_id, Kind.SUCCEEDED, attempt=2)
    again = ("published", "received", "started")
    expected = once("published", "started", "retried") + once(*again, "retried", attempt=1)
    assert shop.kinds(task_id) == expected + once(*again, "succeeded", attempt=2)
    retried = shop.data(task_id, Kind.RETRIED)
    assert retried["exception"]["type"] == "KeyError"
    published = shop.data(task_id, Kind.PUBLISHED, attempt=1)
    assert retried["retry_at"] == published["eta"]
    assert shop.data(task_id, Kind.STARTED, attempt=1)["eta"] == published["eta"]


def test_a_delayed_message_ends_once(shop: Shop) -> None:
    """Trap 9: it is enqueued twice and acknowledged twice."""
    shop.work()
    actor = shop.actor(nothing, actor_name="later")
    task_id = actor.send_with_options(delay=50).message_id
    shop.data(task_id, Kind.SUCCEEDED)
    assert shop.kinds(task_id) == once("published", "received", "started", "succeeded")
    published, received, started, _ = shop.host.of_task(task_id)
    assert {one.queue for one in (published, received, started)} == {"default"}
    eta = data_of(published)["eta"]
    assert data_of(received)["eta"] == data_of(started)["eta"] == eta
    assert started.occurred_at >= eta


def test_a_delayed_message_of_a_publisher_without_z4j_is_not_published_here(shop: Shop) -> None:
    actor = shop.actor(nothing, actor_name="foreign")
    message = actor.message()
    ours, shop.broker.middleware = shop.broker.middleware, shop.broker.middleware[1:-1]
    shop.broker.enqueue(message, delay=20)
    shop.broker.middleware = ours
    shop.work()
    shop.data(message.message_id, Kind.SUCCEEDED)
    assert shop.kinds(message.message_id) == once("received", "started", "succeeded")
    assert "published_at" not in shop.data(message.message_id, Kind.STARTED)


def test_an_unknown_actor_is_rejected(shop: Shop) -> None:
    message = shop.actor(nothing, actor_name="known").message()
    shop.broker.enqueue(message.copy(actor_name="forgotten"))
    shop.work()
    told = shop.data(message.message_id, Kind.REJECTED)
    assert shop.kinds(message.message_id) == once("published", "rejected")
    assert (told["exception"]["type"], "no actor" in told["reason"]) == ("ActorNotFound", True)


def test_a_message_that_is_too_old_is_cancelled(stub_shop: Shop) -> None:
    actor = stub_shop.actor(nothing, actor_name="old", max_age=1)
    message = actor.message()
    stub_shop.broker.enqueue(message.copy(message_timestamp=message.message_timestamp - 1000))
    stub_shop.work()
    told = stub_shop.data(message.message_id, Kind.CANCELLED)
    assert "age limit" in told["reason"]
    assert stub_shop.kinds(message.message_id) == once("published", "cancelled")


def test_a_message_that_a_middleware_failed_did_not_run(stub_shop: Shop) -> None:
    class Refusing(Middleware):
        def before_process_message(self, broker: Any, message: Any) -> None:
            message.fail()

    stub_shop.broker.add_middleware(Refusing())
    task_id = stub_shop.actor(nothing, actor_name="refused").send().message_id
    stub_shop.work()
    stub_shop.data(task_id, Kind.REJECTED)
    assert stub_shop.kinds(task_id) == once("published", "rejected")


def test_without_the_middleware_retries_a_failure_is_final(stub_shop: Shop) -> None:
    def fail() -> None:
        raise ValueError("once")

    kept = [one for one in stub_shop.broker.middleware if type(one).__name__ != "Retries"]
    stub_shop.broker.middleware = kept
    stub_shop.work()
    declare: Any = dramatiq.actor
    task_id = declare(fail, broker=stub_shop.broker).send().message_id
    assert "no dead letter" in stub_shop.data(task_id, Kind.FAILED)["reason"]


def test_a_pipeline_is_a_chain_of_parents(stub_shop: Shop) -> None:
    stub_shop.work()
    step = stub_shop.actor(lambda number=0: number + 1, actor_name="step")
    pipe = dramatiq.pipeline([step.message(1), step.message(), step.message()])
    pipe.run()
    first, second, third = (message.message_id for message in pipe.messages)
    assert stub_shop.data(third, Kind.SUCCEEDED)["result"] == 4
    told = [stub_shop.data(one, Kind.STARTED) for one in (first, second, third)]
    assert [one.get("parent_id") for one in told] == [None, first, second]
    assert [one["root_id"] for one in told] == [first, first, first]


@pytest.mark.parametrize("has_callback", [False, True])
def test_a_group_has_an_id_and_its_callback_a_parent(stub_shop: Shop, has_callback: bool) -> None:
    stub_shop.broker.add_middleware(GroupCallbacks(StubBackend()))
    part = stub_shop.actor(nothing, actor_name="part")
    group = dramatiq.group([part.message(one) for one in range(3)])
    callback = stub_shop.actor(nothing, actor_name="callback").message()
    if has_callback:
        group.add_completion_callback(callback)
    group.run()
    alone = part.send().message_id
    stub_shop.work()
    ids = [message.message_id for message in group.children]
    groups = {stub_shop.data(one, Kind.SUCCEEDED) and _group(stub_shop, one) for one in ids}
    assert len(groups) == 1
    assert None not in groups
    stub_shop.data(alone, Kind.SUCCEEDED)
    assert _group(stub_shop, alone) is None
    if has_callback:
        stub_shop.data(callback.message_id, Kind.SUCCEEDED)
        assert stub_shop.data(callback.message_id, Kind.STARTED)["parent_id"] in ids


def _group(shop: Shop, task_id: str) -> Any:
    return shop.data(task_id, Kind.STARTED).get("group_id")


def test_what_a_task_publishes_is_its_child(stub_shop: Shop) -> None:
    child = stub_shop.actor(nothing, actor_name="child")
    sent: list[str] = []
    parent = stub_shop.actor(lambda: sent.append(child.send().message_id), actor_name="parent")
    stub_shop.work()
    parent_id = parent.send().message_id
    stub_shop.data(parent_id, Kind.SUCCEEDED)
    told = stub_shop.data(sent[0], Kind.PUBLISHED)
    assert (told["parent_id"], told["root_id"]) == (parent_id, parent_id)


@pytest.mark.parametrize(
    "forged",
    ["text", [1], {"published_at": "now", "eta": -1, "parent_id": 7, "root_id": "x" * 999}],
)
def test_forged_marks_are_left_out(stub_shop: Shop, forged: Any) -> None:
    message = stub_shop.actor(nothing, actor_name="forged").message()
    message.options["z4j"] = forged
    stub_shop.broker.queues["default"].put(message.encode())
    stub_shop.work()
    told = stub_shop.data(message.message_id, Kind.STARTED)
    assert not {"published_at", "eta", "parent_id", "root_id"} & set(told)


def test_middlewares_keep_their_places_whoever_comes_later(stub_shop: Shop) -> None:
    stub_shop.broker.add_middleware(GroupCallbacks(StubBackend()))
    stub_shop.broker.middleware.insert(0, stub_shop.broker.middleware.pop())
    stub_shop.work()
    names = [type(one).__name__ for one in stub_shop.broker.middleware]
    assert names[0] == "Late"
    assert [name for name in names if name != "_WorkerMiddleware"][-1] == "Early"
    wait(lambda: ("worker", None) in stub_shop.host.started)


def test_a_coroutine_has_children_too(stub_shop: Shop) -> None:
    stub_shop.broker.add_middleware(AsyncIO())
    child = stub_shop.actor(nothing, actor_name="child")

    async def parent() -> str:
        return str(child.send().message_id)

    stub_shop.work()
    parent_id = stub_shop.actor(parent).send().message_id
    child_id = stub_shop.data(parent_id, Kind.SUCCEEDED)["result"]
    assert stub_shop.data(child_id, Kind.PUBLISHED)["parent_id"] == parent_id
