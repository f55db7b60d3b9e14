"""The contract of schedulers, with Huey's real scheduler on SQLite and Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from huey import MemoryHuey, RedisHuey, SqliteHuey, crontab
from huey.api import Huey
from huey.consumer import Scheduler as HueyScheduler

from z4j_core.capability import ActionError
from z4j_core.plugins import Owner, Scheduler
from z4j_core.testing import RecordingHost
from z4j_core.testing.scheduler_contract import SchedulerContract
from z4j_huey.crontab import crontab_of
from z4j_huey.scheduler import HueyPeriodic

YEARLY = crontab(minute="4", hour="5", day="1", month="1")


class Harness:
    """A consumer's scheduler in a thread, as `huey_consumer` runs it; no workers."""

    def __init__(self, huey: Any) -> None:
        self.huey = huey
        self.host = RecordingHost()
        self.scheduler: Scheduler = HueyPeriodic()
        self.scheduler.attach(self.host)
        self.consumer = huey.create_consumer(workers=0)
        self.tasks: dict[str, Any] = {}

    def begin(self) -> None:
        """Run the scheduler; at its start it looks which tasks are due."""
        self.consumer.scheduler.start()
        SchedulerContract().until(lambda: bool(self.host.started))

    def add(self, name: str, *, due: Callable[..., bool] = YEARLY) -> str:
        def job() -> None:
            raise AssertionError("there is no worker")

        job.__module__ = "shop"
        self.tasks[f"shop-queue/shop.{name}"] = self.huey.periodic_task(due, name=name)(job)
        return f"shop-queue/shop.{name}"

    def enabled(self, schedule: str) -> bool | None:
        task = self.tasks.get(schedule)
        return None if task is None else not task.is_revoked()

    def published(self) -> int:
        return int(self.huey.pending_count())

    def changed(self) -> dict[str, Any]:
        return {}

    def creatable(self, name: str) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        self.consumer.stop_flag.set()
        if self.consumer.scheduler.is_alive():
            self.consumer.scheduler.join(60)
        self.scheduler.detach()
        self.huey.storage.close()


class BegunHarness(Harness):
    def __init__(self, huey: Any) -> None:
        super().__init__(huey)
        self.begin()

    def add(self, name: str, **arguments: str) -> str:
        return super().add(name)  # Huey calls periodic tasks without any


class TestInSqlite(SchedulerContract):
    module = "z4j_huey.plugin"
    library = "huey"
    has_arguments = False

    @pytest.fixture
    def huey(self, tmp_path: Path) -> Any:
        return SqliteHuey("shop-queue", filename=str(tmp_path / "huey.sqlite3"))

    @pytest.fixture
    def harness(self, huey: Any) -> Iterator[Harness]:
        harness = BegunHarness(huey)
        yield harness
        harness.close()


class TestInRedis(TestInSqlite):
    @pytest.fixture
    def huey(self, redis_server: Any) -> Iterator[Any]:
        huey = RedisHuey("shop-queue", port=redis_server.port, db=4)
        huey.storage.conn.flushdb()
        yield huey
        huey.storage.pool.disconnect()


@pytest.fixture
def harness() -> Iterator[Harness]:
    harness = Harness(MemoryHuey("shop-queue"))
    yield harness
    harness.close()


def test_what_the_scheduler_publishes_is_told(harness: Harness) -> None:
    minutely, custom = harness.add("minutely", due=crontab()), harness.add("custom", due=bool)
    paused = harness.add("paused", due=crontab())
    assert harness.scheduler.store() is None, "no scheduler runs here yet"
    harness.huey.revoke_all(harness.tasks[paused].task_class)
    harness.begin()
    TestInSqlite().until(lambda: harness.published() == 3)
    told = {one.id: one for one in harness.scheduler.schedules()}
    assert harness.host.started == [("scheduler", None)]
    assert (told[minutely].timing, told[minutely].timezone) == ("* * * * *", "UTC")
    assert (told[minutely].owner, told[minutely].task) == (Owner.CODE, "shop.minutely")
    last, due = told[minutely].last_run_at, told[minutely].next_run_at
    assert last is not None
    assert due is not None
    assert 0 < due - last <= 60e6, "the next minute, which it has not looked at"
    assert told[custom].timing == "when bool() says so"
    assert (told[custom].next_run_at, told[custom].last_run_at is None) == (None, False)
    assert (told[paused].enabled, told[paused].next_run_at) == (False, None)
    assert told[paused].last_run_at is None, "it is published, and the consumer discards it"


