"""A database that stalls holds up the writer, the links, the outboxes; then losses are declared."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from faults.arena import Arena
from faults.databases import Template
from faults.processes import EmitterProcess
from faults.repeater import PER_FRAME, Repeater
from faults.schedule import Emitter
from z4j_brain.ingest.waiting import MAX_BATCH_BYTES

RATE = 1_500
MIB = 1_048_576


def emitter(arena: Arena, tmp_path: Path, **settings: str) -> EmitterProcess:
    """An emitter whose events are some 4 KiB each."""
    environment = {**arena.agent_environment, "FAULT_FILL": "4", **settings}
    one = EmitterProcess(Emitter("w7", RATE, 0, 0), environment, tmp_path, arena.truth)
    arena.emitters = [one]
    return one


def wait_for_accepted(arena: Arena, count: int) -> None:
    deadline = time.monotonic() + 200
    while len(arena.truth.accepted) < count:
        assert time.monotonic() < deadline, "the emitter does not emit"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("settings", "events", "reason"),
    [
        ({"Z4J_SPOOL": "off", "Z4J_OUTBOX_BYTES": f"{MIB}"}, 6_000, "the outbox was full"),
        (
            {"Z4J_SPOOL_BYTES": f"{16 * MIB}", "Z4J_OUTBOX_BYTES": f"{MIB}"},
            12_000,
            "the spool was full",
        ),
    ],
    ids=["memory", "spool"],
)
def test_sent_and_declared_are_the_truth(
    template: Template,
    arena: Arena,
    tmp_path: Path,
    settings: dict[str, str],
    events: int,
    reason: str,
) -> None:
    one = emitter(arena, tmp_path, **settings)
    one.start()
    wait_for_accepted(arena, 200)
    arena.lock.insist()
    wait_for_accepted(arena, events)
    # The server's own memory is bounded too: three batches wait, the rest stays with the agent.
    arena.lock.give_back()
    arena.drain()
    verdict = arena.judge("database_locked")
    assert verdict.troubles == []
    assert verdict.declared > 0
    assert verdict.events + verdict.declared == len(arena.truth.accepted)
    assert [reason] == list(verdict.gaps)


def test_a_link_is_not_read_while_the_database_stalls(template: Template, arena: Arena) -> None:
    """An agent that ignores its window cannot fill the server's memory: its socket blocks."""
    note = b'{"note":"%s"}' % (b"the order was checked " * 2_000)
    size = PER_FRAME * len(note)
    most = 800

    async def scenario() -> int:
        arguments = arena.agent_environment["Z4J_URL"], template.credential, "rep.1", arena.truth
        one = Repeater(*arguments, payload=note)
        await one.open()
        await one.send(1)
        await one.wait_for_ack(1)
        arena.lock.insist()
        sent = 1
        try:
            while sent < most:
                async with asyncio.timeout(5):
                    await one.send(sent + 1)
                sent += 1
        except TimeoutError:
            blocked_after = sent
            sent += 1  # it is in the socket's buffer, and arrives
        arena.lock.give_back()
        await one.wait_for_ack(sent)
        await one.close()
        one.accept(sent)
        return blocked_after

    blocked_after = asyncio.run(scenario())
    # Three batches wait, one is being stored; the rest is in the buffers of sockets and proxy.
    assert 2 * MAX_BATCH_BYTES < blocked_after * size < 12 * MAX_BATCH_BYTES
    arena.drain()
    verdict = arena.judge("database_locked")
    assert verdict.troubles == []
    assert verdict.declared == 0
