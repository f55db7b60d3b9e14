"""How long a command takes: `python tools/bench/commands.py`.

A real agent with the engine of `tests/stranger` in a process of its own; a signed-in client asks
for its action, one command after the other. Counted are the time until the command is accepted and
the time until its result is in the record. The record itself is asked, every half millisecond: who
asks the server makes it slower (a read is 4 ms of the core that the command runs on).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from asking import Asker
from figures import Figure, add_option, delays, tell
from machine import cpu_s
from sqlalchemy import Connection, bindparam, select
from stand import DATABASES, Stand, stand

from z4j_brain.store.commands import OPEN_STATES
from z4j_brain.store.schema import commands

PROGRAM = (
    "import z4j_agent, sys; z4j_agent.register(); from lantern.work import lantern;"
    "lantern.light(print, 'hello'); sys.stdin.read(); z4j_agent.stop()"
)
WARM_UP = 20
POLL_S = 0.0005
PATIENCE_S = 60.0
_STATE = select(commands.c.state).where(commands.c.id == bindparam("id"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure how long a command takes.")
    parser.add_argument("--database", choices=DATABASES, default="postgresql")
    parser.add_argument("--commands", type=int, default=300)
    add_option(parser)
    options = parser.parse_args()
    with stand(options.database) as built, an_agent(built):
        figures = measure(built, options.commands)
    tell(f"{options.database}: {options.commands} commands", figures, options.json)


@contextmanager
def an_agent(built: Stand) -> Iterator[None]:
    """Run a process with an agent until its action is offered."""
    environment = {
        **built.server.environment,
        "Z4J_URL": built.server.url,
        "Z4J_TOKEN": built.client.mint("lantern"),
        "Z4J_SPOOL_DIR": str(built.folder / "spool"),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    try:
        built.client.wait_for_action("refill")
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)


def measure(built: Stand, count: int) -> list[Figure]:
    """Ask for the action again and again."""
    with Asker(built.client) as asker, built.database.engine.connect() as opened:
        record = opened.execution_options(isolation_level="AUTOCOMMIT")
        for _ in range(WARM_UP):
            one_command(asker, record)
        before = cpu_s([built.pid])
        times = [one_command(asker, record) for _ in range(count)]
        spent = cpu_s([built.pid]) - before
    return [
        *delays("command_post", [accepted for accepted, _ in times]),
        *delays("command_result", [ended for _, ended in times]),
        Figure("command_cpu", spent / count * 1_000),
    ]


def one_command(asker: Asker, record: Connection) -> tuple[float, float]:
    """Return the seconds until a command was accepted, and until its result was there."""
    begin = time.perf_counter()
    command = asker.post(
        "/commands", {"action": "refill", "engine": "lantern", "params": {"litres": 1}}
    )
    accepted = time.perf_counter() - begin
    key = {"id": UUID(command["id"])}
    while (state := record.execute(_STATE, key).scalar_one()) in OPEN_STATES:
        if time.perf_counter() - begin > PATIENCE_S:
            raise SystemExit("the command has no result")
        time.sleep(POLL_S)
    ended = time.perf_counter() - begin
    if state != "succeeded":
        raise SystemExit(f"the command ended: {asker.get('/commands/' + command['id'])}")
    return accepted, ended


if __name__ == "__main__":
    main()
