"""What can be done with Dramatiq's tasks, queues and workers is clicked, and Redis shows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis

from clicking import Hand, eventually
from dramatiq_worker import DramatiqShop
from server import Client

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


@pytest.fixture
def shop(dramatiq_shop: DramatiqShop) -> DramatiqShop:
    return dramatiq_shop


@pytest.fixture
def letters(redis_url: str) -> Iterator[Letters]:
    with redis.Redis.from_url(redis_url) as client:
        yield Letters(client)


class Letters:
    """What Dramatiq keeps of its default queue."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def waiting(self) -> set[str]:
        """Return the messages that no worker has taken yet."""
        ids = self._client.lrange("dramatiq:default", 0, -1)
        return self._read("dramatiq:default.msgs", ids)

    def dead(self) -> set[str]:
        """Return the messages that were given up."""
        ids = self._client.zrange("dramatiq:default.XQ", 0, -1)
        return self._read("dramatiq:default.XQ.msgs", ids)

    def _read(self, key: str, ids: list[bytes]) -> set[str]:
        found = self._client.hmget(key, ids) if ids else []
        return {msgspec.json.decode(one)["message_id"] for one in found if one is not None}


def test_every_action(
    hand: Hand, client: Client, shop: DramatiqShop, letters: Letters, tmp_path: Path
) -> None:
    shop.start_worker("w1", "-p", "1")
    never = str(tmp_path / "never")
    failed, held = shop.publish(f"print(work.send(7).message_id, hold.send({never!r}).message_id)")
    client.task(failed, "failed", engine="dramatiq")
    run_it_again(hand, shop, letters, failed)
    terminate_a_task(hand, client, shop, letters, held)
    rest(hand)
    purge_what_waits(hand, shop, letters)
    cancel_what_waits(hand, client, shop, letters)


def run_it_again(hand: Hand, shop: DramatiqShop, letters: Letters, failed: str) -> None:
    again = hand.do("dramatiq", "retry", failed)["task_id"]
    other = hand.do("dramatiq", "retry_edited", failed, args="[8]")["task_id"]
    eventually(lambda: shop.truth()["succeeded", other, 0] == 1, "8 does not fail")
    eventually(lambda: letters.dead() == {failed, again}, "7 fails again")
    listed = hand.do("dramatiq", "list_dead_letters", "default")
    assert {one["task_id"] for one in listed["letters"]} == letters.dead()
    hand.do("dramatiq", "requeue_dead_letters", "default", task_ids=f'["{failed}"]')
    eventually(lambda: shop.truth()["failed", failed, 1] == 1, "it has one more attempt")
    assert shop.truth()["failed", again, 1] == 0


def terminate_a_task(
    hand: Hand, client: Client, shop: DramatiqShop, letters: Letters, held: str
) -> None:
    client.task(held, "running", engine="dramatiq")
    hand.do("dramatiq", "terminate", held)
    eventually(lambda: held in letters.dead(), "its message is a dead letter")
    assert shop.truth()["started", held, 0] == 1


def rest(hand: Hand) -> None:
    """Pause the queue; the worker may still be asking the broker for messages."""
    worker = hand.worker()["id"]

    def is_resting() -> bool:
        told = hand.do("dramatiq", "pause_queue", worker, queue="default")
        return bool(told["is_resting"])

    eventually(is_resting, "the worker does not come to rest")


def purge_what_waits(hand: Hand, shop: DramatiqShop, letters: Letters) -> None:
    first, second = shop.publish("print(work.send(1).message_id, work.send(2).message_id)")
    assert letters.waiting() == {first, second}
    assert hand.do("dramatiq", "purge", "default")["deleted"] == 2
    assert letters.waiting() == set()


def cancel_what_waits(hand: Hand, client: Client, shop: DramatiqShop, letters: Letters) -> None:
    """What was published after the cancelled task runs, it does not."""
    waiting, last = shop.publish("print(work.send(1).message_id, work.send(8).message_id)")
    client.task(waiting, "queued", engine="dramatiq")
    hand.do("dramatiq", "cancel", waiting)
    assert letters.waiting() == {waiting, last}
    hand.do("dramatiq", "resume_queue", hand.worker()["id"], queue="default")
    eventually(lambda: shop.truth()["succeeded", last, 0] == 1, "the last one runs")
    client.task(waiting, "cancelled", engine="dramatiq")
    assert letters.waiting() == set()
    assert shop.truth()["started", waiting, 0] == 0
