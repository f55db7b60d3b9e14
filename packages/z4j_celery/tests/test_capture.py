"""Each fact of a task's life is reported once, by real workers of three pools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from harness import Worker, wait

ClientOf = Callable[[Worker], Celery]
StartWorker = Callable[..., Worker]
SLACK_US = 500_000
"""Celery computes the time of a start from two clocks, between which the system may pause it."""


def send(app: Celery, name: str, *args: Any, **options: Any) -> str:
    return str(app.send_task(f"celery_shop.{name}", args=args, **options).id)


def once(*kinds: str, attempt: int = 0) -> Counter[tuple[str, int]]:
    return Counter((kind, attempt) for kind in kinds)


def test_a_success_is_told_once_with_all_its_facts(any_pool: Worker, client_of: ClientOf) -> None:
    app = client_of(any_pool)
    task_id = send(
        app, "add", 2, 3, priority=4, headers={"z4j_published_at": 1_700_000_000_000_001}
    )
    end = any_pool.record.wait_for(task_id, "succeeded")
    assert any_pool.record.kinds(task_id) == once("received", "started", "succeeded")
    received, started, _ = any_pool.record.events(task_id)
    assert (received["name"], received["queue"]) == ("celery_shop.add", "shop")
    assert (received["data"]["args"], received["data"]["kwargs"]) == ([2, 3], {})
    assert received["data"]["exact"] is True
    assert received["data"]["priority"] == 4
    assert received["data"]["root_id"] == task_id
    for event in (received, started):
        assert event["data"]["published_at"] == 1_700_000_000_000_001
    assert end["data"]["result"] == 5
    assert 0 <= end["data"]["run_us"] < 20_000_000
    assert received["at"] <= started["at"] + SLACK_US <= end["at"] + 2 * SLACK_US
    is_child = started["data"]["pid"] != any_pool.process.pid
    assert is_child == ("prefork" in any_pool.process.args)  # type: ignore[operator]


def test_a_failure_has_type_message_traceback(any_pool: Worker, client_of: ClientOf) -> None:
    task_id = send(client_of(any_pool), "fail", "no stock")
    end = any_pool.record.wait_for(task_id, "failed")
    assert any_pool.record.kinds(task_id) == once("received", "started", "failed")
    assert end["data"]["exception"] == {"type": "ValueError", "message": "no stock"}
    assert "raise ValueError(message)" in end["data"]["traceback"]
    assert end["data"]["run_us"] >= 0


def test_an_exception_that_cannot_be_pickled_keeps_its_name(
    any_pool: Worker, client_of: ClientOf
) -> None:
    task_id = send(client_of(any_pool), "quota")
    end = any_pool.record.wait_for(task_id, "failed")
    assert end["data"]["exception"]["type"] == "Quota"
    assert "anna" in end["data"]["exception"]["message"]


def test_each_attempt_of_a_retried_task_is_told_once(any_pool: Worker, client_of: ClientOf) -> None:
    task_id = send(client_of(any_pool), "flaky", 2)
    any_pool.record.wait_for(task_id, "succeeded", attempt=2)
    again = once("published", "received", "started", "retried", attempt=1)
    last = once("published", "received", "started", "succeeded", attempt=2)
    expected = once("received", "started", "retried") + again + last
    wait(
        lambda: any_pool.record.kinds(task_id) == expected,
        lambda: str(any_pool.record.kinds(task_id)),
    )
    retried = any_pool.record.wait_for(task_id, "retried")
    assert retried["data"]["exception"] == {"type": "KeyError", "message": "'k'"}
    published = any_pool.record.wait_for(task_id, "published", attempt=1)
    assert abs(published["data"]["eta"] - retried["data"]["retry_at"]) < 20_000_000
    received = any_pool.record.wait_for(task_id, "received", attempt=1)
    assert received["data"]["published_at"] == published["at"]


def test_a_muted_task_and_one_with_its_own_request_class_are_heard(
    any_pool: Worker, client_of: ClientOf
) -> None:
    for name in ("muted", "own_request"):
        task_id = send(client_of(any_pool), name)
        any_pool.record.wait_for(task_id, "succeeded")
        assert any_pool.record.kinds(task_id) == once("received", "started", "succeeded")


def test_ignore_has_an_end(any_pool: Worker, client_of: ClientOf) -> None:
    """Trap 6."""
    task_id = send(client_of(any_pool), "ignore")
    end = any_pool.record.wait_for(task_id, "rejected")
    assert "Ignore" in end["data"]["reason"]
    assert any_pool.record.kinds(task_id) == once("received", "started", "rejected")


@pytest.mark.parametrize("name", ["reject", "reject_late", "requeue_early"])
def test_a_rejected_message_has_one_end(any_pool: Worker, client_of: ClientOf, name: str) -> None:
    task_id = send(client_of(any_pool), name)
    end = any_pool.record.wait_for(task_id, "rejected")
    assert "Reject" in end["data"]["reason"]
    assert any_pool.record.kinds(task_id) == once("received", "started", "rejected")


def test_a_requeued_message_is_told_for_each_delivery(
    any_pool: Worker, client_of: ClientOf, tmp_path: Path
) -> None:
    task_id = send(client_of(any_pool), "requeue_once", str(tmp_path / "flag"))
    any_pool.record.wait_for(task_id, "succeeded")
    # Told by the thread that ran it first, while another may have run it again already.
    any_pool.record.wait_for(task_id, "retried")
    assert any_pool.record.kinds(task_id) == Counter(
        {("received", 0): 2, ("started", 0): 2, ("retried", 0): 1, ("succeeded", 0): 1}
    )
    received = [one for one in any_pool.record.events(task_id) if one["kind"] == "received"]
    assert [one["data"].get("redelivered") for one in received] == [None, True]


def test_a_replaced_task_goes_on_under_its_id(any_pool: Worker, client_of: ClientOf) -> None:
    task_id = send(client_of(any_pool), "replace")
    end = any_pool.record.wait_for(task_id, "succeeded")
    assert end["data"]["result"] == 42
    # The new run may end before the worker has heard that the first one ended.
    any_pool.record.wait_for(task_id, "retried")
    kinds = any_pool.record.kinds(task_id)
    assert (kinds["published", 0], kinds["retried", 0], kinds["succeeded", 0]) == (1, 1, 1)


def test_an_unknown_task_is_rejected(any_pool: Worker, client_of: ClientOf) -> None:
    task_id = send(client_of(any_pool), "nothing")
    end = any_pool.record.wait_for(task_id, "rejected")
    assert end["data"]["exception"]["type"] == "NotRegistered"
    assert end["name"] == "celery_shop.nothing"
    assert any_pool.record.kinds(task_id) == once("rejected")


def test_an_expired_task_is_cancelled(any_pool: Worker, client_of: ClientOf) -> None:
    task_id = send(client_of(any_pool), "add", 1, 1, expires=-5)
    end = any_pool.record.wait_for(task_id, "cancelled")
    assert "expired" in end["data"]["reason"]
    assert end["name"] == "celery_shop.add"
    assert any_pool.record.kinds(task_id) == once("received", "cancelled")


def test_secrets_do_not_pass(any_pool: Worker, client_of: ClientOf) -> None:
    app = client_of(any_pool)
    sent = app.send_task(
        "celery_shop.echo", args=[{"password": "tulip-7-mountain"}], kwargs={"api_key": "k-9912-zz"}
    )
    any_pool.record.wait_for(sent.id, "succeeded")
    told = str(any_pool.record.events(sent.id))
    assert "tulip-7" not in told
    assert "k-9912" not in told


def test_a_hard_time_limit_is_one_failure(prefork: Worker, client_of: ClientOf) -> None:
    """Trap 5."""
    task_id = send(client_of(prefork), "hard_limit")
    end = prefork.record.wait_for(task_id, "failed")
    assert end["data"]["exception"]["type"] == "TimeLimitExceeded"
    # A task on the same worker comes after whatever else the limit brings.
    after = send(client_of(prefork), "sleep", 1)
    prefork.record.wait_for(after, "succeeded")
    assert prefork.record.kinds(task_id) == once("received", "started", "failed")


def test_a_soft_time_limit_is_a_failure(prefork: Worker, client_of: ClientOf) -> None:
    task_id = send(client_of(prefork), "soft_limit")
    end = prefork.record.wait_for(task_id, "failed")
    assert end["data"]["exception"]["type"] == "SoftTimeLimitExceeded"
    assert prefork.record.kinds(task_id) == once("received", "started", "failed")


def test_a_lost_process_shows_its_exception(prefork: Worker, client_of: ClientOf) -> None:
    """Trap 7."""
    task_id = send(client_of(prefork), "killed")
    end = prefork.record.wait_for(task_id, "failed")
    assert end["data"]["exception"]["type"] == "WorkerLostError"
    assert "exit" in end["data"]["exception"]["message"]
    assert prefork.record.kinds(task_id) == once("received", "started", "failed")


def test_a_lost_process_whose_message_is_given_back(
    prefork: Worker, client_of: ClientOf, tmp_path: Path
) -> None:
    task_id = send(client_of(prefork), "killed_once", str(tmp_path / "flag"))
    prefork.record.wait_for(task_id, "succeeded")
    kinds = prefork.record.kinds(task_id)
    assert kinds["retried", 0] == kinds["succeeded", 0] == 1
    assert kinds["received", 0] == kinds["started", 0] == 2
    retried = prefork.record.wait_for(task_id, "retried")
    assert retried["data"]["exception"]["type"] == "WorkerLostError"


def test_children_tell_what_they_publish(prefork: Worker, client_of: ClientOf) -> None:
    """Trap 11: what a forked child publishes is told, and by the child."""
    parent = send(client_of(prefork), "spawn", 1)
    child = prefork.record.wait_for(parent, "succeeded")["data"]["result"]
    prefork.record.wait_for(child, "succeeded")
    assert prefork.record.kinds(child) == once("published", "received", "started", "succeeded")
    published = prefork.record.wait_for(child, "published")
    assert published["pid"] != prefork.process.pid
    assert published["data"]["parent_id"] == parent
    assert published["data"]["root_id"] == parent
    assert prefork.record.calls() == [("open_relay", None), ("ensure_started", "worker")]


def test_all_parts_of_a_chord_are_told(prefork: Worker, client_of: ClientOf) -> None:
    parent = send(client_of(prefork), "add_up", 3)
    body = prefork.record.wait_for(parent, "succeeded")["data"]["result"]
    assert prefork.record.wait_for(body, "succeeded")["data"]["result"] == 6
    whole = once("published", "received", "started", "succeeded")
    # The child that published it, at the end of the last part, may tell so after it has run.
    prefork.record.wait_for(body, "published")
    assert prefork.record.kinds(body) == whole
    published = [line for line in prefork.record.lines() if line.get("kind") == "published"]
    children = [line for line in published if line["data"].get("parent_id") == parent]
    parts = {line["id"]: line["data"]["group_id"] for line in children if line["id"] != body}
    assert len(parts) == 3
    assert len(set(parts.values())) == 1
    for part in parts:  # the last one has told the body's end before its own
        prefork.record.wait_for(part, "succeeded")
        assert prefork.record.kinds(part) == whole
