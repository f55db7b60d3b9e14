"""What redaction costs the host of an agent: `python tools/bench/redaction.py`.

Turns events of a Celery task into what travels, as `emit` does, and prints the CPU time of one in
microseconds beside that of encoding the same data as JSON without a look at it. Everything is
measured in turns, so that other work on the machine touches all alike; the least of several
rounds counts. Takes a few seconds. Ends with 1 when the payload of 300 bytes costs more than the
budget.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from z4j_core.events import Kind, TaskEvent
from z4j_core.redaction import Redactor
from z4j_core.to_wire import to_wire

EVENTS, ROUNDS = 2_000, 15
BUDGET_US = 8.0
BYTES = 300
JUDGED = f"{BYTES} bytes"
ROOT = Path(__file__).parents[2]
NAME = "shop.tasks.send_invoice"
ID = "4f0c9b1e-8d2a-4c1d-9c53-7d6b0a0e5f11"
TRACEBACK = "Traceback (most recent call last):\n" + "".join(
    f'  File "/srv/app/shop/module_{n}.py", line {n}, in call_{n}\n    return call(order, {n})\n'
    for n in range(12)
)


def main() -> int:
    """Print every case, and judge the one that has a budget."""
    redactor = Redactor()
    cost = 0.0
    print(f"{'µs of CPU an event':>34}  to_wire  JSON alone  ratio  bytes")
    for name, data in cases().items():
        event = TaskEvent(
            kind=Kind.PUBLISHED, engine="celery", task_id=ID, occurred_at=1, name=NAME, data=data
        )
        wire, plain = turns(
            lambda event=event: to_wire(event, redactor),
            lambda data=data: msgspec.json.encode(data),
        )
        size = len(to_wire(event, redactor).payload)
        print(f"{name:>34}  {wire:7.2f}  {plain:10.2f}  {wire / plain:5.1f}  {size:5}")
        cost = wire if name == JUDGED else cost
    is_met = cost <= BUDGET_US
    print(f"{JUDGED}: {cost:.2f} µs of {BUDGET_US:.0f}: {'met' if is_met else 'missed'}")
    return 0 if is_met else 1


def cases() -> dict[str, dict[str, Any]]:
    """Return data by name; the payload that is judged has strings, numbers and both arguments."""
    typical: dict[str, Any] = {
        "args": [4711, "2026-11-21", {"currency": "EUR", "total": 12.9}],
        "kwargs": {"customer_id": 4711, "locale": "en", "notify": True},
        "arg_names": ("order_id", "day", "amount"),
        "root_id": ID,
        "published_at": 1_700_000_000_000_000,
        "pid": 4242,
    }
    note = "the order was checked and sent to the warehouse " * 4
    fill = BYTES - len(msgspec.json.encode(typical)) + 13
    secret = {"login": "bob", "password": "x7" * 6, "dsn": "redis://:x7x7x7x7@cache:6379/0"}
    return {
        "numbers of ours": {"published_at": 1_700_000_000_000_000, "pid": 4242, "run_us": 1_500},
        "small arguments": {"args": [4711], "kwargs": {}, "root_id": ID},
        JUDGED: typical | {"note": note[:fill]},
        "with two secrets": typical | {"kwargs": secret},
        "a failure, 12 frames": {
            "exception": {"type": "ValueError", "message": "the order 4711 cannot be sent"},
            "traceback": TRACEBACK,
        },
    }


def turns(*calls: Callable[[], object]) -> list[float]:
    """Return the least CPU time of one call of each, in µs."""
    best = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for place, call in enumerate(calls):
            start = time.process_time_ns()
            for _ in range(EVENTS):
                call()
            best[place] = min(best[place], (time.process_time_ns() - start) / EVENTS / 1_000)
    return best


if __name__ == "__main__":
    sys.exit(main())
