"""One worker reads each store; what it tells is folded: new, changed, gone, missed, late."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, ClassVar

import msgspec
import pytest
from queue_yard import NOON

from z4j_brain.clock import now
from z4j_brain.overview.notices import notices
from z4j_brain.reconcile.counters import Counters
from z4j_brain.reconcile.missed import MissedSchedules
from z4j_brain.reconcile.retention import RULES
from z4j_brain.redaction.cleaner import BUILT_IN, Cleaner
from z4j_brain.schedules.polling import Polling
from z4j_brain.schedules.preparing import prepared
from z4j_brain.store import expiry, schedules, schedules_write
from z4j_brain.store.schedule_election import MAX_STORES, StoreKey
from z4j_brain.store.schedules import UNREAD_US, Chosen
from z4j_brain.store.schedules_write import GRACE_US, Reading
from z4j_brain.store.schema import schedule_stores
from z4j_brain.store.schema import schedules as table
from z4j_core import frames
from z4j_core.redaction.rules import Rule
from z4j_core.schedules import Owner, WireSchedule

S = 1_000_000
STORE = "00000000000000aa"
OTHER = "00000000000000bb"
BEAT = frames.SchedulerInfo("beat", "celery", STORE)
SLOW = frames.SchedulerInfo("beat", "celery", STORE, lag_s=180.0)


class Links:
    """The registry, to which these workers are linked."""

    def __init__(self, *linked: Any) -> None:
        self.linked = set(linked)
        self.told: list[tuple[Any, frames.WatchSchedules]] = []

    def watch(self, worker_row: Any, watch: frames.WatchSchedules) -> bool:
        if worker_row in self.linked:
            self.told.append((worker_row, watch))
        return worker_row in self.linked


class Feed:
    """What was published."""

    changes: ClassVar[list[Any]]

    def __init__(self) -> None:
        self.changes = []  # type: ignore[misc]

    def publish(self, project_id: Any, offset: int, changes: Any) -> None:
        self.changes.append(changes.schedules)


def wire(name: str = "nightly", **fields: Any) -> WireSchedule:
    known: dict[str, Any] = {
        "id": name,
        "name": name,
        "timing": "every 60 s",
        "owner": Owner.STORE,
        "task": "app.report",
        "every_s": 60.0,
    }
    return WireSchedule(**(known | fields))


def polling(yard: Any, links: Links, feed: Feed | None = None) -> Polling:
    return Polling(yard.database, links, feed or Feed(), lambda _: BUILT_IN)


def told(*found: WireSchedule, **fields: Any) -> frames.Schedules:
    return frames.Schedules("beat", STORE, list(found), fields.pop("total", len(found)), **fields)


def known(yard: Any, **chosen: Any) -> dict[str, schedules.ScheduleRecord]:
    with yard.database.read() as connection:
        found = schedules.page(
            connection, yard.project_id, Chosen(**chosen), after=None, limit=2_000
        )
    return {one.schedule: one for one in found}


def store_of(yard: Any, at: int | None = None) -> schedules.StoreRecord:
    with yard.database.read() as connection:
        [found] = schedules.stores(connection, yard.project_id, at or now())
    return found


def test_one_worker_reads_and_another_takes_over(yard: Any) -> None:
    first, second = yard.add_worker("w1"), yard.add_worker("w2", first_seen=NOON + 1)
    links, feed = Links(first, second), Feed()
    care = polling(yard, links, feed)

    async def scenario() -> None:
        for row in (second, first):
            care.told(row, yard.project_id, [BEAT])
        await care.turn()
        watch = frames.WatchSchedules(5.0, [frames.WatchedStore("beat", STORE)])
        assert links.told == [(first, watch)]
        care.read(second, yard.project_id, told(wire("forged")))
        care.read(first, yard.project_id, frames.Schedules("beat", OTHER, [wire("forged")], 1))
        care.read(first, yard.project_id, told(wire()))
        await care.turn()
        assert known(yard).keys() == {"nightly"}
        assert care.counters.refused == 2
        assert store_of(yard).reader == "w1"
        yard.end(first)
        care.link_ended(first)
        await care.turn()
        assert links.told[-1] == (second, watch)
        care.read(first, yard.project_id, told(wire("late")))
        await care.turn()
        assert known(yard).keys() == {"nightly"}, "its election is over"
        assert len(feed.changes) == 1

    asyncio.run(scenario())


def test_a_silent_worker_gives_way(yard: Any) -> None:
    first, second = yard.add_worker("w1"), yard.add_worker("w2", first_seen=NOON + 1)
    links = Links(first, second)
    care = polling(yard, links)

    async def scenario() -> None:
        for row in (first, second):
            care.told(row, yard.project_id, [BEAT])
        await care.turn()
        with yard.database.write() as connection:
            connection.execute(schedule_stores.update().values(elected_at=now() - 151 * S))
        care.read(first, yard.project_id, told(error="OperationalError: no such table"))
        await care.turn()
        assert [row for row, _ in links.told] == [first], "an error is a sign of life, too"
        with yard.database.write() as connection:
            connection.execute(schedule_stores.update().values(sampled_at=now() - 151 * S))
        await care.turn()
        assert [row for row, _ in links.told] == [first, second, first]
        stopped = [watch.watched for row, watch in links.told if row == first][-1]
        assert stopped == []

    asyncio.run(scenario())


@pytest.fixture
def read(yard: Any) -> Any:
    """Fold a reading of the store, whose elected reader is there."""
    row = yard.add_worker("w1")
    care = polling(yard, Links(row))

    async def elect() -> None:
        care.told(row, yard.project_id, [BEAT])
        await care.turn()

    asyncio.run(elect())
    key = StoreKey(yard.project_id, "beat", STORE)

    def fold(*found: WireSchedule, at: int, **fields: Any) -> Any:
        reading = Reading(
            key=key,
            sampler=row,
            at=at,
            schedules=[prepared(one, BUILT_IN) for one in found],
            total=fields.pop("total", len(found)),
            **fields,
        )
        with yard.database.write() as connection:
            return schedules_write.fold(connection, reading)

    return fold


def missed(yard: Any, at: int) -> int:
    with yard.database.write() as connection:
        found = schedules_write.count_missed(connection, at)
    return sum(len(rows) for rows, _ in found.values())


def test_new_changed_gone_and_back(yard: Any, read: Any) -> None:
    assert len(read(wire("a"), wire("b"), at=NOON).changed) == 2
    assert read(wire("a"), wire("b"), at=NOON + S) is None, "nothing that is shown has changed"
    folded = read(wire("a", enabled=False), wire("b"), at=NOON + 2 * S)
    assert folded.changed == [known(yard)["a"].id]
    assert known(yard, enabled=False).keys() == {"a"}
    read(wire("b"), at=NOON + 3 * S)
    assert known(yard).keys() == {"b"}
    assert known(yard, gone=True)["a"].gone_at == NOON + 3 * S
    read(wire("a"), wire("b"), at=NOON + 4 * S)
    back = known(yard)["a"]
    assert (back.gone_at, back.first_seen) == (None, NOON)


def test_a_failure_keeps_the_last_good_state(yard: Any, read: Any) -> None:
    read(wire("a"), at=NOON)
    assert read(error="OSError: away", at=NOON + S) is not None
    store = store_of(yard, NOON + S)
    assert (store.error, store.read_at, store.known) == ("OSError: away", NOON, 1)
    assert store.is_unread(NOON + S)
    assert known(yard).keys() == {"a"}
    read(wire("a"), at=NOON + 2 * S)
    assert not store_of(yard, NOON + 2 * S).is_unread(NOON + 2 * S)


def test_what_is_beyond_the_limit_is_not_called_gone(yard: Any, read: Any) -> None:
    read(wire("a"), wire("b"), wire("c"), at=NOON)
    read(wire("a"), wire("aa"), at=NOON + S, total=4)
    assert known(yard).keys() == {"a", "aa", "b", "c"}
    read(wire("a"), wire("c"), at=NOON + 2 * S, total=3)
    assert known(yard).keys() == {"a", "c"}


@pytest.mark.parametrize("is_late", [True, False])
def test_a_run_that_does_not_come_is_missed_once(yard: Any, read: Any, is_late: bool) -> None:
    due = NOON + 60 * S
    read(wire(next_run_at=due, last_run_at=NOON), at=NOON)
    after = due + GRACE_US + S
    assert missed(yard, after) == 0, "nobody has looked since it was due"
    if not is_late:
        read(wire(next_run_at=due + 60 * S, last_run_at=due), at=after)
        assert missed(yard, after) == 0
        return
    read(wire(next_run_at=due, last_run_at=NOON), at=after)
    assert [missed(yard, after), missed(yard, after + S)] == [1, 0]
    assert known(yard, missed=True)["nightly"].missed_at == due
    read(wire(next_run_at=due + 600 * S, last_run_at=after), at=after + S)
    ran = known(yard)["nightly"]
    assert (ran.is_missed, ran.misses, ran.drift_us) == (False, 1, None)
    assert known(yard, missed=True) == {}


def test_a_store_that_tells_late_has_its_time(yard: Any, read: Any) -> None:
    care = polling(yard, Links())

    async def tell() -> None:
        care.told(yard.add_worker("w2"), yard.project_id, [SLOW])
        await care.turn()

    asyncio.run(tell())
    due = NOON + 60 * S
    for at, count in ((due + GRACE_US + 179 * S, 0), (due + GRACE_US + 181 * S, 1)):
        read(wire(next_run_at=due, last_run_at=NOON), at=at)
        assert missed(yard, at) == count


def test_the_leader_counts_and_the_overview_names_them(yard: Any, read: Any) -> None:
    at, feed, counters = now(), Feed(), Counters()
    read(wire(next_run_at=at - 2 * GRACE_US), at=at)

    async def look() -> None:
        assert await MissedSchedules(yard.database, counters, feed).look()

    asyncio.run(look())
    asyncio.run(look())
    row = known(yard)["nightly"]
    assert (counters.missed_schedules, feed.changes) == (1, [[str(row.id)]])

    def notes(moment: int) -> list[tuple[str, str]]:
        with yard.database.read() as connection:
            found = notices(connection, yard.project_id, [], moment, at)
        return [(one.kind, one.text) for one in found]

    is_missed = ("schedule_missed", "The schedule nightly of beat was due and has not run.")
    assert notes(at) == [is_missed]
    unread = "The schedules of beat cannot be read; 1 of them were due since."
    assert notes(at + UNREAD_US + S) == [is_missed, ("schedules_unread", unread)]


def test_paused_and_gone_schedules_are_not_missed(yard: Any, read: Any) -> None:
    due = NOON + 60 * S
    first = (wire("a", next_run_at=due), wire("b", next_run_at=due))
    read(*first, at=NOON)
    read(wire("a", next_run_at=due, enabled=False), at=due + 2 * GRACE_US)
    assert missed(yard, due + 3 * GRACE_US) == 0


@pytest.mark.parametrize(
    ("ran", "runs", "drift"),
    [
        (60 * S + 250_000, None, 250_000),
        (59 * S, None, -S),
        (30 * S, None, None),
        (200 * S, None, None),
        (200 * S, 2, 140 * S),
        (200 * S, 4, None),
    ],
    ids=["late", "early", "out of turn", "more than once", "told to be one", "told to be more"],
)
def test_drift_is_told_where_it_is_known(
    yard: Any, read: Any, ran: int, runs: int | None, drift: int | None
) -> None:
    before = None if runs is None else 1
    read(wire(next_run_at=NOON + 60 * S, last_run_at=NOON, runs=before), at=NOON)
    read(wire(next_run_at=NOON + 300 * S, last_run_at=NOON + ran, runs=runs), at=NOON + 210 * S)
    assert known(yard)["nightly"].drift_us == drift


def test_the_projects_rules_hide_more_and_a_form_gets_no_mask() -> None:
    cleaner = Cleaner(extra_rules=[Rule("coat", "a coat", ("coat-",), re.compile("coat-[0-9]+"))])
    found = prepared(
        wire(
            "x",
            timing="at coat-17",
            values=b'{"every_s":60,"note":"coat-17"}',
            arguments=b'{"kwargs":{"password":"planted","nul":"a\\u0000b"}}',
            hidden=["kwargs"],
            undone_by="coat-17.",
        ),
        cleaner,
    )
    stored = json.dumps(msgspec.structs.asdict(found))
    assert "coat-17" not in stored
    assert "planted" not in stored
    assert "u0000" not in stored
    assert (json.loads(found.form), json.loads(found.hidden)) == (
        {"every_s": 60},
        ["kwargs", "note"],
    )


@pytest.mark.parametrize("encoded", [b"", b"[1]", b"{", b"\xff", b"[" * 5_000])
def test_what_is_no_json_object_is_shown_as_none(encoded: bytes) -> None:
    found = prepared(wire(arguments=encoded, values=encoded), BUILT_IN)
    assert (found.arguments, found.form) == ("{}", "{}")


def test_stores_are_bounded(yard: Any) -> None:
    rows = [yard.add_worker(f"w{number}") for number in range(8)]
    care = polling(yard, Links(*rows))

    async def scenario() -> None:
        for number, row in enumerate(rows):
            many = [
                frames.SchedulerInfo("beat", "celery", f"{number * 16 + place:016x}")
                for place in range(16)
            ]
            care.told(row, yard.project_id, many)
        await care.turn()
        assert len(yard.rows(schedule_stores)) == MAX_STORES
        assert care.counters.refused == 8 * 16 - MAX_STORES

    asyncio.run(scenario())


def test_old_schedules_go_and_their_stores_after_them(yard: Any, read: Any) -> None:
    read(wire("a"), wire("b"), at=NOON)
    read(wire("b"), at=NOON + 7_200 * S)
    rules = {rule.table.name: rule for rule in RULES}

    def remove(name: str, cutoff: int) -> int:
        rule = rules[name]
        with yard.database.write() as connection:
            return expiry.delete_batch(
                connection, rule.table, rule.conditions, rule.order, cutoff, yard.project_id
            )

    assert remove("schedules", NOON + S) == 1
    assert [row["schedule"] for row in yard.rows(table)] == ["b"]
    later = NOON + 10_000 * S
    assert remove("schedule_stores", later) == 0, "it still has one"
    assert remove("schedules", later) == 1
    assert remove("schedule_stores", later) == 0, "a worker can still read it"
