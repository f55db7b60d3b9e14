"""How rows come to be: with their change or not at all, one after the other, bounded, redacted."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from z4j_brain.audit.author import Actor, Author, Target
from z4j_brain.audit.recording import BEGUN, MAX_BYTES, begin, record
from z4j_brain.store import audit, projects
from z4j_brain.store.audit import INSTANCE, Choice


def test_a_row_says_who_did_what_to_what_and_from_where(log: Any) -> None:
    log.add(1, before={"role": "viewer"}, after={"role": "admin"}, now=123)
    row = log.rows()[0]
    assert (row.number, row.at, row.actor_kind, row.actor_name) == (
        1,
        123,
        "person",
        "ada@example.org",
    )
    assert row.actor_id == str(log.author.actor.id)
    assert (row.object_kind, row.object_id, row.object_name) == ("agent", "0", "agent 0")
    assert (row.before, row.after) == ('{"role":"viewer"}', '{"role":"admin"}')
    assert (row.address, row.request_id) == ("::1", "r1")


def test_a_change_that_is_undone_leaves_no_row(log: Any) -> None:
    target = Target("agent", None, "a")

    def fail() -> None:
        with log.database.write() as connection:
            record(connection, log.author, "agent.created", target, project_id=log.project_id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert log.rows() == []
    log.add(1)
    assert log.is_whole()


def test_writers_at_the_same_time_make_one_chain(log: Any) -> None:
    """Some of them in a project whose chain nobody has begun yet."""
    with log.database.write() as connection:
        fresh = projects.create(connection, name="Fresh", now=1).id
    meet = threading.Barrier(4)

    def write(index: int) -> None:
        meet.wait()
        for _ in range(8):
            with log.database.write() as connection:
                project = (log.project_id, fresh, None)[index % 3]
                record(connection, log.author, "x.y", Target("x", None, "x"), project_id=project)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert log.is_whole()
    assert (len(log.rows()), len(log.rows(fresh))) == (16, 8)


def test_chains_are_begun_once(log: Any) -> None:
    with log.database.write() as connection:
        projects.create(connection, name="Second", now=1)
        begin(connection, log.author.keys)
        begin(connection, log.author.keys)
    assert [row.action for row in log.rows(INSTANCE)] == [BEGUN] * 2
    assert log.is_whole()


def test_secrets_are_taken_out_and_everything_is_bounded(log: Any) -> None:
    author = Author(
        log.author.keys, Actor("agent", None, "n" * 9_000 + "\0"), "a" * 9_000, "\ud800"
    )
    big = {"password": "hunter2", "text": "\0" + "z" * 100_000, "many": list(range(10_000))}
    with log.database.write() as connection:
        target = Target("user", "i" * 9_000, "mail password=hunter2 \0\ud800")
        record(connection, author, "x.y", target, before=big, after=big)
    row = log.rows(INSTANCE)[-1]
    assert "hunter2" not in repr(row)
    for text in (row.before, row.after):
        assert text is not None
        assert len(text.encode()) <= MAX_BYTES
        assert msgspec.json.decode(text)["many"][0] == 0
    assert (
        max(map(len, (row.actor_name, row.object_name, row.object_id or "", row.address or "")))
        <= 200
    )
    assert log.is_whole()


def test_rows_are_found_by_actor_action_object_and_time(log: Any) -> None:
    log.add(3, now=10)
    robot = Author(log.author.keys, Actor("agent", None, "robot"))
    for action in ("command.retry", "command.retry.failed", "command.retry_edited", "commandx"):
        with log.database.write() as connection:
            target = Target("task", "t1", "app.send")
            record(connection, robot, action, target, project_id=log.project_id, now=20)

    def found(**choice: Any) -> list[int]:
        with log.database.read() as connection:
            chosen = Choice(**choice)
            rows = audit.page(connection, log.project_id, chosen, limit=50)
            assert audit.count(connection, log.project_id, chosen, 50) == len(rows)
        return [row.number for row in rows]

    assert found() == [7, 6, 5, 4, 3, 2, 1]
    assert found(actor="robot") == [7, 6, 5, 4]
    assert found(actor=str(log.author.actor.id)) == found(actor="ada@example.org") == [3, 2, 1]
    assert found(action="command") == [6, 5, 4]
    assert found(action="command.retry") == [5, 4]
    assert found(object="agent 1") == found(object="1") == [2]
    assert found(since=20) == [7, 6, 5, 4]
    assert found(until=20, object="2") == [3]
