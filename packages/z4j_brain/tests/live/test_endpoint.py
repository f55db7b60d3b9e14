"""`/ws/dashboard` on a real server: who may read, what a client may say, what it sees."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import delete
from websockets.exceptions import InvalidStatus

from z4j_brain import clock
from z4j_brain.api import live
from z4j_brain.audit.author import from_server
from z4j_brain.auth import account, session_watch
from z4j_brain.auth.browser import HOUR_US
from z4j_brain.store import sessions as session_rows
from z4j_brain.store.schema import sessions

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)


def test_who_may_read(play: Any) -> None:
    async def scenario(served: Any) -> None:
        async with served.reader("nonsense") as reader:
            assert await reader.closed() == 4401
        async with served.reader(project="other") as reader:
            assert await reader.closed() == 4404
        async with served.reader(served.session(None)) as reader:
            assert await reader.closed() == 4404
        async with served.reader(served.session(None, is_admin=True)) as reader:
            assert (await reader.next())["type"] == "ready"
        for role in ("viewer", "operator", "auditor", "admin"):
            async with served.reader(served.session(role)) as reader:
                assert (await reader.next())["type"] == "ready"
        for origin in ("http://evil.example", "null"):
            with pytest.raises(InvalidStatus) as refused:
                async with served.reader(origin=origin):
                    pass
            assert refused.value.response.status_code == 403

    play(scenario)


def test_what_a_client_may_say(play: Any) -> None:
    async def scenario(served: Any) -> None:
        for message in (
            "",
            "{}",
            "[]",
            "null",
            "[" * 3_000,
            '{"type":"publish"}',
            '{"type":"subscribe"}',
            '{"type":"subscribe","project":5}',
            '{"type":"subscribe","project":"shop","offset":-1}',
            '{"type":"subscribe","project":"shop","offset":9223372036854775808}',
            '{"type":"subscribe","project":"shop","topics":["secrets"]}',
            '{"type":"subscribe","project":"' + "x" * 200 + '"}',
            '{"type":"subscribe","project":"shop","pad":"' + "x" * 5_000 + '"}',
            b'{"type":"subscribe","project":"shop"}',
        ):
            async with served.reader(type="nothing") as reader:
                await reader.socket.send(message)
                assert await reader.closed() == 4400, message
        async with served.reader() as reader:
            await reader.next()
            await reader.socket.send(json.dumps({"type": "subscribe", "project": "shop"}))
            assert await reader.closed() == 4400
        for project in ("shop\0", "\ud800"):
            async with served.reader(project=project) as reader:
                assert await reader.closed() == 4400

    play(scenario)


def test_a_silent_client_is_let_go(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SUBSCRIBE_WITHIN_S", 0.05)

    async def scenario(served: Any) -> None:
        async with served.reader(type="nothing") as reader:
            assert await reader.closed() == 4400

    play(scenario)


def test_signing_out_ends_the_feed(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "CHECK_ACCESS_EVERY_S", 60.0)

    async def scenario(served: Any) -> None:
        async with served.reader() as reader:
            assert (await reader.next())["type"] == "ready"
            with served.brain.database.write() as connection:
                connection.execute(delete(sessions))
            assert await reader.closed() == 4401

    play(scenario)


def test_a_session_that_is_ended_here_ends_its_feeds_at_once(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_watch, "LOOK_EVERY_S", 3600.0)

    async def scenario(served: Any) -> None:
        token, bystander = served.session(), served.session()
        async with (
            served.reader(token) as one,
            served.reader(token) as two,
            served.reader(bystander) as three,
        ):
            for reader in (one, two, three):
                assert (await reader.next())["type"] == "ready"
            with served.brain.database.read() as connection:
                session = session_rows.find(
                    connection, served.brain.keys.session_hash(token), clock.now(), HOUR_US
                )
            assert session is not None
            author = from_server(served.brain.keys)
            assert await account.end_session(served.brain, author, session, session.id)
            assert [await one.closed(), await two.closed()] == [4401, 4401]
            assert served.brain.hub.reader_count(served.project_id) == 1

    play(scenario)


def test_a_reader_that_leaves_is_forgotten(play: Any) -> None:
    async def scenario(served: Any) -> None:
        async with served.reader() as reader:
            await reader.next()
            assert served.brain.hub.reader_count(served.project_id) == 1
        async with asyncio.timeout(60):
            while served.brain.hub.reader_count(served.project_id):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    play(scenario)


def test_the_server_says_when_it_stops(play: Any) -> None:
    async def scenario(served: Any) -> None:
        async with served.reader() as reader:
            await reader.next()
            served.stop.set()
            assert await reader.closed() == 1012

    play(scenario)
