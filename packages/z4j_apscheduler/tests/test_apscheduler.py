"""The contract of schedulers, with real APSchedulers and the stores that they come with."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.redis import RedisJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import BaseScheduler

from z4j_apscheduler.scheduler import APScheduler
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import Owner, Scheduler
from z4j_core.testing import RecordingHost
from z4j_core.testing.scheduler_contract import SchedulerContract

ran: list[dict[str, Any]] = []


def job(**arguments: Any) -> None:
    """Tell that it ran."""
    ran.append(arguments)


class Harness:
    def __init__(self, store: Any) -> None:
        self.host = RecordingHost()
        self.scheduler: Scheduler = APScheduler()
        self.scheduler.attach(self.host)
        self.running = BackgroundScheduler(jobstores={"default": store}, timezone="UTC")
        self.running.start()
        self.before = len(ran)

    def add(self, name: str, **arguments: str) -> str:
        self.running.add_job(
            job, "cron", month="1", day="1", hour="5", id=name, name=name, kwargs=arguments
        )
        return f"default/{name}"

    def enabled(self, schedule: str) -> bool | None:
        found = self.running._jobstores["default"].lookup_job(schedule.partition("/")[2])
        return None if found is None else found.next_run_time is not None

    def published(self) -> int:
        return len(ran) - self.before

    def changed(self) -> dict[str, Any]:
        return {"cron": "5 4 * 2 *", "timezone": "Europe/Berlin"}

    def creatable(self, name: str) -> dict[str, Any]:
        self.add("first")
        task = self.scheduler.schedules()[0].task
        return {"task": task, "id": name, "every_s": 3600.0, "kwargs": {"colour": "red"}}

    def close(self) -> None:
        self.running.shutdown()
        self.scheduler.detach()


class TestInMemory(SchedulerContract):
    module = "z4j_apscheduler.plugin"
    library = "apscheduler.schedulers.base"

    @pytest.fixture
    def store(self) -> Any:
        return MemoryJobStore()

    @pytest.fixture
    def harness(self, store: Any) -> Iterator[Harness]:
        harness = Harness(store)
        yield harness
        harness.close()

    def test_who_owns_a_job_is_told(self, harness: Harness) -> None:
        told = self.told(harness, harness.add("contract"))
        assert told is not None
        is_memory = isinstance(harness.running._jobstores["default"], MemoryJobStore)
        assert told.owner is (Owner.CODE if is_memory else Owner.STORE)
        assert (told.undone_by is not None) == is_memory
        kwargs = {"id": "written", "replace_existing": True}
        harness.running.add_job(job, "interval", hours=2, **kwargs)
        told = self.told(harness, "default/written")
        assert told is not None
        assert told.undone_by is not None
        assert (told.timing, told.every_s) == ("every 7200 s", 7200)


class TestInTables(TestInMemory):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Any]:
        store = SQLAlchemyJobStore(f"sqlite:///{tmp_path / 'jobs.sqlite3'}")
        yield store
        store.engine.dispose()


class TestInRedis(TestInMemory):
    @pytest.fixture
    def store(self, redis_server: Any) -> Iterator[Any]:
        store = RedisJobStore(db=3, port=redis_server.port)
        store.redis.flushdb()
        yield store
        store.redis.close()


@pytest.fixture
def harness() -> Iterator[Harness]:
    harness = Harness(MemoryJobStore())
    yield harness
    harness.close()


def test_a_run_is_told_and_the_process_is_a_scheduler(harness: Harness) -> None:
    contract = TestInMemory()
    schedule = harness.add("contract", colour="blue")
    TestInMemory().call(harness, "run_now", schedule)
    contract.until(lambda: bool(harness.scheduler.schedules()[0].runs))
    told = harness.scheduler.schedules()[0]
    assert told.runs == 1
    assert told.last_run_at is not None
    assert told.next_run_at is not None
    assert told.next_run_at > told.last_run_at, "its next run stays"
    assert ran[-1] == {"colour": "blue"}
    assert harness.host.started == [("scheduler", None)]


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"cron": "* * *"}, "no line of cron"),
        ({"cron": "* * * * *", "timezone": "Nowhere/Land"}, "no time zone"),
        ({"cron": "* * * * *", "every_s": 5.0}, "not both"),
        ({"timezone": "UTC"}, "goes with cron"),
        ({"args": ["one too many"]}, "does not take"),
    ],
)
def test_a_change_that_cannot_be_is_refused(harness: Harness, params: Any, why: str) -> None:
    schedule = harness.add("contract")
    before = harness.scheduler.schedules()
    with pytest.raises(ActionError, match=why):
        TestInMemory().call(harness, "update", schedule, **params)
    assert harness.scheduler.schedules() == before


def test_only_functions_that_are_scheduled_can_be(harness: Harness) -> None:
    harness.add("contract")
    call = TestInMemory().call
    with pytest.raises(ActionError, match="No job of this process calls"):
        call(harness, "create", task="os:system", id="evil", every_s=1.0, args=["true"])
    task = harness.scheduler.schedules()[0].task
    with pytest.raises(ActionError, match="another id"):
        call(harness, "create", task=task, id="contract", every_s=1.0)
    with pytest.raises(ActionError, match="when"):
        call(harness, "create", task=task, id="new")
    with pytest.raises(ActionError, match="not there"):
        call(harness, "pause", "default/unknown")


def test_a_paused_job_stays_paused_when_it_is_changed(harness: Harness) -> None:
    schedule = harness.add("contract")
    call = TestInMemory().call
    call(harness, "pause", schedule)
    call(harness, "update", schedule, every_s=60.0)
    assert harness.enabled(schedule) is False
    call(harness, "resume", schedule)
    assert harness.scheduler.schedules()[0].values["every_s"] == 60.0


def test_two_schedulers_of_one_process_are_told_apart(harness: Harness) -> None:
    other = BackgroundScheduler(timezone="UTC")
    other.start()
    first = harness.scheduler.store()
    other.add_job(job, "interval", hours=1, id="contract")
    harness.add("contract")
    ids = {one.id for one in harness.scheduler.schedules()}
    assert ids == {"default/contract", "1:default/contract"}
    TestInMemory().call(harness, "delete", "1:default/contract")
    assert other.get_jobs() == []
    other.shutdown()
    assert harness.scheduler.store() == first


def test_a_job_of_an_event_loop_runs_in_it() -> None:
    plugin = APScheduler()
    plugin.attach(RecordingHost())
    threads: list[str] = []
    done = threading.Event()

    async def tell() -> None:
        threads.append(threading.current_thread().name)
        done.set()

    async def live() -> None:
        scheduler = AsyncIOScheduler(timezone="UTC")
        scheduler.start()
        scheduler.add_job(tell, "interval", hours=1, id="tell")
        await asyncio.to_thread(plugin.run_now, "default/tell", NoParams())
        await asyncio.to_thread(done.wait, 60)
        scheduler.shutdown()
        await asyncio.sleep(0)

    own = BaseScheduler.start
    asyncio.run(live())
    plugin.detach()
    assert threads == [threading.main_thread().name]
    assert own is not BaseScheduler.start, "what was attached was taken back"
