"""A worker whose clock is an hour off: everything is recorded, and the difference is known."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import select

from faults.arena import Arena
from faults.processes import EmitterProcess
from faults.schedule import HOUR_S, Emitter
from z4j_brain.store.database import Database
from z4j_brain.store.schema import tasks, workers


@pytest.mark.parametrize("offset_s", [HOUR_S, -HOUR_S])
def test_an_hour_off(arena: Arena, tmp_path: Path, offset_s: int) -> None:
    spec = Emitter("w9", 300, 0, offset_s)
    arena.emitters = [EmitterProcess(spec, arena.agent_environment, tmp_path, arena.truth)]
    arena.emitters[0].start()
    deadline = time.monotonic() + 120
    while len(arena.truth.accepted) < 300:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    arena.drain()
    verdict = arena.judge()
    assert verdict.troubles == []
    database = Database(arena.url)
    with database.read() as connection:
        offsets = connection.execute(select(workers.c.clock_offset_us)).scalars().all()
        at = connection.execute(select(tasks.c.first_at)).scalars().first()
    database.close()
    assert [round(offset / 60e6) for offset in offsets] == [offset_s // 60]
    assert at is not None
    assert round((at - time.time_ns() // 1_000) / 3_600e6) == offset_s // HOUR_S
