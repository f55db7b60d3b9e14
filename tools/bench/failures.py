"""What a failed event costs the writer: `python tools/bench/failures.py`.

Prepares batches of events in memory, as ingest does before its transaction, and prints the CPU
time of each in microseconds: events that do not fail, failures whose traceback was met before
(with another message each time), failures that are all new, and failures without a traceback.
The tracebacks are the recordings of the brain's tests. Takes a few seconds; the least of several
rounds counts, so that other work on the machine matters less.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(Path(__file__).parent))

from synthetic import make_events  # noqa: E402

from z4j_brain.ingest.arrival import Arrival  # noqa: E402
from z4j_brain.ingest.preparing import prepare  # noqa: E402
from z4j_brain.store.ingest_batch import Origin  # noqa: E402
from z4j_core.events import Kind, WireEvent  # noqa: E402

EVENTS, ROUNDS = 2_000, 7
ORIGIN = Origin(UUID(int=1), UUID(int=2), 1_700_000_000_000_000)
RECORDING = ROOT / "packages/z4j_brain/tests/issues/tracebacks/celery-5.json"
_numbers = itertools.count()


def main() -> None:
    plain: dict[str, str] = json.loads(RECORDING.read_text())["plain"]
    text = plain["traceback"]
    print(f"a traceback of {len(text)} characters, µs of CPU an event:")
    cases: dict[str, Callable[[int], dict[str, Any]]] = {
        "failed, known traceback": lambda n: told(text.replace("by zero", f"by zero {n}")),
        "failed, new traceback": lambda n: told(text.replace("send", f"send{n}")),
        "failed, no traceback": lambda n: told(None, f"message {chr(97 + n % 26)} of {n}"),
    }
    life = make_events(EVENTS, ORIGIN.received_at - 10_000_000)
    print(f"{'no failure':>28}: {least(lambda: life):.2f}")
    for name, payload in cases.items():
        print(f"{name:>28}: {least(lambda make=payload: failures(make)):.1f}")


def told(traceback: str | None, message: str = "division by zero") -> dict[str, Any]:
    exception = {"type": "ZeroDivisionError", "message": message}
    return {"exception": exception} | ({"traceback": traceback} if traceback else {})


def failures(payload: Callable[[int], dict[str, Any]]) -> list[WireEvent]:
    at = ORIGIN.received_at - 10_000_000
    return [
        WireEvent(
            Kind.FAILED,
            "celery",
            f"t{number}",
            0,
            at,
            "shop.tasks.plain",
            "default",
            msgspec.json.encode(payload(next(_numbers))),
        )
        for number in range(EVENTS)
    ]


def least(make: Callable[[], list[WireEvent]]) -> float:
    """Return the CPU time of preparing one event in microseconds."""
    best = float("inf")
    for seq in range(1, ROUNDS + 1):
        events = make()
        arrival = Arrival(
            source=None,  # type: ignore[arg-type]
            origin=ORIGIN,
            worker_id="w",
            seq=seq,
            size=1,
            events=events,
        )
        began = time.process_time()
        batch = prepare([arrival])
        best = min(best, (time.process_time() - began) / len(events))
        if len(batch.events) != len(events):
            sys.exit("some events were rejected")
    return best * 1e6


if __name__ == "__main__":
    main()
