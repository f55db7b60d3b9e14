"""Summaries against a plain computation, whatever comes late, twice or in between."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from z4j_brain.reconcile import summaries as making
from z4j_brain.reconcile.rollup_steps import move_horizon, remove_minute
from z4j_brain.reconcile.summaries import summarise
from z4j_brain.store import rollup_horizons, summaries
from z4j_brain.store.schema import rollup_marks, rollup_summaries, rollups, tasks
from z4j_brain.watch.reconciliation import reconciliation

S = 1_000_000
MINUTE, HOUR, DAY = 60 * S, 3_600 * S, 86_400 * S
RESOLUTIONS = ("minute", "hour", "day")


def random_events(house: Any, chance: random.Random, number: int) -> list[Any]:
    """Tasks of two hours: late ends, retries, redeliveries, unknown starts, ETAs, times of runs."""
    events = []
    for index in range(number):
        fields = {
            "queue": chance.choice(["email", "reports", None]),
            "name": chance.choice(["a", "b", "c", None]),
            "engine": chance.choice(["celery", "rq"]),
        }
        end = house.now - chance.randrange(2 * HOUR)
        wait, run = int(chance.lognormvariate(14, 3)), int(chance.lognormvariate(12, 3))
        data: dict[str, Any] = {}
        if chance.random() < 0.3:
            data["run_us"] = int(chance.lognormvariate(10, 2))
        if chance.random() < 0.2:
            data["eta"] = max(0, end - run - chance.randrange(10 * MINUTE))
        life = house.life(f"t{index}", end, wait, run, data=data, **fields)
        kind = chance.choice(["succeeded", "failed", "cancelled", "rejected"])
        life[2] = house.event(f"t{index}", kind, end, data=data, **fields)
        if chance.random() < 0.15:  # the worker was lost, the task ran again
            life.append(house.event(f"t{index}", "succeeded", end + 3 * MINUTE, **fields))
        if chance.random() < 0.1:  # it goes on after its end
            life.append(house.event(f"t{index}", "started", end + 5 * MINUTE, attempt=1, **fields))
        if chance.random() < 0.2:
            life.pop(chance.randrange(len(life)))
        events += life
    return events


def counted(events: list[Any], since: int, until: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for event in events:
        if since <= event.occurred_at < until and event.kind != "received":
            found[event.kind.value] = found.get(event.kind.value, 0) + 1
    return found


def assert_is_true(house: Any, events: list[Any], check: Any, resolution: str) -> None:
    """Compare every bucket of a series with the tasks and the events."""
    found = house.series(house.now - 3 * HOUR, house.now, resolution=resolution)
    [group] = found.groups
    assert [point.at for point in group.points] == list(found.window.buckets)
    for point in group.points:
        until = point.at + found.window.width
        truth = house.truth(point.at, until)
        check(point.figures.wait, truth["wait"])
        check(point.figures.run, truth["run"])
        counts = counted(events, point.at, until)
        for name in ("published", "started", "succeeded", "failed", "cancelled", "rejected"):
            assert getattr(point.figures, name) == counts.get(name, 0)


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_any_split_and_a_leader_in_between(house: Any, check: Any, seed: int) -> None:
    chance = random.Random(seed)
    events = random_events(house, chance, 120)
    chance.shuffle(events)
    left = list(events)
    while left:
        size = chance.randrange(1, 120)
        house.tell(*left[:size], by=chance.randrange(2))
        left = left[size:]
        if chance.random() < 0.7:
            house.round()
    house.round()
    for resolution in RESOLUTIONS:
        assert_is_true(house, events, check, resolution)


def test_both_scopes_say_the_same(house: Any, check: Any) -> None:
    house.tell(*random_events(house, random.Random(5), 60))
    house.round()
    since = house.now - 3 * HOUR
    for group_by in ("queue", "name"):
        whole = house.series(since, house.now, resolution="hour", has_points=False).groups[0]
        parts = house.series(
            since, house.now, resolution="hour", has_points=False, group_by=group_by, top=500
        ).groups
        assert sum(part.ended for part in parts) == whole.ended
        truth = house.truth(since, house.now)
        check(whole.total.wait, truth["wait"])


def test_a_late_event_marks_the_minute_of_the_end(house: Any) -> None:
    """It happened in another minute, but the wait of the task is of the minute of its end."""
    end = house.now - 10 * MINUTE
    published, started, ended = house.life("t", end, 4 * MINUTE, 2 * MINUTE)
    house.tell(started, ended)
    house.round()
    assert house.series(end, end + 1, resolution="minute").groups[0].total.wait is None
    house.tell(published)
    assert ("minute", end // MINUTE * MINUTE) in house.marks()
    house.round()
    wait = house.series(end, end + 1, resolution="minute").groups[0].total.wait
    assert abs(wait.p50 - 4 * MINUTE) <= 0.01 * 4 * MINUTE


def test_an_end_that_moves_is_measured_once(house: Any) -> None:
    end = house.now - 30 * MINUTE
    published, started, failed = house.life("t", end, S, S, "failed")
    house.tell(published, started, failed)
    house.round()
    house.tell(house.event("t", "succeeded", end + 7 * MINUTE))
    house.round()
    points = house.series(house.now - HOUR, house.now, resolution="minute").groups[0].points
    measured = [point.at for point in points if point.figures.run is not None]
    assert measured == [(end + 7 * MINUTE) // MINUTE * MINUTE]


@pytest.mark.parametrize("broken", [1, 2, 5])
def test_a_crash_between_any_two_transactions(
    house: Any, check: Any, monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    events = random_events(house, random.Random(broken), 20)
    house.tell(*events)
    taken = 0
    real = making.rollup_marks.take_away

    def crash(*arguments: Any) -> None:
        nonlocal taken
        taken += 1
        if taken >= broken:
            raise ConnectionError("cut")
        real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(making.rollup_marks, "take_away", crash)
        with pytest.raises(ConnectionError):
            house.round()
    house.round()
    for resolution in RESOLUTIONS:
        assert_is_true(house, events, check, resolution)


def test_what_changes_while_a_minute_is_summarised_keeps_its_mark(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = house.now - 10 * MINUTE
    minute = end // MINUTE * MINUTE
    house.tell(*house.life("a", end, 0, S))
    real = making.minute_of

    def then_another(*arguments: Any, **named: Any) -> Any:
        found = real(*arguments, **named)
        if house.database.is_postgres:
            house.tell(*house.life("b", end, 0, S), by=1)
            house.tell(*house.life("c", end, 0, S))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(making, "minute_of", then_another)
        summarise(house.database, house.project_id, "minute", minute)
    if not house.database.is_postgres:  # one writer at a time: nothing comes in between
        assert ("minute", minute) not in house.marks()
        return
    assert ("minute", minute) in house.marks()
    house.round()
    with house.database.read() as connection:
        found = summaries.merged(connection, house.project_id, "minute", minute, minute + MINUTE)
    assert found["queue", "celery", "email", ""].counts[2] == 3
    assert found["queue", "celery", "email", ""].run.size == 3


def test_two_leaders_the_later_snapshot_stays(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    end = house.now - 10 * MINUTE
    minute = end // MINUTE * MINUTE
    house.tell(*house.life("a", end, 0, S))
    real = making.minute_of

    def overtaken(*arguments: Any, **named: Any) -> Any:
        found = real(*arguments, **named)
        monkeypatch.setattr(making, "minute_of", real)
        if house.database.is_postgres:
            house.tell(*house.life("b", end, 0, S))
            summarise(house.database, house.project_id, "minute", minute)
        return found

    monkeypatch.setattr(making, "minute_of", overtaken)
    summarise(house.database, house.project_id, "minute", minute)
    expected = 2 if house.database.is_postgres else 1
    with house.database.read() as connection:
        found = summaries.merged(connection, house.project_id, "minute", minute, minute + MINUTE)
    assert found["queue", "celery", "email", ""].counts[2] == expected


def snapshot(house: Any) -> list[Any]:
    with house.database.read() as connection:
        rows = connection.execute(select(rollup_summaries)).all()
    return sorted(map(tuple, rows), key=repr)


def test_to_do_it_again_changes_nothing(house: Any) -> None:
    house.tell(*random_events(house, random.Random(9), 40))
    house.round()
    before = snapshot(house)
    with house.database.write() as connection:
        for resolution in ("minute", "hour"):
            for row in connection.execute(
                select(rollup_summaries.c.bucket)
                .where(rollup_summaries.c.resolution == resolution)
                .distinct()
            ).all():
                making.rollup_marks.mark(connection, house.project_id, resolution, row.bucket)
    house.round()
    assert snapshot(house) == before


def test_the_move_to_hours_and_days_loses_nothing_and_counts_nothing_twice(
    house: Any, check: Any
) -> None:
    events = random_events(house, random.Random(21), 80)
    since = house.now // DAY * DAY
    house.tell(*events)
    house.round()
    truth = house.truth(since - DAY, house.now + DAY)
    begun = house.now

    def assert_same(resolution: str) -> None:
        [group] = house.series(since, begun, resolution=resolution).groups
        counts = counted(events, since, since + DAY)
        for name in ("published", "succeeded", "failed", "retried", "cancelled"):
            assert getattr(group.total, name) == counts.get(name, 0)
        check(group.total.wait, truth["wait"])
        check(group.total.run, truth["run"])

    for days, gone, left in ((0, [], RESOLUTIONS), (3, ["minute"], ("hour", "day")),
                             (62, ["minute", "hour"], ("day",))):  # fmt: skip
        house.now = begun + days * DAY
        house.round()
        house.round()
        with house.database.read() as connection:
            held = set(connection.execute(select(rollup_summaries.c.resolution)).scalars())
            minutes = connection.execute(select(rollups.c.bucket)).all()
        assert held == set(left)
        assert (not minutes) == ("minute" in gone)
        for resolution in left:
            if resolution != "minute":
                assert_same(resolution)


@pytest.mark.parametrize("days", [3, 70])
def test_what_comes_after_the_move_is_added(house: Any, days: int) -> None:
    at = house.now - 5 * MINUTE
    house.tell(*house.life("a", at, 0, S))
    house.round()
    begun, house.now = house.now, house.now + days * DAY
    house.round()
    for number in range(3):
        house.tell(*house.life(f"late{number}", at, 0, 5 * S), by=number % 2)
        house.tell(*house.life(f"other{number}", at - HOUR, 0, S, queue="new"))
        house.round()
        resolution = "hour" if days == 3 else "day"
        [group] = house.series(begun - 2 * HOUR, begun, resolution=resolution).groups
        assert group.total.succeeded == 3 + 2 * number
        [day] = house.series(begun, begun + 1, resolution="day").groups
        assert day.total.succeeded == 3 + 2 * number
        # How long they took is not asked any more: the other tasks may be gone.
        assert abs(group.total.run.p99 - S) <= 0.01 * S
    with house.database.read() as connection:
        assert not connection.execute(select(rollups)).all()


def test_a_minute_changed_between_horizon_and_removal_is_whole(house: Any) -> None:
    at = house.now - 5 * MINUTE
    minute = at // MINUTE * MINUTE
    house.tell(*house.life("a", at, 0, S))
    house.round()
    with house.database.write() as connection:
        assert move_horizon(connection, house.project_id, "minute", house.now + HOUR)
    house.tell(*house.life("b", at, 0, S))
    asyncio.run(house.steps().summarise_minutes())
    for _ in range(2):
        with house.database.write() as connection:
            remove_minute(connection, house.project_id, minute)
    [group] = house.series(at, at + 1, resolution="hour").groups
    assert group.total.succeeded == 2


def test_a_horizon_waits_for_what_is_stale_and_never_moves_back(house: Any) -> None:
    house.tell(*house.life("a", house.now - 5 * MINUTE, 0, S))
    with house.database.write() as connection:
        assert not move_horizon(connection, house.project_id, "minute", house.now + HOUR)
        assert rollup_horizons.horizon(connection, house.project_id, "minute") == 0
    house.round()
    with house.database.write() as connection:
        assert move_horizon(connection, house.project_id, "minute", house.now + HOUR + 5)
        reached = rollup_horizons.horizon(connection, house.project_id, "minute")
        assert reached == (house.now + HOUR) // HOUR * HOUR
        assert move_horizon(connection, house.project_id, "minute", house.now)
        assert rollup_horizons.horizon(connection, house.project_id, "minute") == reached


def test_hours_stay_as_long_as_minutes_do(house: Any) -> None:
    house.tell(*house.life("a", house.now, 0, S))
    begun, house.now = house.now, house.now + 400 * DAY
    house.round(rollup_minute_retention_days="0")
    [group] = house.series(begun, begun + 1, resolution="minute").groups
    assert group.total.succeeded == 1
    [group] = house.series(begun, begun + 1, resolution="hour").groups
    assert group.total.succeeded == 1


def test_percentiles_outlive_their_tasks(house: Any) -> None:
    """A late event makes the counts of a minute anew whose tasks may be gone."""
    at = house.now - 5 * MINUTE + 30 * S
    house.tell(*house.life("a", at, 0, 7 * S))
    house.round()
    with house.database.write() as connection:
        connection.execute(delete(tasks))
    house.now += 3 * DAY // 2
    house.tell(house.event("b", "published", at))
    house.round(task_retention_days="1")
    [group] = house.series(at, at + 1, resolution="minute").groups
    assert group.total.published == 2
    assert abs(group.total.run.p50 - 7 * S) <= 0.01 * 7 * S


def test_a_damaged_sketch_is_named(house: Any) -> None:
    house.tell(*house.life("a", house.now, 0, S))
    house.round()
    with house.database.write() as connection:
        connection.execute(update(rollup_summaries).values(run=b"\x07"))
    with pytest.raises(ValueError, match="version"):
        house.series(house.now, house.now + 1)


def test_the_migration_marks_what_was_counted_before(house: Any) -> None:
    """As 0003 does on a database that has counted for a while."""
    house.tell(*house.life("a", house.now, 0, S))
    with house.database.write() as connection:
        connection.execute(delete(rollup_marks))
        connection.exec_driver_sql(
            "INSERT INTO rollup_marks (project_id, resolution, bucket, writer, version)"
            " SELECT DISTINCT project_id, 'minute', bucket, '', 0 FROM rollups"
        )
    house.round()
    [group] = house.series(house.now, house.now + 1, resolution="day").groups
    assert group.total.succeeded == 1


def test_metrics_say_how_many_buckets_were_made(house: Any) -> None:
    house.tell(*house.life("a", house.now - 5 * MINUTE, 0, S))
    house.round()
    told = {
        sample.labels["bucket"]: sample.value
        for family in reconciliation(house.counters)
        for sample in family.samples
        if sample.name == "z4j_reconcile_summarised_total"
    }
    assert told == house.counters.summarised
    assert set(told) == {"minute", "hour", "day"}
    assert min(told.values()) >= 1
