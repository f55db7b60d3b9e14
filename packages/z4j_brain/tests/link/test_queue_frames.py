"""What links carry of queues, on a real socket."""

from __future__ import annotations

from typing import Any

import pytest

from z4j_core import frames
from z4j_core.waiting import Broker

BROKER = "00000000000000aa"
TOLD = frames.Queues([frames.KnownBroker("celery", Broker(id=BROKER, queues=["mail"]))])
on_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


def depths(waiting: int) -> frames.Depths:
    return frames.Depths([frames.DepthSample("celery", BROKER, "mail", waiting)])


@on_sqlite
def test_queues_samples_and_the_end_are_handed_over(play: Any, wait_for: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        calls = served.parts.queues.calls
        agent.link.send(TOLD, 1)
        agent.link.send(depths(3), 1)
        await agent.flush()
        await wait_for(lambda: len(calls) == 2)
        [row] = served.parts.registry.online()
        watch = frames.Watch(10.0, [frames.Watched("celery", BROKER, ["mail"])])
        assert served.parts.registry.watch(row, watch)
        await agent.until(lambda: watch in agent.received)
        await agent.cut()
        await wait_for(lambda: len(calls) == 3)
        assert calls == [("told", row, TOLD), ("sampled", row, depths(3)), ("ended", row, None)]
        assert not served.parts.registry.watch(row, watch)

    play(scenario)


@on_sqlite
def test_a_negative_depth_ends_the_link(play: Any, wait_for: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        agent.link.send(depths(-1), 1)
        await agent.flush()
        await wait_for(lambda: not served.gateway.sessions)
        assert [name for name, _, _ in served.parts.queues.calls if name == "sampled"] == []

    play(scenario)


@on_sqlite
def test_a_transport_that_no_database_holds_ends_the_link(play: Any, wait_for: Any) -> None:
    """What cannot be written is written again and again, and would keep all others waiting."""
    broker = Broker(id=BROKER, transport="re\0dis", queues=["mail"])

    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        agent.link.send(frames.Queues([frames.KnownBroker("celery", broker)]), 1)
        await agent.flush()
        assert await agent.closed() == (4400, "bad_frame")
        assert [name for name, _, _ in served.parts.queues.calls if name == "told"] == []

    play(scenario)
