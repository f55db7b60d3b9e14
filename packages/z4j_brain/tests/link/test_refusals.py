"""Every refusal has a clear code, and stores nothing."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from sqlalchemy import update
from websockets.exceptions import ConnectionClosed, InvalidStatus

from z4j_brain.clock import now
from z4j_brain.store import agent_tokens
from z4j_brain.store import agents as agents_store
from z4j_brain.store.schema import agents, events, events_rejected, gaps, tasks, workers
from z4j_core import frames
from z4j_core.codec import JSON, MSGPACK
from z4j_core.link import State

NOTHING = (workers, events, tasks, gaps, events_rejected)


def stored(house: Any) -> dict[str, int]:
    return {table.name: house.count(table) for table in NOTHING if house.count(table)}


async def status_of(agent: Any, **options: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as caught:
        await agent.open(**options)
    response = caught.value.response
    return response.status_code, msgspec.json.decode(response.body)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer ",
        "Bearer nonsense",
        "Basic dXNlcjpwYXNz",
        "Bearer " + "A" * 64,
        "Bearer " + "A" * 10_000,
        "Bearer \u00e9",
    ],
    ids=["none", "empty", "garbage", "basic", "unknown", "huge", "not-ascii"],
)
def test_a_wrong_token_is_refused_before_the_upgrade(
    house: Any, play: Any, header: str | None
) -> None:
    async def scenario(served: Any) -> None:
        headers = {"X-Nothing": "1"} if header is None else {"Authorization": header}
        status, problem = await status_of(served.agent(), headers=headers)
        assert (status, problem["code"]) == (401, "unauthenticated")
        assert "A" * 64 not in str(problem)

    play(scenario)
    assert stored(house) == {}


def test_another_agents_secret_is_refused(house: Any, play: Any) -> None:
    async def scenario(served: Any) -> None:
        mine = house.credential
        stolen = msgspec.structs.replace(mine, agent_id=uuid.uuid4())
        assert (await status_of(served.agent(credential=stolen)))[0] == 401

    play(scenario)


@pytest.mark.parametrize("is_agent", [False, True], ids=["token", "agent"])
def test_a_revoked_token_is_refused(house: Any, play: Any, is_agent: bool) -> None:
    with house.database.write() as connection:
        if is_agent:
            connection.execute(update(agents).values(revoked_at=1))
        else:
            agent_tokens.revoke(connection, house.agent_id, house.token_id, 1)

    async def scenario(served: Any) -> None:
        status, problem = await status_of(served.agent())
        assert (status, problem["code"]) == (401, "revoked")
        assert "Mint a new one" in problem["detail"]

    play(scenario)
    assert stored(house) == {}


@pytest.mark.parametrize("offered", [[], ["z4j.99"], ["chat"]])
def test_an_unknown_subprotocol_is_refused(play: Any, offered: list[str]) -> None:
    async def scenario(served: Any) -> None:
        status, problem = await status_of(served.agent(), subprotocols=offered or None)
        assert (status, problem["code"]) == (426, "version")
        assert "z4j.1" in problem["detail"]

    play(scenario)


def test_a_wrong_signature_ends_the_link(house: Any, play: Any) -> None:
    async def scenario(served: Any) -> None:
        forged = msgspec.structs.replace(house.credential, signing_key=secrets.token_bytes(32))
        agent = served.agent(credential=forged)
        await agent.open()
        await agent.greet()
        assert await agent.closed() == (4403, "bad_signature")

    play(scenario)
    assert stored(house) == {}


def test_a_replayed_hello_proves_nothing(house: Any, play: Any, make: Any) -> None:
    """Whoever has the bearer and an old hello can neither store anything nor replace a link."""

    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.open()
        agent.link.start(frames.Hello([1], agent.link.nonce, worker_id="w1", epoch=agent.epoch), 1)
        [hello] = agent.link.take_outgoing()
        await agent.websocket.send(hello)
        await agent.until(lambda: agent.link.state is State.OPEN)
        assert stored(house) == {}
        agent.link.send(frames.Heartbeat(1), 1)
        agent.push(make())
        await agent.deliver()

        thief = served.agent()
        await thief.open()
        await thief.websocket.send(hello)
        await thief.websocket.recv()
        await thief.websocket.send(secrets.token_bytes(100))
        assert await thief.closed() == (4403, "bad_signature")
        agent.push(make("t2"))
        await agent.deliver()

    play(scenario)
    assert house.count(events) == 2
    assert house.count(workers) == 1


@pytest.mark.parametrize("codec", [MSGPACK, JSON], ids=["msgpack", "json"])
@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b"", (4403, "bad_signature")),
        (b"\0" * 32, (4403, "bad_signature")),
        (b"\xff" * 5_000, (4403, "bad_signature")),
    ],
    ids=["empty", "only-a-mac", "noise"],
)
def test_garbage_instead_of_a_hello(
    house: Any, play: Any, codec: Any, message: bytes, expected: Any
) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent(codec=codec)
        await agent.open()
        await agent.websocket.send(message)
        assert await agent.closed() == expected

    play(scenario)
    assert stored(house) == {}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"\xc1", "bad_frame"),
        (MSGPACK._encode({"a": 1}), "bad_frame"),
        (MSGPACK._encode(["events", "one", []]), "bad_frame"),
        (MSGPACK._encode(["ack", 1]), "wrong_direction"),
        (MSGPACK._encode(["hello", [1], b"0" * 16, "w", "e"]), "wrong_state"),
        (MSGPACK._encode(["events", 9, []]), "out_of_order"),
        (b"\x91" * 100_000, "bad_frame"),
    ],
    ids=["noise", "map", "types", "direction", "state", "skipped", "deep"],
)
def test_signed_nonsense_ends_the_link(house: Any, play: Any, payload: bytes, code: str) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        await agent.websocket.send(agent.link._out.sign(payload))
        assert await agent.closed() == (4400, code)
        assert agent.link.close_reason.code == code

    play(scenario)
    assert house.count(events) == 0


def test_a_text_message_ends_the_link(house: Any, play: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent(codec=JSON)
        await agent.open()
        await agent.websocket.send("hello")
        assert await agent.closed() == (4400, "bad_frame")

    play(scenario)
    assert stored(house) == {}


@pytest.mark.parametrize(
    "fields",
    [{"worker_id": ""}, {"worker_id": "a\0b"}, {"framework": "\0"}, {"epoch": "\0"}],
    ids=str,
)
def test_a_hello_that_cannot_be_stored_is_refused(
    house: Any, play: Any, fields: dict[str, Any]
) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.open()
        await agent.greet(**fields)
        assert await agent.closed() == (4400, "bad_frame")

    play(scenario)
    assert stored(house) == {}


def test_an_unknown_protocol_version_is_refused(house: Any, play: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.open()
        await agent.greet(versions=[2, 3])
        assert await agent.closed() == (4426, "version")

    play(scenario)
    assert stored(house) == {}


@pytest.mark.parametrize("kind", ["one-message", "fragments", "endless"])
def test_an_oversized_message_ends_the_link(house: Any, play: Any, kind: str) -> None:
    size = frames.MAX_FRAME_BYTES + 100_000

    async def fragments(count: int) -> Any:
        for _ in range(count):
            yield b"x" * 65_536

    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        sent: Any = b"x" * size
        if kind != "one-message":
            sent = fragments(40 if kind == "fragments" else 10_000)
        with suppress(ConnectionClosed):  # the server cuts off whoever goes on sending
            await agent.websocket.send(sent)
        code, _ = await agent.closed()
        assert code in (1009, 1006)

    play(scenario)
    assert house.count(events) == 0


def test_the_servers_limit_and_ours_are_different_codes(house: Any, play: Any) -> None:
    """Just above the announced limit the link itself answers, with a goodbye."""

    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        session = served.gateway.sessions[0]
        session.link.max_frame_bytes = 1_000
        await agent.websocket.send(b"x" * 2_000)
        assert await agent.closed() == (4413, "too_large")

    play(scenario)


def test_whoever_goes_on_sending_after_the_end_leaves_nothing_behind(play: Any) -> None:
    """Messages that nobody reads any more must not keep the connection's task alive for ever."""

    def connections() -> int:
        return sum("_server_callback" in repr(task.get_coro()) for task in asyncio.all_tasks())

    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        assert connections() == 1
        with suppress(ConnectionClosed):
            for _ in range(60):
                await agent.websocket.send(b"not signed" * 100)
        assert (await agent.closed())[0] in (4403, 1006)
        for _ in range(6_000):
            if not connections():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the connection's task is still there")

    play(scenario)


