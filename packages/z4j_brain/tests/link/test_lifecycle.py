"""Links over time: outages of the database, other replicas, lost workers, heartbeats."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text, update
from websockets.exceptions import InvalidStatus

from z4j_brain.clock import now
from z4j_brain.store.schema import events, workers
from z4j_brain.store.workers_write import Pulse, link_closed, record_pulses, sweep_lost
from z4j_core import frames
from z4j_core.link import State


def rename(house: Any, old: str, new: str) -> None:
    with house.database.write() as connection:
        connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


def test_links_stay_while_the_database_is_away(
    house: Any, play: Any, make: Any, wait_for: Any
) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        agent.push(make("a"))
        await agent.deliver()
        rename(house, "tasks", "away")
        agent.push(make("b"))
        await agent.flush()
        counters = served.parts.writer.counters
        await wait_for(lambda: counters.failures >= 2)
        assert agent.sender.kept == 1
        assert len(served.parts.registry.online()) == 1
        rename(house, "away", "tasks")
        await agent.deliver()

    play(scenario)
    assert Counter(row["task_id"] for row in house.rows(events)) == {"a": 1, "b": 1}


def test_nobody_is_admitted_while_the_database_is_away(house: Any, play: Any) -> None:
    async def scenario(served: Any) -> None:
        rename(house, "agent_tokens", "away")
        with pytest.raises(InvalidStatus) as caught:
            await served.agent().open()
        assert caught.value.response.status_code == 503
        assert caught.value.response.headers["Retry-After"] == "5"
        rename(house, "away", "agent_tokens")
        await served.agent().connect()

    play(scenario)


def test_a_link_that_cannot_be_claimed_is_told_to_come_back(house: Any, play: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.open()
        rename(house, "workers", "away")
        await agent.greet()
        assert await agent.closed() == (1013, "unavailable")
        rename(house, "away", "workers")

    play(scenario)
    assert house.count(workers) == 0


def test_one_worker_on_two_servers_stores_each_frame_once(
    house: Any, make: Any, wait_for: Any
) -> None:
    """As when a load balancer moves a link before the old server has noticed."""

    async def run() -> None:
        async with house.serve() as one, house.serve() as two:
            older = one.agent(epoch="e1")
            await older.connect()
            for name in "abcdefgh":
                older.push(make(name))
            await older.flush()
            newer = two.agent(epoch="e1", sender=older.sender)
            await newer.connect()
            await newer.deliver()
            await older.cut()
            await wait_for(lambda: not one.parts.registry.online())
            # The first server's late good-bye must not hide the link to the second.
            await asyncio.sleep(0.2)
            [worker] = house.rows(workers)
            assert worker["online"]

    asyncio.run(run())
    assert Counter(row["task_id"] for row in house.rows(events)) == dict.fromkeys("abcdefgh", 1)


def test_the_server_sends_heartbeats(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("z4j_brain.link.session._HEARTBEAT_US", 1_000)

    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        await agent.until(
            lambda: [frame for frame in agent.received if isinstance(frame, frames.Heartbeat)]
        )

    play(scenario)


def test_many_links_at_once(house: Any, play: Any, make: Any) -> None:
    async def scenario(served: Any) -> None:
        agents = [served.agent(f"w{number}") for number in range(40)]
        await asyncio.gather(*(agent.connect() for agent in agents))
        for agent in agents:
            for number in range(5):
                agent.push(*(make(f"{agent.worker_id}-{number}-{index}") for index in range(20)))
        await asyncio.gather(*(agent.deliver() for agent in agents))
        assert len(served.parts.registry.online()) == 40

    play(scenario)
    stored = Counter(row["task_id"] for row in house.rows(events))
    assert len(stored) == 40 * 5 * 20
    assert set(stored.values()) == {1}
    assert {row["last_frame"] for row in house.rows(workers)} == {5}


def test_lost_workers_are_swept_and_come_back(house: Any, play: Any, wait_for: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        await wait_for(lambda: house.count(workers))
        served.gateway._round.stop()  # its pulses would go on between these steps
        [row] = house.rows(workers)
        with house.database.write() as connection:
            assert sweep_lost(connection, row["last_seen"]) == {}
            lost = sweep_lost(connection, row["last_seen"] + 1)
            assert lost[house.project_id][1] == [row["id"]]
        assert not house.rows(workers)[0]["online"]
        pulse = Pulse(
            worker_row=row["id"],
            project_id=house.project_id,
            replica=row["replica"],
            last_seen=now(),
        )
        with house.database.write() as connection:
            record_pulses(connection, [pulse])
        assert house.rows(workers)[0]["online"]
        with house.database.write() as connection:
            assert link_closed(connection, row["id"], "another/link", 1) is None
            assert link_closed(connection, row["id"], row["replica"], 1) is not None
            record_pulses(connection, [pulse])
        assert not house.rows(workers)[0]["online"], "a late pulse must not revive a closed link"

    play(scenario)


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_on_sqlite_nobody_is_online_at_the_start(house: Any, play: Any, wait_for: Any) -> None:
    async def first(served: Any) -> None:
        await served.agent().connect()
        await wait_for(served.parts.registry.online)

    async def second(_served: Any) -> None:
        assert not house.rows(workers)[0]["online"]

    play(first)
    with house.database.write() as connection:
        connection.execute(update(workers).values(online=True, replica="dead/1"))
    play(second)


def test_a_reader_who_never_reads_gets_one_acknowledgement(
    house: Any, play: Any, make: Any, wait_for: Any
) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        outgoing = served.gateway.sessions[0]._outgoing
        await wait_for(lambda: not outgoing._is_flushing)  # its greeting has left
        outgoing._is_flushing = True  # as if the socket were full
        for number in range(20):
            agent.push(make(f"t{number}"))
        await agent.flush()
        await wait_for(lambda: outgoing._due == 20)
        assert outgoing._link._outgoing == []
        outgoing._is_flushing = False
        outgoing.flush_soon()
        await agent.deliver()
        acks = [frame for frame in agent.received if isinstance(frame, frames.Ack)]
        assert [ack.position for ack in acks] == [20]

    play(scenario)
    assert house.count(events) == 20


def test_an_adopters_link_never_makes_a_worker_online(
    house: Any, play: Any, make: Any, wait_for: Any
) -> None:
    async def scenario(served: Any) -> None:
        dead = served.agent(epoch="e1")
        dead.push(make("a"))
        await dead.connect()
        await dead.deliver()
        await dead.cut()
        await wait_for(lambda: not served.parts.registry.online())
        adopters = [served.agent(epoch="e1", sender=dead.sender), served.agent(epoch="e2")]
        for number, adopter in enumerate(adopters):
            adopter.push(make(f"b{number}"))
            await adopter.open()
            await adopter.greet(adopted=True)
            await adopter.until(lambda link=adopter.link: link.state is State.OPEN)
            adopter.link.send(frames.Heartbeat(1, cpu_us=1), 1)
            await adopter.deliver()
        assert served.parts.registry.online() == set()
        assert all(session.take_pulse() is None for session in served.gateway.sessions)

    play(scenario)
    rows = {row["epoch"]: row for row in house.rows(workers)}
    assert [rows[epoch]["online"] for epoch in ("e1", "e2")] == [False, False]
    assert [rows[epoch]["last_frame"] for epoch in ("e1", "e2")] == [2, 1]
    assert rows["e2"]["ended_at"] is not None
    assert Counter(row["task_id"] for row in house.rows(events)) == {"a": 1, "b0": 1, "b1": 1}