def test_a_paused_task_is_not_run_and_its_runs_do_not_count(harness: Harness) -> None:
    schedule = harness.add("minutely", due=crontab())
    harness.begin()
    call = TestInSqlite().call
    TestInSqlite().until(lambda: harness.published() == 1)
    call(harness, "pause", schedule)
    before = harness.scheduler.schedules()[0]
    assert before.absent["run_now"].startswith("It is paused")
    with pytest.raises(ActionError, match="Resume first"):
        call(harness, "run_now", schedule)
    harness.consumer.scheduler_class.enqueue_periodic_tasks(
        harness.consumer._create_scheduler(), None
    )
    assert harness.scheduler.schedules()[0].last_run_at == before.last_run_at
    task = harness.huey.dequeue()
    assert harness.huey.is_revoked(task), "the consumer discards what waits, too"


def test_a_consumer_without_periodic_tasks_is_no_scheduler(harness: Harness) -> None:
    schedule = harness.add("nightly")
    harness.consumer = harness.huey.create_consumer(workers=0, periodic=False)
    harness.consumer.scheduler.start()
    harness.consumer.stop_flag.set()
    harness.consumer.scheduler.join(60)
    assert harness.scheduler.store() is None
    assert harness.host.started == []
    with pytest.raises(ActionError, match="knows no such"):
        TestInSqlite().call(harness, "run_now", schedule)


def test_what_the_storage_raises_is_a_reason(harness: Harness) -> None:
    schedule = harness.add("nightly")
    harness.begin()

    def refuse(*_: Any) -> None:
        raise OSError("disk full")

    harness.huey.storage.put_data = refuse
    with pytest.raises(ActionError, match="disk full"):
        TestInSqlite().call(harness, "pause", schedule)


@pytest.mark.parametrize(
    ("fields", "line", "after", "due"),
    [
        ({"minute": "*/15"}, "*/15 * * * *", (2026, 1, 1, 10, 45), (2026, 1, 1, 11, 0)),
        ({"minute": "0", "hour": "9-17"}, "0 9-17 * * *", (2026, 1, 1, 17, 0), (2026, 1, 2, 9, 0)),
        ({"minute": 0, "hour": 0, "day_of_week": "7"}, "0 0 * * 0", (2026, 1, 1), (2026, 1, 4)),
        ({"minute": "1,2,7"}, "1,2,7 * * * *", (2026, 1, 1, 0, 1, 30), (2026, 1, 1, 0, 2)),
        (
            {"minute": 0, "hour": 0, "day": 29, "month": 2},
            "0 0 29 2 *",
            (2026, 1, 1),
            (2028, 2, 29),
        ),
        ({"day": 31, "month": 2}, "* * 31 2 *", (2026, 1, 1), None),
        (
            {"minute": 0, "hour": 0, "day": 1, "day_of_week": 1},
            "0 0 1 * 1",
            (2026, 1, 1),
            (2026, 6, 1),
        ),
    ],
)
def test_lines_of_cron_are_found_again(
    fields: Any, line: str, after: tuple[int, ...], due: Any
) -> None:
    """What Huey keeps of a line gives a line with the same meaning, and the next time by it."""
    huey = MemoryHuey()
    task = huey.periodic_task(crontab(**fields))(lambda: None)
    cron = crontab_of(task.task_class)
    assert cron is not None
    assert cron.line() == line
    found = cron.next_after(datetime(*after))  # noqa: DTZ001 - as Huey asks
    assert found == (None if due is None else datetime(*due))  # noqa: DTZ001
    if found is not None:
        assert task.task_class().validate_datetime(found)


def test_what_was_attached_is_taken_back(harness: Harness) -> None:
    assert "initialize" in vars(HueyScheduler)
    harness.scheduler.detach()
    assert not {"initialize", "shutdown"} & vars(HueyScheduler).keys()
    assert not hasattr(Huey.read_periodic, "__wrapped__")
