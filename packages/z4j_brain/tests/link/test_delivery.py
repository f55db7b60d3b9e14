"""Events over a real socket into a real database: each once, whatever the network does."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from z4j_brain.store.schema import events, feeds, gaps, tasks, workers
from z4j_core import frames
from z4j_core.codec import JSON, MSGPACK
from z4j_core.events import Kind

LIFE = (Kind.PUBLISHED, Kind.RECEIVED, Kind.STARTED, Kind.SUCCEEDED)


def stored_ids(house: Any) -> Counter[tuple[str, str]]:
    return Counter((row["task_id"], row["kind"]) for row in house.rows(events))


@pytest.mark.parametrize("codec", [MSGPACK, JSON], ids=["msgpack", "json"])
def test_a_task_comes_to_the_record(
    house: Any, play: Any, make: Any, codec: Any, wait_for: Any
) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent(codec=codec)
        await agent.connect()
        agent.push(*(make(kind=kind, payload={"args": [1]}) for kind in LIFE))
        await agent.deliver()
        [worker] = house.rows(workers)
        assert worker["online"]
        assert worker["last_frame"] == 1
        assert worker["worker_id"] == "w1"
        assert served.parts.commands.opened == [worker["id"]]
        assert served.parts.registry.online() == {worker["id"]}
        [(project, offset, changes)] = [
            one for one in served.parts.hub.published if one[2].task_keys
        ]
        assert (project, changes.task_keys) == (house.project_id, [("celery", "t1")])
        # A heartbeat may have been recorded since, and moved the feed.
        told = served.parts.hub.published
        await wait_for(lambda: told[-1][1] == house.rows(feeds)[0]["position"])
        assert offset <= told[-1][1]

    play(scenario)
    assert stored_ids(house) == {("t1", kind): 1 for kind in LIFE}
    [task] = house.rows(tasks)
    assert (task["state"], task["worker"], task["args"]) == ("succeeded", "w1", "[1]")
    [worker] = house.rows(workers)
    assert not worker["online"]
    assert worker["ended_at"] is not None


def test_cut_links_lose_and_repeat_nothing(house: Any, play: Any, make: Any) -> None:
    chance = random.Random(7)

    async def scenario(served: Any) -> None:
        agent = served.agent()
        for number in range(120):
            agent.push(make(f"t{number}"), make(f"t{number}", Kind.SUCCEEDED))
        while agent.sender.kept:
            await agent.connect()
            for _ in range(chance.randrange(0, 6)):
                await agent.flush()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await agent.receive()
            # Sometimes with messages on their way, sometimes between store and acknowledgement.
            await asyncio.sleep(chance.choice([0, 0.001, 0.01]))
            await agent.cut()

    play(scenario)
    assert stored_ids(house) == {
        (f"t{number}", kind): 1 for number in range(120) for kind in ("started", "succeeded")
    }
    assert [row["last_frame"] for row in house.rows(workers)] == [120]


def test_one_worker_connected_twice_stores_each_frame_once(
    house: Any, play: Any, make: Any
) -> None:
    async def scenario(served: Any) -> None:
        older = served.agent(epoch="e1")
        await older.connect()
        older.push(make("a"))
        await older.deliver()
        for name in "bcdef":
            older.push(make(name))
        # The newer link greets before the older one's frames are stored, and sends them as well.
        newer = served.agent(epoch="e1", sender=older.sender)
        await newer.open()
        await newer.greet()
        await newer.until(lambda: newer.link.state.value == "open")
        kept = list(older.sender._kept)
        for message in (older.link._out.sign(payload) for payload in kept):
            await older.websocket.send(message)
        newer.link.send(frames.Heartbeat(1), 1)
        await newer.deliver()
        code, reason = await older.closed()
        assert (code, reason) == (4409, "replaced")
        assert len(served.parts.registry.online()) == 1
        await asyncio.sleep(0.2)
        [worker] = house.rows(workers)
        assert worker["online"], "the older link's end must not hide the newer one"

    play(scenario)
    assert stored_ids(house) == {(name, "started"): 1 for name in "abcdef"}


def test_a_gap_is_recorded_once(house: Any, play: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        agent.sender.push(
            lambda seq: frames.Gap(seq, 7, {"started": 7}, 5, 9, "the outbox was full")
        )
        for _ in range(2):
            await agent.connect()
            await agent.deliver()
            await agent.cut()

    play(scenario)
    [gap] = house.rows(gaps)
    assert (gap["count"], gap["kinds"], gap["since"], gap["until"]) == (7, {"started": 7}, 5, 9)


def test_a_restarted_server_goes_on_where_it_stopped(house: Any, play: Any, make: Any) -> None:
    agents: list[Any] = []

    async def first(served: Any) -> None:
        agent = served.agent(epoch="e1")
        agents.append(agent)
        await agent.connect()
        agent.push(make("a"))
        await agent.deliver()
        agent.push(make("b"))

    async def second(served: Any) -> None:
        agent = served.agent(epoch="e1", sender=agents[0].sender)
        await agent.connect()
        await agent.deliver()

    play(first)
    play(second)
    assert stored_ids(house) == {("a", "started"): 1, ("b", "started"): 1}


def test_a_goodbye_at_shutdown_tells_when_to_come_back(play: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        stopping = asyncio.create_task(served.gateway.stop())
        assert await agent.closed() == (1012, "shutdown")
        await stopping
        reason = agent.link.close_reason
        assert reason.code == "shutdown"
        assert 1.0 <= reason.retry_after_s <= 5.0

    play(scenario)


def test_unknown_frames_are_answered_and_the_link_goes_on(house: Any, play: Any, make: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        message = agent.link._out.sign(MSGPACK._encode(["novelty", 1, {"x": 2}]))
        await agent.websocket.send(message)
        await agent.until(
            lambda: [frame for frame in agent.received if isinstance(frame, frames.Error)]
        )
        agent.push(make())
        await agent.deliver()

    play(scenario)
    assert stored_ids(house) == {("t1", "started"): 1}


def test_heartbeats_come_to_the_workers_row(house: Any, play: Any, wait_for: Any) -> None:
    def row() -> Any:
        return next(iter(house.rows(workers)), {"processed": None})

    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        beat = frames.Heartbeat(
            2,
            outbox_events=3,
            oldest_us=1_500_000,
            dropped=4,
            cpu_us=10,
            rss_bytes=5_000_000,
            processed=9,
        )
        agent.link.send(beat, 2)
        await agent.flush()
        await wait_for(lambda: row()["processed"] == 9)

    play(scenario)
    found = row()
    assert (found["outbox_events"], found["lag_us"], found["dropped"], found["rss_bytes"]) == (
        3,
        1_500_000,
        4,
        5_000_000,
    )
