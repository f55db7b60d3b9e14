"""How long a batch waits for company."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from z4j_brain.ingest import waiting
from z4j_brain.ingest.arrival import Arrival
from z4j_brain.store.ingest_batch import Origin
from z4j_core import frames


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that `take` makes, none of which takes any time."""
    made: list[float] = []
    monkeypatch.setattr(waiting.time, "sleep", made.append)
    return made


def arrived(seq: int, **content: Any) -> Arrival:
    origin = Origin(uuid.UUID(int=1), uuid.UUID(int=2), 0)
    return Arrival(source=Source(), origin=origin, worker_id="w", seq=seq, size=1, **content)


class Source:
    def acknowledge(self, position: int) -> None: ...

    def refuse(self, code: str, detail: str) -> None: ...


def test_events_wait_for_company(pauses: list[float]) -> None:
    queue = waiting.Waiting()
    asyncio.run(queue.put(arrived(1)))
    assert [one.seq for one in queue.take(1)] == [1]
    assert pauses == [waiting.LINGER_S]


def test_the_result_of_a_command_waits_for_nothing(pauses: list[float]) -> None:
    queue = waiting.Waiting()
    asyncio.run(queue.put(arrived(1)))
    result = frames.Result(seq=2, id="c", ok=True)
    asyncio.run(queue.put(arrived(2, result=result)))
    assert [one.seq for one in queue.take(1)] == [1, 2]
    assert pauses == []
