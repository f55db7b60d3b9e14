"""The contract of schedulers, with a TaskIQ scheduler that runs, on real Redis."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from stand import YEARLY, Stand
from taskiq import ScheduledTask
from taskiq.cli.scheduler import run as library
from taskiq_redis import ListRedisScheduleSource, RedisScheduleSource

from z4j_core.capability import ActionError
from z4j_core.plugins import Owner
from z4j_core.testing.scheduler_contract import SchedulerContract
from z4j_taskiq.timing import checked, next_after


class Harness(Stand):
    data = "schedule:data:"
    """What Redis has a schedule under, before its id."""

    def __init__(self, url: str, source: Any) -> None:
        super().__init__(url, source)
        self.begin()

    def add(self, name: str, **arguments: str) -> str:
        job = self.job.kicker().with_schedule_id(name)
        self.call(job.schedule_by_cron(self.source, YEARLY, **arguments))
        self.read()
        return name

    def enabled(self, schedule: str) -> bool | None:
        return True if self.client.exists(self.data + schedule) else None

    def published(self) -> int:
        return int(self.client.llen("shop"))

    def changed(self) -> dict[str, Any]:
        return {"cron": "5 4 * 2 *", "timezone": "Europe/Berlin"}

    def creatable(self, name: str) -> dict[str, Any]:
        return {"task": "shop:job", "cron": YEARLY, "kwargs": {"colour": "red"}}


class TestInRedis(SchedulerContract):
    module = "z4j_taskiq.plugin"
    library = "taskiq"

    @pytest.fixture
    def harness(self, redis_server: Any) -> Iterator[Harness]:
        harness = Harness(f"redis://127.0.0.1:{redis_server.port}/5", ListRedisScheduleSource)
        yield harness
        harness.stop()


@pytest.mark.filterwarnings("ignore:RedisScheduleSource is deprecated:DeprecationWarning")
class TestInTheOlderSource(TestInRedis):
    @pytest.fixture
    def harness(self, redis_server: Any) -> Iterator[Harness]:
        harness = Harness(f"redis://127.0.0.1:{redis_server.port}/5", RedisScheduleSource)
        harness.data = "schedule:"
        yield harness
        harness.stop()


@pytest.fixture
def harness(redis_server: Any) -> Iterator[Harness]:
    harness = Harness(f"redis://127.0.0.1:{redis_server.port}/5", ListRedisScheduleSource)
    yield harness
    harness.stop()


call = TestInRedis().call


def test_a_schedule_stays_while_it_is_changed(harness: Harness) -> None:
    schedule = harness.add("nightly", colour="blue")
    call(harness, "update", schedule, every_s=86_400)
    assert harness.client.lrange("schedule:interval", 0, -1) == [b"nightly"]
    assert harness.client.lrange("schedule:cron", 0, -1) == [], "once, and in one list"
    call(harness, "update", schedule, kwargs={"colour": "red"})
    (told,) = harness.scheduler.schedules()
    assert (told.id, told.name, told.owner) == ("nightly", "nightly", Owner.STORE)
    assert (told.timing, told.every_s) == ("every 86400 s", 86_400)
    assert told.values == {"every_s": 86_400, "args": [], "kwargs": {"colour": "red"}}


def test_a_change_that_fails_leaves_the_schedule(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = harness.add("nightly")
    own = harness.source.add_schedule

    async def refuse_new(task: ScheduledTask) -> None:
        if task.cron is None:
            raise OSError("disk full")
        await own(task)

    monkeypatch.setattr(harness.source, "add_schedule", refuse_new)
    with pytest.raises(ActionError, match="disk full"):
        call(harness, "update", schedule, every_s=86_400)
    assert harness.client.lrange("schedule:cron", 0, -1) == [b"nightly"]
    assert harness.enabled(schedule) is True


def test_what_somebody_deleted_is_not_made_again(harness: Harness) -> None:
    schedule = harness.add("nightly")
    harness.call(harness.source.delete_schedule(schedule))
    with pytest.raises(ActionError, match="somebody deleted it"):
        call(harness, "update", schedule, every_s=86_400)
    assert harness.enabled(schedule) is None
    assert harness.scheduler.schedules() == [], "the scheduler has heard of it, too"


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"cron": "* * *"}, "no line of cron"),
        ({"cron": "*/0 * * * *"}, "no line of cron"),  # TaskIQ's scheduler would die of it
        ({"cron": "1,*/00 * * * *"}, "no line of cron"),
        ({"cron": "0 0 31 2 *"}, "comes true"),
        ({"cron": "0 0 * * never"}, "comes true"),
        ({"cron": "* * * * *", "timezone": "Nowhere/Land"}, "no time zone"),
        ({"cron": "* * * * *", "timezone": "../../../etc/passwd"}, "no time zone"),
        ({"cron": "* * * * *", "timezone": "01:00:00"}, "no time zone"),
        ({"cron": "* * * * *", "every_s": 5}, "not both"),
        ({"timezone": "UTC"}, "goes with cron"),
    ],
)
def test_a_timing_that_cannot_be_is_refused(params: Any, why: str) -> None:
    with pytest.raises(ActionError, match=why):
        checked(params.get("every_s"), params.get("cron"), params.get("timezone"))


def test_only_tasks_that_the_scheduler_knows_are_scheduled(harness: Harness) -> None:
    with pytest.raises(ActionError, match="knows no task"):
        call(harness, "create", task="os:system", every_s=60)
    with pytest.raises(ActionError, match="when it runs"):
        call(harness, "create", task="shop:job")
    with pytest.raises(ActionError, match="gone"):
        call(harness, "run_now", "unknown")
    assert harness.client.keys("schedule*") == []


def test_labels_are_told_and_run_and_not_changed(redis_server: Any) -> None:
    stand = Stand(f"redis://127.0.0.1:{redis_server.port}/5", None)
    label = {"cron": YEARLY, "args": ["blue"], "cron_offset": timedelta(hours=1)}
    once = {"time": datetime(2099, 1, 1, tzinfo=UTC)}
    options: dict[str, Any] = {"schedule": [label, dict(label), once]}
    stand.broker.task(task_name="shop:labelled", **options)(lambda colour: None)
    try:
        assert stand.scheduler.store() is None, "no scheduler runs here yet"
        stand.begin()
        TestInRedis().until(lambda: len(stand.scheduler.schedules()) == 2)
        before = [one.id for one in stand.scheduler.schedules()]
        assert all(len(one) == 16 for one in before), "of two that are the same, and none that once"
        stand.call(stand.library.sources[0].startup())
        stand.read()
        first, second = stand.scheduler.schedules()
        assert [first.id, second.id] == before, "TaskIQ has given them new ids"
        assert (first.name, first.owner) == ("shop:labelled", Owner.CODE)
        assert first.timing == f"{YEARLY}, 1:00:00 ahead"
        assert first.next_run_at is not None
        due = datetime.fromtimestamp(first.next_run_at / 1e6, UTC)
        assert (due.month, due.day, due.hour, due.minute) == (1, 1, 4, 4)
        assert set(stand.scheduler.absences()) == {"pause", "resume", "update", "delete", "create"}
        with pytest.raises(ActionError, match="label of the task"):
            call(stand, "delete", first.id)
        result = call(stand, "run_now", first.id)
        sent = stand.broker.formatter.loads(stand.client.lpop("shop"))
        assert (sent.task_id, sent.task_name, sent.args) == (
            result.task_id,
            "shop:labelled",
            ["blue"],
        )
    finally:
        stand.stop()


def test_what_the_scheduler_sends_is_told(harness: Harness) -> None:
    call(harness, "create", task="shop:job", every_s=86_400)
    TestInRedis().until(lambda: harness.published() == 1)  # TaskIQ runs an interval at once
    TestInRedis().until(lambda: harness.scheduler.schedules()[0].last_run_at is not None)
    (told,) = harness.scheduler.schedules()
    assert told.name == "shop:job"
    assert told.last_run_at is not None
    assert told.next_run_at is not None
    assert abs(told.next_run_at - told.last_run_at - 86_400e6) < 60e6
    assert harness.host.started == [("scheduler", None)]


def test_an_ended_scheduler_is_none(harness: Harness) -> None:
    schedule = harness.add("nightly")
    running, _ = harness.scheduler._find(schedule)
    harness.stop()
    assert harness.scheduler.store() is None
    with pytest.raises(ActionError, match="has ended"):
        running.call(running.read_again())
    assert not hasattr(library.send, "__wrapped__"), "what was attached is taken back"
    assert not hasattr(library.SchedulerLoop.run, "__wrapped__")


@pytest.mark.parametrize(
    ("cron", "offset", "after", "due"),
    [
        ("*/15 * * * *", None, (2026, 1, 1, 10, 45), (2026, 1, 1, 11, 0)),
        ("0 9 * * *", "Europe/Berlin", (2026, 3, 28, 9, 0), (2026, 3, 29, 7, 0)),
        ("30 2 * * *", "Europe/Berlin", (2026, 3, 28, 2, 0), (2026, 3, 30, 0, 30)),
        ("0 0 * * mon", "Pacific/Kiritimati", (2026, 1, 1), (2026, 1, 4, 10, 0)),
        ("0 0 * * *", timedelta(hours=-3), (2026, 1, 1, 4), (2026, 1, 2, 3, 0)),
        ("0 0 29 2 *", None, (2026, 1, 1), (2028, 2, 29)),
        ("0 0 31 2 *", None, (2026, 1, 1), None),
        ("*/0 * * * *", None, (2026, 1, 1), None),
        ("once", None, (2026, 1, 1), None),
    ],
)
def test_the_next_run_is_that_of_taskiq(
    cron: str, offset: Any, after: tuple[int, ...], due: Any
) -> None:
    found = next_after(cron, offset, datetime(*after, tzinfo=UTC))
    assert found == (None if due is None else datetime(*due, tzinfo=UTC))
    if found is not None:
        assert library.is_cron_task_now(cron, found, offset)
