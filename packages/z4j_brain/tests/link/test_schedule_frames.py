"""What links carry of schedules, on a real socket."""

from __future__ import annotations

from typing import Any

import pytest

from z4j_core import frames
from z4j_core.schedules import Owner, WireSchedule

STORE = "00000000000000aa"
on_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


def wire(**fields: Any) -> WireSchedule:
    known: dict[str, Any] = {"id": "a", "name": "a", "timing": "daily", "owner": Owner.CODE}
    return WireSchedule(**(known | fields))


@on_sqlite
def test_schedulers_readings_and_the_end_are_handed_over(play: Any, wait_for: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        calls = served.parts.schedules.calls
        reading = frames.Schedules("beat", STORE, [wire()], 1)
        agent.link.send(reading, 1)
        await agent.flush()
        await wait_for(lambda: len(calls) == 2)
        [row] = served.parts.registry.online()
        watch = frames.WatchSchedules(5.0, [frames.WatchedStore("beat", STORE)])
        assert served.parts.registry.watch(row, watch)
        await agent.until(lambda: watch in agent.received)
        await agent.cut()
        await wait_for(lambda: len(calls) == 3)
        assert calls == [("told", row, []), ("read", row, reading), ("ended", row, None)]

    play(scenario)


@on_sqlite
@pytest.mark.parametrize(
    "hostile",
    [
        frames.Schedules("beat", "redis://:secret@host", [], 0),
        frames.Schedules("BEAT", STORE, [], 0),
        frames.Schedules("beat", STORE, [], -1),
        frames.Schedules("beat", STORE, [], 0, "a\0b"),
        frames.Schedules("beat", STORE, [wire(id="")], 1),
        frames.Schedules("beat", STORE, [wire(id="a\0b")], 1),
        frames.Schedules("beat", STORE, [wire(timing="x" * 256)], 1),
        frames.Schedules("beat", STORE, [wire(next_run_at=-1)], 1),
        frames.Schedules("beat", STORE, [wire(next_run_at=1 << 60)], 1),
        frames.Schedules("beat", STORE, [wire(every_s=0.0)], 1),
        frames.Schedules("beat", STORE, [wire(arguments=b"x" * 16_385)], 1),
        frames.Schedules("beat", STORE, [wire(absent=dict.fromkeys(map(str, range(65)), "."))], 1),
        frames.Schedules("beat", STORE, [wire()] * 1_001, 1_001),
    ],
)
def test_what_breaks_a_limit_ends_the_link(play: Any, hostile: frames.Schedules) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        agent.link.send(hostile, 1)
        await agent.flush()
        assert await agent.closed() == (4400, "bad_frame")
        assert [name for name, _, _ in served.parts.schedules.calls if name == "read"] == []

    play(scenario)