def test_compression_is_declined(play: Any, make: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect(compression="deflate")
        assert "Sec-WebSocket-Extensions" not in agent.websocket.response.headers
        agent.push(make())
        await agent.deliver()

    play(scenario)


def test_revoking_ends_the_live_link_at_once(house: Any, play: Any, make: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        agent.push(make())
        await agent.deliver()
        assert served.parts.registry.drop_token(uuid.uuid4(), "revoked") == 0
        assert served.parts.registry.drop_token(house.token_id, "revoked") == 1
        assert await agent.closed() == (4401, "revoked")

    play(scenario)
    assert house.count(events) == 1


def test_a_token_revoked_between_admission_and_proof_opens_no_link(house: Any, play: Any) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.open()
        await agent.greet()
        await agent.until(lambda: agent.link.state is State.OPEN)
        with house.database.write() as connection:
            agent_tokens.revoke(connection, house.agent_id, house.token_id, 1)
        agent.link.send(frames.Heartbeat(1), 1)
        await agent.flush()
        assert await agent.closed() == (4401, "revoked")

    play(scenario)
    assert stored(house) == {}


@pytest.mark.parametrize("ending", ["token", "agent", "end"])
def test_a_token_that_ends_elsewhere_drops_its_links_on_every_server(
    house: Any, ending: str
) -> None:
    """As revoked by another replica or the command line, or at its set end; others stay."""

    def end() -> None:
        with house.database.write() as connection:
            if ending == "token":
                agent_tokens.revoke(connection, house.agent_id, house.token_id, 1)
            elif ending == "agent":
                agents_store.revoke(connection, house.agent_id, 1)
            else:
                agent_tokens.end_at(connection, house.token_id, now())

    async def scenario(servers: list[Any], other_id: uuid.UUID, other: Any) -> None:
        ended = [server.agent(f"w{place}") for place, server in enumerate(servers)]
        kept = [server.agent(f"k{at}", credential=other) for at, server in enumerate(servers)]
        for agent in (*ended, *kept):
            await agent.connect()
        end()
        for agent in ended:
            assert await agent.closed() == (4401, "revoked")
        if ending == "agent":
            for agent in kept:
                assert await agent.closed() == (4401, "revoked")
        else:
            for server in servers:
                live = {session.token_id for session in server.parts.registry.sessions()}
                assert other_id in live
        with pytest.raises(InvalidStatus):
            await servers[0].agent("again").open()
        if ending != "agent":
            await servers[-1].agent("again", credential=other).connect()

    async def run() -> None:
        other_id, other = house.mint()
        async with house.serve() as one:
            # On SQLite one server is all there is: another would take its workers for dead.
            if not house.database.is_postgres:
                await scenario([one], other_id, other)
                return
            async with house.serve() as two:
                await scenario([one, two], other_id, other)

    asyncio.run(run())


def test_a_silent_client_is_dropped(house: Any, play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("z4j_brain.link.session.HELLO_S", 0.05)

    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.open()
        assert await agent.closed() == (4408, "silence")

    play(scenario)
    assert stored(house) == {}


def test_silence_after_the_proof_ends_the_link(
    house: Any, play: Any, wait_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        await wait_for(served.parts.registry.online)
        # Not before: the greeting itself may take longer than that.
        monkeypatch.setattr("z4j_brain.link.session._SILENCE_US", 10_000)
        assert await agent.closed() == (4408, "silence")

    play(scenario)
    [worker] = house.rows(workers)
    assert not worker["online"]


def test_commands_reach_the_worker_and_only_a_live_one(house: Any, play: Any) -> None:
    async def scenario(served: Any) -> None:
        registry = served.parts.registry
        command = frames.Command("c1", "celery", "retry", b"{}")
        assert not registry.deliver(uuid.uuid4(), command)
        agent = served.agent()
        await agent.connect()
        async with asyncio.timeout(60):
            while not registry.online():  # noqa: ASYNC110 - the proof has no event here
                await asyncio.sleep(0.01)
        [row] = registry.online()
        assert registry.deliver(row, command)
        await agent.until(lambda: command in agent.received)
        await agent.cut()
        async with asyncio.timeout(60):
            while registry.online():  # noqa: ASYNC110 - the end has no event here
                await asyncio.sleep(0.01)
        assert not registry.deliver(row, command)

    play(scenario)


def test_numbers_without_end_are_only_numbers(house: Any, play: Any, wait_for: Any) -> None:
    """JSON knows no largest number: what a heartbeat tells is bounded before it is used."""

    async def scenario(served: Any) -> None:
        agent = served.agent(codec=JSON)
        await agent.connect()
        await wait_for(served.parts.registry.online)
        for digits in (10**400, 0, 2 * 10**400):
            beat = ["heartbeat", 1, *[digits] * 9]
            await agent.websocket.send(agent.link._out.sign(msgspec.json.encode(beat)))
        agent.link.send(frames.Heartbeat(1), 1)
        await agent.flush()
        await wait_for(lambda: [row["rss_bytes"] for row in house.rows(workers)] == [0])
        assert served.parts.registry.online()

    play(scenario)


def test_a_link_brings_only_so_much_to_our_log(
    play: Any, wait_for: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(served: Any) -> None:
        agent = served.agent()
        await agent.connect()
        for number in range(100):
            agent.link.send(frames.Error("bad", f"complaint {number}"), 1)
        agent.link.send(frames.Goodbye("shutdown", ""), 1)
        await agent.flush()
        await agent.closed()
        await wait_for(lambda: not served.gateway.sessions)

    play(scenario)
    assert "complaint 0" in caplog.text
    assert "complaint 50" not in caplog.text
    assert caplog.text.count("complains") == 20


def test_the_signing_key_of_another_project_is_refused(house: Any, play: Any) -> None:
    async def scenario(served: Any) -> None:
        mine = house.credential
        key = house.keys.signing_key(uuid.uuid4(), house.agent_id, house.token_id)
        agent = served.agent(credential=msgspec.structs.replace(mine, signing_key=key))
        await agent.open()
        await agent.greet()
        assert await agent.closed() == (4403, "bad_signature")

    play(scenario)
    assert stored(house) == {}
