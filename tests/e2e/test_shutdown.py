"""What runs while a worker is asked to end is told to its end."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from celery_worker import Shop
from record import wait_for_events

NAPS = 100


def test_a_warm_shutdown_loses_no_word_of_the_tasks_that_end_in_it(
    record_url: str, shop: Shop
) -> None:
    worker = shop.start_worker()
    shop.publish(f"for n in range({NAPS}): print(nap.delay(0.2).id)")
    deadline = time.monotonic() + 90
    while (begun := shop.truth().total()) < 9 and time.monotonic() < deadline:
        time.sleep(0.02)
    worker.terminate()
    assert worker.wait(60) == 0
    truth = shop.truth()
    assert begun >= 9
    assert truth.total() > begun, "no task ended while the worker did"
    assert truth.total() < 2 * NAPS, "the worker went on with everything"
    runs = Counter(kind for kind, _, _ in truth)
    assert runs["started"] == runs["succeeded"]
    if any(Path(shop.environment["Z4J_SPOOL_DIR"]).glob("[!.]*")):
        # The server did not answer within the agent's last second: the next one sends it.
        shop.start_worker("w2", "-Q", "nothing")
    record = wait_for_events(record_url, truth)
    assert {one for one in record if one[0] in ("started", "succeeded")} == set(truth)
    assert max(record.values()) == 1
