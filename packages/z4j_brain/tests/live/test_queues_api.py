"""Queues over HTTP, told and sampled by an agent on a real link."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from z4j_core import frames
from z4j_core.events import Kind
from z4j_core.waiting import Broker

BROKER = "00000000000000aa"
NAME = "reports/nightly ä"
TOLD = frames.Queues(
    [frames.KnownBroker("celery", Broker(id=BROKER, transport="redis", queues=["email", NAME]))]
)


def test_list_and_course(play: Any, agent: Any, event: Any) -> None:
    async def scenario(served: Any) -> None:
        viewer = served.session("viewer")
        async with served.reader(viewer) as reader, agent(served).connected([]) as worker:
            await worker.tell(event("t1", Kind.STARTED))
            await reader.until(lambda told: "tasks" in told)
            await worker.send(TOLD)
            assert (await worker.watch()).watched[0].queues == ["email", NAME]
            samples = [
                frames.DepthSample("celery", BROKER, NAME, 7, None, 2, 5_000_000),
                frames.DepthSample("celery", BROKER, "email"),
            ]
            await worker.send(frames.Depths(samples))
            path = f"/queues/celery/{quote(NAME, safe='')}"
            body = await sampled(served, viewer, path)
            queue = body["queue"]
            assert (queue["waiting"], queue["unacked"], queue["oldest_ms"]) == (7, None, 5000)
            assert (queue["broker_consumers"], queue["unconsumed"]) == (2, False)
            assert (queue["stale"], queue["broker"]) == (False, BROKER)
            assert [point["waiting"] for point in body["points"] if point["waiting"]] == [7]
            _, listed = await served.call(viewer, "GET", "/queues")
            assert [one["queue"] for one in listed["items"]] == [NAME, "email"]
            email = listed["items"][1]
            assert (email["waiting"], email["stale"], email["recorded_running"]) == (None, False, 1)
            for query, expected in (
                ("?window=7d", 200),
                (f"?broker={BROKER}", 200),
                ("?broker=00000000000000bb", 404),
                ("?window=2h", 422),
                ("?broker=redis://:secret@host", 422),
            ):
                assert (await served.call(viewer, "GET", path + query))[0] == expected
            assert (await served.call(viewer, "GET", "/queues/celery/none"))[0] == 404

    play(scenario)


async def sampled(served: Any, viewer: str, path: str) -> Any:
    """Read a queue until its sample is stored."""
    async with asyncio.timeout(60):
        while True:
            status, body = await served.call(viewer, "GET", path)
            assert status == 200
            if body["queue"]["as_of"]:
                return body
            await asyncio.sleep(0.05)
