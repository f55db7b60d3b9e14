"""Nothing that an agent sends reaches the record without the built-in and the project's rules."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec
import pytest
from sqlalchemy import inspect, text

from z4j_brain.ingest.writer import Writer
from z4j_brain.redaction.projects import ProjectCleaners
from z4j_brain.store import redaction_rules, users
from z4j_brain.store.database import Database
from z4j_brain.store.schema import events, tasks
from z4j_core import frames
from z4j_core.events import Kind

STAFF, SECRET, PLATE, MAIL = "ST-1234", "x7x7x7x7", "B-XY 77", "jane@example.org"
TOLD = f"staff {STAFF} password={SECRET} plate_number: '{PLATE}' by {MAIL}"
RULES = {
    "keys": ["plate number"],
    "patterns": [{"name": "staff", "pattern": r"\bST-[0-9]{4}\b"}],
    "emails": True,
}


@pytest.fixture
def cleaners(record: Any, database: Database) -> ProjectCleaners:
    """The cleaners of a project with rules of its own."""
    with database.write() as connection:
        user = users.create(
            connection, email="a@b.c", name="A", password_hash="-", is_admin=True, now=1
        )
        project, rules = record.project_id, msgspec.json.encode(RULES).decode()
        redaction_rules.replace(connection, project, "{}", user_id=user.id, now=1)
        redaction_rules.replace(connection, project, rules, user_id=user.id, now=2)
    found = ProjectCleaners(database)
    asyncio.run(found.refresh())
    return found


def store(database: Database, feed: Any, cleaners: ProjectCleaners, *arrivals: Any) -> list[Any]:
    finished: list[Any] = []

    def finish(*given: Any) -> uuid.UUID:
        finished.append(given[2:6])
        return uuid.UUID(int=7)

    async def run() -> None:
        writer = Writer(database, feed, replica="me", finish=finish, cleaner_of=cleaners.of)
        for arrived in arrivals:
            await writer.put(arrived)
        await writer.start()
        await writer.stop(30)

    asyncio.run(run())
    return finished


def everything(database: Database) -> str:
    """Every value of every table that frames of agents are written to."""
    names = {"redaction_rules", "users"}
    with database.read() as connection:
        tables = [name for name in inspect(connection).get_table_names() if name not in names]
        rows = [connection.execute(text(f"SELECT * FROM {name}")).all() for name in tables]
    return str(rows)


def test_every_frame_of_an_agent_is_redacted_by_the_projects_rules(
    record: Any, database: Database, feed: Any, cleaners: ProjectCleaners, event: Any
) -> None:
    data = {
        "args": [TOLD, 1],
        "kwargs": {"plateNumber": PLATE, "note": TOLD},
        "exact": True,
        "result": {"text": TOLD},
        "reason": TOLD,
        "exception": {"type": "ValueError", "message": TOLD},
        "traceback": f'Traceback:\n  File "a.py", line 1, in f\n    f("{TOLD}")\nE: {TOLD}',
        TOLD: 1,
    }
    told, undecodable, result, gap = (record.frame(seq) for seq in (1, 2, 3, 4))
    told.events.extend([event("t1", Kind.FAILED, payload=data), event("t2", payload=b"[1]")])
    undecodable.undecodable = [f"cannot read {TOLD}"]
    result.result = frames.Result(3, "c1", False, msgspec.json.encode({"a": TOLD}), TOLD)
    gap.gap = frames.Gap(4, 3, {TOLD: 3}, 1, 2, TOLD)
    finished = store(database, feed, cleaners, told, undecodable, result, gap)
    written = everything(database) + str(finished)
    assert "staff [redacted] password=[redacted]" in written
    for secret in (STAFF, SECRET, PLATE, MAIL):
        assert secret not in written
    [row] = [row for row in record.rows(tasks) if row["task_id"] == "t1"]
    assert row["state"] == "failed"


def test_arguments_that_the_server_hid_are_no_longer_exact(
    record: Any, database: Database, feed: Any, cleaners: ProjectCleaners, event: Any
) -> None:
    hidden = {"args": [STAFF], "kwargs": {}, "exact": True}
    shown = {"args": ["ST-12"], "kwargs": {}, "exact": True}
    frame = record.frame(1, event("t1", payload=hidden), event("t2", payload=shown))
    store(database, feed, cleaners, frame)
    stored = {row["task_id"]: msgspec.json.decode(row["payload"]) for row in record.rows(events)}
    assert stored["t1"] == {"args": ["[redacted]"], "kwargs": {}, "exact": False}
    assert stored["t2"] == shown


def test_another_project_has_the_built_in_rules_only(cleaners: ProjectCleaners) -> None:
    redacted = cleaners.of(uuid.uuid4()).events.text(TOLD)
    assert SECRET not in redacted
    assert STAFF in redacted
    assert MAIL in redacted


def test_rules_that_cannot_be_used_any_more_leave_the_built_in_ones(
    record: Any, database: Database, cleaners: ProjectCleaners, caplog: pytest.LogCaptureFixture
) -> None:
    with database.write() as connection:
        connection.execute(
            text("UPDATE redaction_rules SET version = 9, rules = :rules"),
            {"rules": '{"patterns":[{"name":"staff","pattern":"("}]}'},
        )
    asyncio.run(cleaners.refresh())
    assert SECRET not in cleaners.of(record.project_id).events.text(TOLD)
    assert "Store its rules again" in caplog.text
