"""The whole server is killed in the middle, again and again: the record is exact all the same."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from services.ports import free_port
from z4j_brain.keys import Keys
from z4j_brain.store.schema import events, rollups, tasks, workers
from z4j_core.events import Kind

FRAMES, KILLS = 400, 4
LOST = (OSError, ConnectionClosed, InvalidHandshake, TimeoutError, EOFError)


class Server:
    """`z4j serve` in a process of its own, on a fixed port."""

    def __init__(self, database_url: str, home: Path) -> None:
        self.port = free_port()
        self.secrets = [secrets.token_hex(32) for _ in range(2)]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("Z4J_")},
            "Z4J_HOME": str(home),
            "Z4J_DATABASE_URL": database_url,
            "Z4J_SECRET": self.secrets[0],
            "Z4J_SESSION_SECRET": self.secrets[1],
        }
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "z4j_brain", *arguments]

    def migrate(self) -> Keys:
        subprocess.run(
            self.run("migrate"), env=self.environment, check=True, stdout=subprocess.DEVNULL
        )
        return Keys(*(secret.encode() for secret in self.secrets))

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.run("serve", "--port", str(self.port)),
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[Server]:
    server = Server(database_url, tmp_path)
    yield server
    server.kill()


def test_killing_the_server_loses_and_repeats_nothing(
    server: Server, database_url: str, make_house: Any, make_agent: Any, make: Any
) -> None:
    house = make_house(database_url, server.migrate())
    url = f"ws://127.0.0.1:{server.port}/ws"
    agents = [make_agent(url, house.credential, worker_id=f"w{number}") for number in range(2)]
    for agent in agents:
        for number in range(FRAMES):
            task_id = f"{agent.worker_id}-{number}"
            agent.push(make(task_id), make(task_id, Kind.SUCCEEDED))
    chance = random.Random(11)
    tries = Counter[str]()

    async def deliver(agent: Any) -> None:
        while agent.sender.kept:
            tries[agent.worker_id] += 1
            try:
                async with asyncio.timeout(60):
                    await agent.connect()
                    await agent.deliver()
            except LOST:
                await asyncio.sleep(0.05)

    async def kill() -> None:
        for _ in range(KILLS):
            before = sum(agent.sender.kept for agent in agents)
            server.start()
            # Wait for some acknowledgements, so that every life of the server stores something.
            goal = before - chance.randrange(20, 60)
            while sum(agent.sender.kept for agent in agents) > goal:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
            server.kill()
            await until_links_are_lost()
        server.start()

    async def until_links_are_lost() -> None:
        """What the dead server acknowledged is read first: it counts for no later life."""
        known = tries.copy()

        def is_linked(agent: Any) -> bool:
            return agent.sender.kept > 0 and tries[agent.worker_id] == known[agent.worker_id]

        while any(map(is_linked, agents)):  # noqa: ASYNC110 - the agents' attempts tell no event
            await asyncio.sleep(0.002)

    async def run() -> None:
        async with asyncio.timeout(240):
            await asyncio.gather(kill(), *map(deliver, agents))
        for agent in agents:
            await agent.cut()

    asyncio.run(run())
    server.kill()
    expected = {
        (f"w{worker}-{number}", kind): 1
        for worker in range(2)
        for number in range(FRAMES)
        for kind in ("started", "succeeded")
    }
    assert Counter((row["task_id"], row["kind"]) for row in house.rows(events)) == expected
    assert {row["state"] for row in house.rows(tasks)} == {"succeeded"}
    assert house.count(tasks) == 2 * FRAMES
    counted = house.rows(rollups)
    assert sum(row["started"] for row in counted) == 2 * FRAMES
    assert sum(row["succeeded"] for row in counted) == 2 * FRAMES
    assert len({row["writer"] for row in counted}) >= KILLS
    assert [row["last_frame"] for row in house.rows(workers)] == [FRAMES, FRAMES]
    house.database.close()
