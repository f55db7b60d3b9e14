"""What sealing costs the host of an agent: `python tools/bench/sealing.py`.

Turns events of a received Celery task into what travels, as `emit` does, with and without a key,
and prints the CPU time of one in microseconds. Everything is measured in turns, as in
`redaction.py`; the least of several rounds counts. Takes a few seconds and needs the extra
``z4j-agent[seal]``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from redaction import ID, NAME, turns

from z4j_agent.sealing import Sealing, new_key
from z4j_agent.settings import Settings
from z4j_agent.testing import new_credential
from z4j_celery.memory import Message
from z4j_celery.original import pack
from z4j_core.events import Kind, TaskEvent
from z4j_core.redaction import Redactor
from z4j_core.seal import Seal
from z4j_core.to_wire import to_wire

SIZES = (300, 4_096, 60_000)


def main() -> int:
    """Print every case."""
    sealer = Sealing.of(settings()).sealer
    if sealer is None:
        print("This needs `cryptography`: pip install 'z4j-agent[seal]'.")
        return 1
    print(f"{'µs of CPU an event':>34}  without  with a key")
    for name, event in cases().items():
        without, sealed = turns(to_travel(event, None), to_travel(event, sealer.seal))
        print(f"{name:>34}  {without:7.2f}  {sealed:10.2f}")
    print(f"{'µs of CPU alone':>34}")
    for size in SIZES:
        data = os.urandom(size)
        [seal] = turns(lambda data=data: sealer.seal("celery", ID, data))
        print(f"{f'seal {size:,} bytes':>34}  {seal:7.2f}")
    return 0


def settings() -> Settings:
    """Return the settings of a worker with a key."""
    token = new_credential().token()
    return Settings.from_environment(
        {"Z4J_URL": "http://127.0.0.1:9", "Z4J_TOKEN": token, "Z4J_SEAL_KEY": new_key().text()}
    )


def cases() -> dict[str, TaskEvent]:
    """Return events by name: one whose previews are exact, and some that hide a password."""
    exact: dict[str, Any] = {"args": [4711], "kwargs": {"locale": "en", "notify": True}}
    found = {"exact arguments": event(exact, 300)}
    for size in SIZES:
        hidden = exact | {"kwargs": {"locale": "en", "password": "x7" * 6}}
        found[f"hidden, a message of {size:,} bytes"] = event(hidden, size)
    return found


def event(data: dict[str, Any], size: int) -> TaskEvent:
    """Return a received task with a message of about `size` bytes, encoded when it is asked for."""
    message = Message(
        name=NAME,
        queue="shop",
        body="x" * (size - 100),
        content_type="application/json",
        content_encoding="utf-8",
        root_id=ID,
    )
    original = {"original": lambda: pack(message)}
    return TaskEvent(
        kind=Kind.RECEIVED,
        engine="celery",
        task_id=ID,
        occurred_at=1,
        name=NAME,
        data=data | original,
    )


def to_travel(event: TaskEvent, seal: Seal | None) -> Callable[[], object]:
    """Return what `emit` does with this event."""
    redactor = Redactor()
    return lambda: to_wire(event, redactor, seal)


if __name__ == "__main__":
    sys.exit(main())
