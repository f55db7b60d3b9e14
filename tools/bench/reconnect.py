"""How 1,000 agents come back after a restart: `python tools/bench/reconnect.py`.

Starts a real server, opens links with the agent's real driver (many drivers share one event loop
here; back-off, jitter and hello are theirs), and restarts the server twice: by SIGTERM, when it
says goodbye with times to come back, and by `kill -9`. Prints for each how long it took until every
agent was back, counted from the end of the old process and from the moment the new one was ready,
the busiest second in attempts, and the server's CPU. Exits with 1 when it took more than 30 s.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from faults.databases import SECRETS, migrate, seed
from faults.server import ServerProcess
from services.ports import HOST
from services.postgres import running_postgres
from z4j_agent.dispatch import Dispatcher, Executor
from z4j_agent.driver import Driver
from z4j_agent.endpoint import Endpoint
from z4j_agent.greeting import hello
from z4j_agent.identity import Identity
from z4j_agent.outbox import Outbox
from z4j_core.link import State
from z4j_core.redaction import Redactor

LIMIT_S = 30.0
GIVE_UP_S = 120.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class CountingEndpoint(Endpoint):
    """Notes when connections are attempted."""

    attempts: Counter[int]

    async def open(self, *arguments: Any, **options: Any) -> Any:
        self.attempts[int(time.monotonic())] += 1
        return await super().open(*arguments, **options)


class Crowd:
    """Many agents on the running event loop."""

    def __init__(self, endpoint: CountingEndpoint, count: int) -> None:
        self.drivers = [_driver(endpoint, number) for number in range(count)]
        # The driver's own thread and loop are not used: a thousand threads would measure threads.
        self._tasks = [asyncio.create_task(driver._run()) for driver in self.drivers]

    def open(self) -> int:
        """How many links are open now."""
        links = [one._connection for one in self.drivers]
        return sum(one is not None and one._link.state is State.OPEN for one in links)

    async def wait(self) -> float:
        """Wait until all are open; return the seconds that it took."""
        began = time.monotonic()
        while self.open() < len(self.drivers):
            if time.monotonic() - began > GIVE_UP_S:
                raise SystemExit(f"only {self.open()} agents came back within {GIVE_UP_S:.0f} s")
            await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def close(self) -> None:
        """End all links."""
        for driver in self.drivers:
            driver._begin_stop(time.monotonic() + 2)
        await asyncio.wait(self._tasks)


def _driver(endpoint: Endpoint, number: int) -> Driver:
    outbox = Outbox(1_048_576)
    identity = Identity.of_this_process("worker", f"crowd-{number}")
    executor = Executor([], Redactor())
    dispatcher = Dispatcher(executor, lambda outcome: outbox.push(outcome.frame), lambda: 0)
    driver = Driver(endpoint, outbox, dispatcher, lambda nonce: hello(identity, nonce))
    driver._loop.close()
    return driver


async def measure(server: ServerProcess, endpoint: CountingEndpoint, count: int) -> bool:
    """Open the crowd, restart twice, print; tell whether the limit was kept."""
    crowd = Crowd(endpoint, count)
    print(f"{count} agents: {await crowd.wait():.1f} s until all were there for the first time")
    print(f"server resident: {_resident_mib(server.pid):.0f} MiB")
    is_kept = True
    for name, end in (("SIGTERM", server.stop), ("kill -9", server.kill)):
        await asyncio.sleep(11)  # so that the links count as good ones
        endpoint.attempts.clear()
        ending = asyncio.to_thread(end)
        await ending
        ended = time.monotonic()
        server.start()
        await asyncio.to_thread(server.wait_until_ready)
        ready = time.monotonic()
        await crowd.wait()
        back = time.monotonic()
        is_kept &= back - ready <= LIMIT_S
        print(
            f"{name}: all back {back - ended:.1f} s after the end, {back - ready:.1f} s after "
            f"the new server was ready; {endpoint.attempts.total()} attempts, "
            f"{max(endpoint.attempts.values(), default=0)} in the busiest second; "
            f"server CPU {_cpu_s(server.pid):.1f} s"
        )
    await crowd.close()
    return is_kept


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _resident_mib(pid: int) -> float:
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def main() -> int:
    logging.getLogger("z4j.agent").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=1_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if options.database == "postgresql":
            url = stack.enter_context(running_postgres(fsync=True)).create_database()
        else:
            url = f"sqlite:///{folder / 'z4j.db'}"
        migrate(url, folder)
        credential = seed(url)
        server = ServerProcess(folder, {**SECRETS, "Z4J_DATABASE_URL": url})
        server.start()
        stack.callback(server.kill)
        server.wait_until_ready()
        endpoint = CountingEndpoint(f"http://{HOST}:{server.port}", credential)
        endpoint.attempts = Counter()
        is_kept = asyncio.run(measure(server, endpoint, options.agents))
        server.stop()
        for complaint in server.complaints():
            print(f"in the log: {complaint}")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
