"""What RQ's jobs really did stands in the record; their workers fork, or do not."""

from __future__ import annotations

import pytest

from record import wait_for_events
from rq_worker import RqShop
from run_times import described, differences
from server import Client

FORKED = 2_000
NOT_FORKED = 400
"""What differs is where a job runs, and what is lost with it."""

PATIENCE_S = 900
"""A fork for each job costs thirty times the job."""


@pytest.fixture
def shop(rq_shop: RqShop) -> RqShop:
    return rq_shop


def run_and_check(
    shop: RqShop, client: Client, record_url: str, jobs: int, *, lost: int = 0
) -> list[str]:
    """Have two workers run the jobs, and some that are lost; return the ids of these."""
    for number in range(2):
        shop.start_worker(f"w{number}")
    ids = shop.publish_numbers(jobs)
    lost_ids = shop.publish(f"for _ in range({lost}): print(QUEUE.enqueue(killed).id)")
    shop.wait_for_ends(jobs + lost, PATIENCE_S)
    wanted = shop.expected()
    found = wait_for_events(record_url, wanted)
    assert not (wanted - found), f"lost: {list((wanted - found).items())[:5]}"
    assert not (found - wanted), f"surplus: {list((found - wanted).items())[:5]}"
    print(described(differences(shop.truth_lines(), record_url)))
    assert client.project(f"/tasks/rq/{ids[0]}")["wait_ms"] >= 0
    return lost_ids


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_every_event_of_forked_jobs_is_recorded_once(
    shop: RqShop, client: Client, record_url: str
) -> None:
    [lost] = run_and_check(shop, client, record_url, FORKED, lost=1)
    assert client.project(f"/tasks/rq/{lost}")["exception_type"] == "WorkHorseLost"


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_every_event_of_jobs_in_the_worker_is_recorded_once(
    shop: RqShop, client: Client, record_url: str
) -> None:
    shop.kind = "SimpleWorker"
    run_and_check(shop, client, record_url, NOT_FORKED)
