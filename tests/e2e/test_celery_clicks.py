"""What can be done with Celery's tasks and queues is clicked, and Celery shows the effect."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from celery_worker import Shop
from clicking import Hand, eventually
from server import Client

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


def test_every_action_on_tasks_and_queues(
    hand: Hand, client: Client, shop: Shop, tmp_path: Path
) -> None:
    process = shop.start_worker("w1", "--autoscale=3,2")
    never = tmp_path / "never"
    failed, held, *_ = shop.publish(
        f"print(work.delay(7).id, hold.delay({str(never)!r}).id)\n"
        "for n in range(2): work.apply_async((n,), queue='parked')"
    )
    client.task(failed, "failed")
    again = hand.do("celery", "retry", failed)["task_id"]
    other = hand.do("celery", "retry_edited", failed, args="[8]")["task_id"]
    eventually(lambda: shop.truth()["succeeded", other, 0] == 1, "8 does not fail")
    eventually(lambda: shop.truth()["failed", again, 0] == 1, "7 fails again")
    purge_a_queue(hand, shop)
    terminate_a_task(hand, client, held, never)
    hand.do("celery", "autoscale", hand.worker()["id"], max="1", min="1")
    eventually(lambda: len(shop.children(process)) == 1, "one process is left")
    cancel_a_task(hand, client, shop, tmp_path / "gate")


def purge_a_queue(hand: Hand, shop: Shop) -> None:
    with redis.Redis.from_url(shop.redis_url) as broker:
        assert broker.llen("parked") == 2
        assert hand.do("celery", "purge", "parked") == {"deleted": 2}
        assert broker.llen("parked") == 0


def terminate_a_task(hand: Hand, client: Client, held: str, gate: Path) -> None:
    """The process that runs it is gone."""
    client.task(held, "running")
    told = Path(f"{gate}.pid")
    eventually(lambda: told.exists() and told.read_text(), "it tells its process")
    process = Path("/proc", told.read_text())
    assert process.exists()
    hand.do("celery", "terminate", held)
    eventually(lambda: not process.exists(), "its process has to go")


def cancel_a_task(hand: Hand, client: Client, shop: Shop, gate: Path) -> None:
    """The only process is busy; what was published after the cancelled task runs, it does not."""
    held, waiting, last = shop.publish(
        f"print(hold.delay({str(gate)!r}).id, work.delay(1).id, work.delay(8).id)"
    )
    client.task(held, "running")
    client.task(waiting, "received")
    hand.do("celery", "cancel", waiting)
    gate.touch()
    eventually(lambda: shop.truth()["succeeded", last, 0] == 1, "the last one runs")
    assert shop.truth()["started", waiting, 0] == 0
