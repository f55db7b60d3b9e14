"""What the actors really did stands in the record: all of it, none of it twice, and when."""

from __future__ import annotations

import pytest

from dramatiq_worker import DramatiqShop
from record import wait_for_events
from run_times import described, differences
from server import Client

TASKS = 2_000


@pytest.fixture
def shop(dramatiq_shop: DramatiqShop) -> DramatiqShop:
    return dramatiq_shop


def test_every_event_is_recorded_once(shop: DramatiqShop, client: Client, record_url: str) -> None:
    shop.start_worker()
    shop.publish_numbers(TASKS)
    shop.wait_for_ends(TASKS)
    wanted = shop.expected()
    found = wait_for_events(record_url, wanted)
    assert not (wanted - found), f"lost: {list((wanted - found).items())[:5]}"
    assert not (found - wanted), f"surplus: {list((found - wanted).items())[:5]}"
    print(described(differences(shop.truth_lines(), record_url)))
    items = client.project("/tasks", limit=200)["items"]
    assert {item["state"] for item in items} == {"succeeded", "failed"}
    waits = [item["wait_ms"] for item in items]
    assert all(wait is not None and wait >= 0 for wait in waits)


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_what_a_person_asks_for_is_done(shop: DramatiqShop, client: Client) -> None:
    shop.start_worker()
    shop.publish_numbers(8)  # the eighth fails at once
    shop.wait_for_ends(8)
    failed = next(one for one in shop.truth() if (one[0], one[2]) == ("failed", 0))
    task = client.task(failed[1], "failed", engine="dramatiq")
    assert (task["queue"], task["name"]) == ("default", "work")
    client.wait_for_action("requeue_dead_letters")
    asked = client.command("retry", "dramatiq", target={"task_id": failed[1]})
    new = client.finished_command(asked["id"])["result"]["task_id"]
    assert client.task(new, "failed", engine="dramatiq")["retried_from"] == failed[1]
    queue = {"queue": "default"}
    asked = client.command("list_dead_letters", "dramatiq", target=queue)
    listed = client.finished_command(asked["id"])["result"]
    assert {letter["task_id"] for letter in listed["letters"]} >= {failed[1], new}
    params = {"task_ids": [new]}
    asked = client.command("requeue_dead_letters", "dramatiq", target=queue, params=params)
    assert client.finished_command(asked["id"])["result"]["requeued"] == 1
    shop.wait_for_ends(10)
    assert shop.truth()["failed", new, 1] == 1
