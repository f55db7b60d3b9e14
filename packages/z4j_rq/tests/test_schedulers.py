"""RQ's cron and rq-scheduler: what stands in Redis is told, and what is done is seen there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import redis
import rq_shop
from rq_scheduler import Scheduler as Library
from stand import Stand

from z4j_core.capability import ActionError
from z4j_core.events import Kind
from z4j_core.plugins import Owner, Schedule, Scheduler
from z4j_rq.schedulers.cron import RqCron
from z4j_rq.schedulers.store import PAUSED, RqScheduler

ZSET = "rq:scheduler:scheduled_jobs"
pytestmark = [  # of rq-scheduler and its crontab
    pytest.mark.filterwarnings("ignore:Version 0.22.0:FutureWarning"),
    pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning"),
]


def act(scheduler: Scheduler, action: str, *target: str, **params: Any) -> Any:
    converted = msgspec.convert(params, scheduler.actions()[action].params)
    return getattr(scheduler, action)(*target, converted)


def told(scheduler: Scheduler, schedule: str) -> Schedule | None:
    found = [one for one in scheduler.schedules() if one.id == schedule]
    assert len(found) < 2
    for one in found:
        assert msgspec.convert(msgspec.to_builtins(one), Schedule) == one
    return found[0] if found else None


@pytest.fixture
def library(stand: Stand) -> Library:
    stand.queue.enqueue(rq_shop.add, 1)  # so that the process knows its Redis
    stand.queue.empty()
    return Library(queue_name="shop", connection=stand.client)


@pytest.fixture
def stored(stand: Stand, library: Library) -> Iterator[RqScheduler]:
    scheduler = RqScheduler()
    scheduler.attach(stand.host)
    yield scheduler
    scheduler.detach()


def test_stored_schedules_are_told_whole(stored: RqScheduler, library: Library) -> None:
    cron = library.cron("5 4 * * *", "rq_shop.add", args=[2], kwargs={"y": 3}).id
    first = datetime.now(UTC) + timedelta(hours=1)
    interval = library.schedule(first, "rq_shop.add", args=[1], interval=3600).id
    library.enqueue_at(first, "rq_shop.add", 1)  # runs once: no schedule
    found = {one.id: one for one in stored.schedules()}
    assert set(found) == {cron, interval}
    one = found[cron]
    assert (one.name, one.task, one.timing, one.queue) == (
        *("rq_shop.add", "rq_shop.add", "5 4 * * *", "shop"),
    )
    assert one.arguments == {"args": [2], "kwargs": {"y": 3}}
    assert (one.owner, one.enabled) == (Owner.STORE, True)
    assert one.values == {"cron": "5 4 * * *", "queue": "shop"}
    assert one.next_run_at is not None
    assert 0 < one.next_run_at - time.time() * 1e6 < 48 * 3600e6
    assert (found[interval].every_s, found[interval].timing) == (3600.0, "every 3600 s")
    assert stored.store() == stored.store()


def test_a_pause_holds_and_a_resume_goes_on_in_phase(
    stored: RqScheduler, library: Library, stand: Stand
) -> None:
    first = datetime.now(UTC) - timedelta(seconds=90)  # overdue: it would run at once
    schedule = library.schedule(first, "rq_shop.add", args=[1], interval=3600).id
    for _ in range(2):
        act(stored, "pause", schedule)
        assert stand.client.zscore(ZSET, schedule) is None
        paused = told(stored, schedule)
        assert paused is not None
        assert (paused.enabled, paused.next_run_at) == (False, None)
    library.run(burst=True)
    assert stand.queue.count == 0
    for _ in range(2):
        act(stored, "resume", schedule)
    assert stand.client.zscore(ZSET, schedule) == int(first.timestamp()) + 3600
    assert not stand.client.exists(PAUSED)
    resumed = told(stored, schedule)
    assert resumed is not None
    assert resumed.enabled


def test_a_schedule_is_changed_made_run_and_deleted(
    stored: RqScheduler, library: Library, stand: Stand
) -> None:
    schedule = act(
        stored, "create", task="rq_shop.add", queue="shop", interval_s=60, args=[2], kwargs={"y": 3}
    ).schedule
    act(stored, "update", schedule, cron="0 5 * * *", queue="night")
    one = told(stored, schedule)
    assert one is not None
    assert (one.timing, one.queue, one.every_s) == ("0 5 * * *", "night", None)
    assert one.arguments == {"args": [2], "kwargs": {"y": 3}}
    before = stand.client.zscore(ZSET, schedule)
    act(stored, "update", schedule, queue="shop")
    assert stand.client.zscore(ZSET, schedule) == before
    task = act(stored, "run_now", schedule).task_id
    assert task != schedule
    stand.work()
    stand.host.wait_for(task, Kind.SUCCEEDED)
    assert stand.host.data(task, "succeeded")["result"] == 5
    assert stand.client.zscore(ZSET, schedule) == before
    act(stored, "pause", schedule)
    act(stored, "delete", schedule)
    assert told(stored, schedule) is None
    for action in ("delete", "pause", "resume", "update", "run_now"):
        with pytest.raises(ActionError, match="gone"):
            act(stored, action, schedule)


def test_each_run_of_a_stored_schedule_is_an_attempt(library: Library, stand: Stand) -> None:
    """rq-scheduler uses one job id for every run."""
    now = datetime.now(UTC)
    schedule = library.schedule(now, "rq_shop.add", args=[1], interval=3600, repeat=9).id
    for _ in range(2):
        stand.client.zadd(ZSET, {schedule: int(now.timestamp()) - 10})
        library.run(burst=True)
        stand.work()
    stand.host.wait_for(schedule, Kind.SUCCEEDED)
    ends = [attempt for kind, attempt in stand.host.kinds(schedule) if kind == "succeeded"]
    assert ends == [0, 1]


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"cron": "61 * * * *"}, "cannot be read"),
        ({"cron": "every day at noon"}, "cannot be read"),
        ({"cron": "* * * * *", "interval_s": 5}, "not both"),
        ({}, "Say when"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(
    stored: RqScheduler, params: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ActionError, match=reason):
        act(stored, "create", task="rq_shop.add", queue="shop", **params)
    assert not stored.schedules()


def test_what_is_no_job_is_left_out(stored: RqScheduler, library: Library, stand: Stand) -> None:
    schedule = library.cron("5 4 * * *", "rq_shop.add").id
    stand.client.zadd(ZSET, {"gone": 5, "broken": 6, b"\xff": 7})
    stand.client.hset("rq:job:broken", "created_at", "never")
    stand.client.hset(PAUSED, mapping={"gone": "x", "broken": "-1"})
    assert [one.id for one in stored.schedules()] == [schedule]


def test_arguments_that_need_the_applications_code_are_not_loaded(
    stored: RqScheduler, library: Library
) -> None:
    schedule = library.cron("5 4 * * *", rq_shop.add, args=[rq_shop.Till(1)]).id
    one = told(stored, schedule)
    assert one is not None
    assert (one.task, one.arguments) == (None, {})


@pytest.fixture
def cron(stand: Stand, library: Library) -> RqCron:
    return RqCron()


def tell(client: redis.Redis, name: str, *jobs: dict[str, Any]) -> None:
    """Write what a running ``rq cron`` writes."""
    client.zadd("rq:cron_schedulers", {name: time.time()})
    content = {"hostname": "h1", "name": name, "cron_jobs": json.dumps(jobs)}
    client.hset(f"rq:cron_scheduler:{name}", mapping=content)


def test_rqs_cron_is_read_and_run_now(cron: RqCron, stand: Stand) -> None:
    scheduler = pytest.importorskip("rq.cron", reason="this RQ has no cron").CronScheduler
    running = scheduler(connection=stand.client, name="c1", logging_level="CRITICAL")
    for options in ({"cron": "5 4 * * *"}, {"interval": 60}):
        running.register(rq_shop.add, "shop", args=(2,), kwargs={"y": 3}, **options)
    running.register_birth()
    daily, often = sorted(cron.schedules(), key=lambda one: one.timing)
    assert (daily.timing, daily.owner, daily.task) == ("5 4 * * *", Owner.CODE, "rq_shop.add")
    assert daily.next_run_at is not None
    assert daily.timezone == f"local time of {running.hostname}"
    assert (often.every_s, often.next_run_at) == (60.0, None)
    assert daily.arguments == {"args": [2], "kwargs": {"y": 3}}
    for one in (daily, often):
        assert told(cron, one.id) == one
    task = act(cron, "run_now", daily.id).task_id
    stand.work()
    stand.host.wait_for(task, Kind.SUCCEEDED)
    assert stand.host.data(task, "succeeded")["result"] == 5
    running.register_death()
    with pytest.raises(ActionError, match="No running"):
        act(cron, "run_now", daily.id)
    absent = {info.name: info.absent for info in cron.announced()}
    assert {name for name, reason in absent.items() if reason is None} == {"run_now"}


def test_the_same_configuration_run_twice_is_one_schedule(cron: RqCron, stand: Stand) -> None:
    job = {"func_name": "a.b", "queue_name": "q", "interval": 5}
    tell(stand.client, "one", {**job, "next_enqueue_time": "2026-01-02T03:04:05.000000Z"})
    tell(stand.client, "two", {**job, "next_enqueue_time": "2026-01-02T03:04:04.000000Z"})
    [schedule] = cron.schedules()
    assert schedule.next_run_at == 1_767_323_044_000_000


@pytest.mark.parametrize(
    "jobs",
    [
        [{"func_name": "a.b"}],
        [{"func_name": "a.b", "queue_name": "q", "interval": -1}],
        [{"func_name": 5, "queue_name": "q"}],
        ["x"],
    ],
)
def test_hostile_words_of_a_cron_are_an_error_and_no_schedule(
    cron: RqCron, stand: Stand, jobs: list[Any]
) -> None:
    tell(stand.client, "one", *jobs)
    with pytest.raises(msgspec.ValidationError):
        cron.schedules()


def test_arguments_that_are_no_json_cannot_be_run(cron: RqCron, stand: Stand) -> None:
    job = {"func_name": "a.b", "queue_name": "q", "cron": "* * * * *", "args": "not JSON"}
    tell(stand.client, "one", {**job, "next_enqueue_time": "soon"})
    [schedule] = cron.schedules()
    assert "run_now" in schedule.absent
    assert schedule.next_run_at is None
    with pytest.raises(ActionError, match="not JSON"):
        act(cron, "run_now", schedule.id)


def test_without_a_redis_it_says_so() -> None:
    for scheduler in (RqCron(), RqScheduler()):
        assert scheduler.store() is None
        with pytest.raises(ActionError, match="knows no Redis"):
            scheduler.schedules()
