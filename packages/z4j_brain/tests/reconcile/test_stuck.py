"""Tasks that seem stuck: who is asked, how often, and what becomes of them in the record."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import msgspec
import pytest
from sqlalchemy import event as sql_event
from sqlalchemy import insert, select, update

from z4j_brain.commands.service import Commands
from z4j_brain.keys import Keys
from z4j_brain.live.changes import Changes
from z4j_brain.reconcile.stuck import StuckTasks
from z4j_brain.settings import load
from z4j_brain.store import commands as command_store
from z4j_brain.store import open_tasks, task_probes
from z4j_brain.store.schema import commands, events, tasks, workers
from z4j_brain.store.schema import task_probes as probe_table
from z4j_brain.tasks.detail import read_task
from z4j_core.capability import Action as CapabilityAction
from z4j_core.capability import ActionMark, Target
from z4j_core.frames import ActionInfo, Command, EngineInfo
from z4j_core.plugins.probing import MAX_PROBED, ProbeParams, ProbeResult

KEYS = Keys(b"m" * 40, b"s" * 40)
MINUTE = 1 / 1440  # in days, the unit of the record's times
MARK = ActionMark(Target.ENGINE, "Probe", "", False, None, internal=True)
PROBE = CapabilityAction("probe", MARK, ProbeParams, ProbeResult).info()
ENGINES = [msgspec.to_builtins(EngineInfo("celery", "5", [PROBE]))]


class Links:
    """Stands for the links of this process: takes what is sent."""

    def __init__(self) -> None:
        self.linked: set[uuid.UUID] = set()
        self.sent: list[tuple[uuid.UUID, Command]] = []

    def deliver(self, worker_row: uuid.UUID, command: Command) -> bool:
        self.sent.append((worker_row, command))
        return worker_row in self.linked

    def online(self) -> set[uuid.UUID]:
        return set(self.linked)


class Hub:
    """Stands for the live feed."""

    def __init__(self) -> None:
        self.keys: list[tuple[str, str]] = []

    def publish(self, project_id: uuid.UUID, offset: int, changes: Changes) -> None:
        self.keys += changes.task_keys


class House:
    """A record, the steps under test, and agents that answer as the test says."""

    def __init__(self, record: Any) -> None:
        self.record, self.links, self.hub = record, Links(), Hub()
        commands = Commands(record.database, self.links, self.hub, KEYS)  # type: ignore[arg-type]
        settings = load({}).settings
        counters = record.counters
        self.steps = StuckTasks(record.database, settings, counters, commands, self.hub)

    def lose(self, name: str, minutes_ago: float) -> None:
        seen = self.record.at(minutes_ago * MINUTE)
        self._change(name, online=False, last_seen=seen, ended_at=seen)

    def prober(self, name: str = "w9", **fields: Any) -> uuid.UUID:
        row: uuid.UUID = self.record.add_worker(name, engines=ENGINES, online=True, **fields)
        self.links.linked.add(row)
        return row

    def look(self) -> list[tuple[uuid.UUID, list[str]]]:
        """Look once; return who was asked about which tasks."""
        before = len(self.links.sent)
        asyncio.run(self.steps.look())
        return [
            (row, [task.task_id for task in _asked(command)])
            for row, command in self.links.sent[before:]
        ]

    def answer(self, *verdicts: str, asked: str = "w9", ok: bool = True) -> None:
        """Answer the last question, and let the leader read it."""
        row, command = self.links.sent[-1]
        result = msgspec.json.encode({"verdicts": verdicts, "asked": asked}).decode()
        with self.record.database.write() as connection:
            command_store.finish(
                connection, row, command.id, ok, result, None if ok else "busy", self.record.now
            )
        asyncio.run(self.steps.take_answers())

    def later(self, minutes: float) -> None:
        """Let time pass, for the questions that were asked."""
        back = int(minutes * 60_000_000)
        with self.record.database.write() as connection:
            rows = connection.execute(select(probe_table)).mappings().all()
            for row in rows:
                connection.execute(
                    update(probe_table)
                    .where(probe_table.c.task_id == row["task_id"])
                    .values(next_at=row["next_at"] - back)
                )

    def task(self, task_id: str) -> Any:
        with self.record.database.read() as connection:
            return read_task(connection, self.record.project_id, "celery", task_id, frozenset())

    def state(self, task_id: str) -> str:
        return str(self.task(task_id).task.state)

    def _change(self, name: str, **values: Any) -> None:
        with self.record.database.write() as connection:
            connection.execute(update(workers).where(workers.c.worker_id == name).values(**values))


def _asked(command: Command) -> Any:
    return msgspec.json.decode(command.params, type=ProbeParams).tasks


@pytest.fixture
def house(record: Any) -> House:
    return House(record)


def live(house: House, task_id: str, minutes_ago: float, *kinds: str) -> None:
    house.record.live(task_id, minutes_ago * MINUTE, *kinds)


def test_only_the_tasks_of_a_worker_that_is_gone_for_the_grace_are_asked_about(
    house: House,
) -> None:
    for task_id, kinds in {
        "waits": ("published",),
        "held": ("published", "received"),
        "runs": ("published", "received", "started"),
        "again": ("started", "retried"),
        "done": ("started", "succeeded"),
    }.items():
        live(house, task_id, 5, *kinds)
    row = house.prober()
    assert house.look() == [], "its worker is online"
    house.lose("w1", 1)
    assert house.look() == [], "it is gone for a minute, the grace is two"
    house.lose("w1", 3)
    assert house.look() == [(row, ["held", "runs"])]
    assert house.look() == [], "one question at a time"


def test_what_nobody_knows_is_unknown_since_the_last_fact_and_says_why(house: House) -> None:
    live(house, "runs", 5, "published", "received", "started")
    house.prober()
    house.lose("w1", 4)
    house.look()
    house.answer("unknown", asked="w9, 2 other workers and the result backend redis")
    found = house.task("runs")
    assert found.task.state == "unknown"
    assert found.task.unknown_at == house.record.at(5 * MINUTE)
    assert found.task.ended_at is None
    assert (found.task.worker, found.task.started_at) == ("w1", house.record.at(5 * MINUTE))
    assert found.task.unknown_reason.startswith("Its worker w1 was last seen 2")
    assert "2 other workers and the result backend redis; nobody" in found.task.unknown_reason
    [attempt] = found.attempts
    assert (attempt.state, attempt.reason) == ("unknown", found.task.unknown_reason)
    assert house.hub.keys == [("celery", "runs")]
    told = house.record.column(events.c.kind)
    assert told.count("unknown") == 1
    # Delivered again, it moves on.
    live(house, "runs", 1, "received", "started")
    assert house.state("runs") == "running"
    live(house, "runs", 0, "succeeded")
    assert house.state("runs") == "succeeded"
    assert house.look() == []


def test_a_task_that_waits_is_never_unknown(house: House) -> None:
    live(house, "waits", 90, "published")
    live(house, "young", 30, "published")
    row = house.prober()
    house.lose("w1", 80)
    assert house.look() == [(row, ["waits"])], "a backend may know more"
    house.answer("unknown")
    assert house.state("waits") == "queued"
    house.later(2)
    house.links.linked.clear()
    house.lose("w9", 80)
    house.look()
    assert house.state("waits") == "queued"


def test_the_worker_itself_is_asked_about_a_task_that_runs_for_long(house: House) -> None:
    live(house, "runs", 90, "started")
    house.prober()
    row = house.prober("w1", first_seen=house.record.at(90 * MINUTE))
    assert house.look() == [(row, ["runs"])]
    house.answer("alive")
    found = house.task("runs")
    assert (found.task.state, found.alive_at) == ("running", house.record.now)
    house.later(10)
    assert house.look() == [], "a worker that holds it is not asked again so soon"
    house.later(25)
    assert house.look() == [(row, ["runs"])]
    for _ in range(12):
        house.answer("alive")
        house.later(125)
        assert house.look() == [(row, ["runs"])], "as long as it runs"
    house.answer("unknown", asked="")
    assert house.task("runs").task.unknown_reason == (
        "Its worker w1 is online, but does not hold it. An agent was asked, and nobody knows it."
    )


def test_a_backlog_is_asked_about_now_and_then_and_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(house, "waits", 90, "published")
    live(house, "young", 70, "published")
    house.prober()
    assert len(house.look()) == 1
    house.answer("unknown", "unknown")
    house.later(2_000)
    assert house.look() == [], "not again within ten minutes"
    monkeypatch.setattr("z4j_brain.reconcile.stuck.QUEUED_EVERY_S", 0.0)
    assert len(house.look()) == 1
    house.answer("unknown", "unknown")
    house.later(2_000)
    assert house.look() == []
    assert {house.state("waits"), house.state("young")} == {"queued"}


def test_questions_become_rare_and_end(house: House) -> None:
    live(house, "runs", 90, "started")
    house.prober()
    house.lose("w1", 80)
    waits = []
    for _ in range(20):
        if not house.look():
            break
        house.answer("unknown")
        with house.record.database.read() as connection:
            row = connection.execute(select(probe_table)).one()
        waits.append(round((row.next_at - row.asked_at) / 60_000_000))
        house.later(2_000)
    assert waits[:9] == [1, 5, 30, 120, 480, 1440, 1440, 1440, 1440]
    assert len(waits) == 10
    assert house.record.column(events.c.kind).count("unknown") == 1, "said once"
    live(house, "runs", 70, "received")
    house.later(0)
    assert len(house.look()) == 1, "a later fact begins a new life"


def test_an_agent_that_does_not_answer_is_asked_three_times(house: House) -> None:
    live(house, "runs", 5, "started")
    house.prober()
    house.lose("w1", 4)
    for expected in ("running", "running", "unknown"):
        assert len(house.look()) == 1
        house.answer(ok=False)
        assert house.state("runs") == expected
        house.later(2_000)
    assert house.task("runs").task.unknown_reason.endswith(
        "3 times agents were asked, and could not tell."
    )


@pytest.mark.parametrize("result", ['{"verdicts":["sure"]}', "[]", '{"verdicts":[]}', "null"])
def test_an_answer_that_is_none_changes_nothing(house: House, result: str) -> None:
    live(house, "runs", 5, "started")
    house.prober()
    house.lose("w1", 4)
    house.look()
    row, command = house.links.sent[-1]
    with house.record.database.write() as connection:
        command_store.finish(connection, row, command.id, True, result, None, house.record.now)
    asyncio.run(house.steps.take_answers())
    assert house.state("runs") == "running"
    house.later(2)
    assert len(house.look()) == 1


def test_a_fact_that_comes_while_the_agent_is_asked_wins(house: House) -> None:
    live(house, "runs", 5, "started")
    house.prober()
    house.lose("w1", 4)
    house.look()
    live(house, "runs", 3, "received")
    house.answer("unknown")
    assert house.state("runs") == "running"


def test_without_an_agent_the_leader_records_it_alone(house: House) -> None:
    live(house, "runs", 5, "started")
    live(house, "waits", 5, "published")
    house.lose("w1", 4)
    assert house.look() == []
    assert house.state("runs") == "unknown"
    assert house.state("waits") == "queued"
    assert house.task("runs").task.unknown_reason.endswith(
        "No agent that could be asked about tasks of celery was online then."
    )
    with house.record.database.read() as connection:
        rows = connection.execute(select(events.c.kind, events.c.worker_row)).all()
    assert ("unknown", uuid.UUID(int=0)) in [tuple(row) for row in rows]
    assert house.record.counters.unknown_tasks == 1
    # An agent that comes online later is asked all the same.
    row = house.prober()
    house.later(2)
    assert house.look() == [(row, ["runs"])]


def test_a_strangers_action_of_that_name_is_not_called(house: House) -> None:
    live(house, "runs", 5, "started")
    house.lose("w1", 4)
    other = [msgspec.to_builtins(EngineInfo("celery", "5", [ActionInfo("probe", "engine")]))]
    house.links.linked.add(house.record.add_worker("w9", engines=other))
    assert house.look() == []
    assert house.state("runs") == "unknown"


def test_a_question_is_bounded_and_the_rest_comes_next(house: House) -> None:
    names = [f"t{number:04}" for number in range(MAX_PROBED + 20)]
    house.record.tell(
        5 * MINUTE, *(house.record.event(name, "started", 5 * MINUTE) for name in names)
    )
    house.prober()
    house.lose("w1", 4)
    [(_, first)] = house.look()
    assert len(first) == MAX_PROBED
    house.answer(*["alive"] * MAX_PROBED)
    [(_, second)] = house.look()
    assert sorted(first + second) == names


def test_open_tasks_are_walked_by_their_index_page_by_page(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = house.record
    monkeypatch.setattr(open_tasks, "PAGE", 10)
    for number in range(25):
        live(house, f"t{number:02}", 60 - number, "started")
    house.lose("w1", 10)
    record.add_worker("w1", online=True)  # so that nothing is asked
    seen, after = [], 0
    statements: list[Any] = []

    def remember(*arguments: Any) -> None:
        statements.append(arguments[2:4])

    while True:
        with record.database.read() as connection:
            sql_event.listen(connection.engine, "before_cursor_execute", remember)
            page = open_tasks.page(connection, record.project_id, after, record.now, 0)
            sql_event.remove(connection.engine, "before_cursor_execute", remember)
        seen.append([task.task_id for task in page.tasks])
        if page.next is None:
            break
        after = page.next
    assert [len(names) for names in seen] == [10, 10, 5]
    assert [name for names in seen for name in names] == [f"t{number:02}" for number in range(25)]
    # Few rows of 25: PostgreSQL may serve the bounded rest by any index.
    explain = "EXPLAIN " if record.database.is_postgres else "EXPLAIN QUERY PLAN "
    with record.database.read() as connection:
        plan = connection.exec_driver_sql(explain + statements[0][0], statements[0][1]).all()
        if record.database.is_postgres:
            assert "Index" in str(plan) or "Seq Scan" in str(plan)
        else:
            assert "ix_tasks_ended" in str(plan), plan


def test_a_command_that_is_gone_is_no_answer(house: House) -> None:
    live(house, "runs", 5, "started")
    house.prober()
    house.lose("w1", 4)
    house.look()
    with house.record.database.write() as connection:
        connection.execute(commands.delete())
    asyncio.run(house.steps.take_answers())
    with house.record.database.read() as connection:
        assert not task_probes.is_awaited(connection, house.record.project_id, "celery")
    assert house.state("runs") == "running"


def test_a_foreign_project_is_left_alone(house: House) -> None:
    live(house, "runs", 5, "started")
    house.lose("w1", 4)
    with house.record.database.write() as connection:
        row = dict(connection.execute(select(tasks)).mappings().one())
        row.pop("trouble")
        row["project_id"] = uuid.uuid4()
        connection.execute(insert(tasks).values(**row))
    house.look()
    assert sorted(house.record.column(tasks.c.state)) == ["running", "unknown"]
