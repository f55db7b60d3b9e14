"""The schedules of celery beat itself, told by a real beat process."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import redis
from celery import Celery
from celery.beat import Scheduler as CelerySchedulerBase
from celery.beat import Service
from harness import Served, wait

from z4j_celery.schedulers import running
from z4j_celery.schedulers.static import CeleryBeat


@pytest.fixture(scope="module")
def beat(
    tmp_path_factory: pytest.TempPathFactory, own_databases: Iterator[str]
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("static")
    options = ("-s", str(folder / "schedule"), "-l", "WARNING")
    command = ("celery", "-A", "beat_shop", "beat", *options)
    served = Served(folder, next(own_databases), *command, SCHEDULER="static").wait_until_served()
    yield served
    served.stop()
    assert served.process.returncode == 0, served.log.read_text()


def schedules(served: Served) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in served.do("schedules")}


def test_schedules_say_when_they_run_and_who_owns_them(beat: Served) -> None:
    found = schedules(beat)
    assert sorted(found) == ["lazy", "nightly", "odd", "tick"]  # a name too long is not told
    assert {one["owner"] for one in found.values()} == {"code"}
    tick, nightly = found["tick"], found["nightly"]
    assert (tick["timing"], tick["every_s"], tick["timezone"]) == ("every 1 s", 1.0, None)
    assert (tick["task"], tick["queue"]) == ("beat_shop.tick", "ticks")
    assert tick["arguments"] == {"args": [], "kwargs": {"password": "hunter2"}}
    assert (nightly["timing"], nightly["timezone"]) == ("30 2 * * 1-5", "Europe/Berlin")
    assert (nightly["runs"], nightly["last_run_at"]) == (0, None)
    at = datetime.fromtimestamp(nightly["next_run_at"] / 1e6, ZoneInfo("Europe/Berlin"))
    assert (at.hour, at.minute, at.second, at.weekday() < 5) == (2, 30, 0, True)
    assert at > datetime.now(UTC)
    assert (found["odd"]["timing"], found["odd"]["next_run_at"]) == ("0 * * * *", None)


def test_a_schedule_that_ran_says_when_and_how_often(beat: Served) -> None:
    before = time.time_ns() // 1_000
    first = schedules(beat)["tick"]
    told = wait(
        lambda: (one := schedules(beat)["tick"])["runs"] > first["runs"] and one,
        lambda: str(schedules(beat)),
    )
    assert before - 2_000_000 < told["last_run_at"] <= time.time_ns() // 1_000
    assert told["next_run_at"] == told["last_run_at"] + 1_000_000


def test_what_it_publishes_names_its_schedule(beat: Served) -> None:
    def find() -> Any:
        events = [line for line in beat.record.lines() if line.get("kind") == "published"]
        return next((e for e in events if e["data"].get("schedule") == "tick"), None)

    event = wait(find, lambda: str(beat.record.lines()))
    assert (event["name"], event["queue"]) == ("beat_shop.tick", "ticks")


def test_run_now_publishes_the_same_message_and_the_next_runs_stay(beat: Served) -> None:
    before = schedules(beat)["nightly"]
    task_id = beat.do("run_now", "nightly")["task_id"]
    event = beat.record.wait_for(task_id, "published")
    assert (event["name"], event["queue"]) == ("beat_shop.report", "reports")
    assert event["data"]["args"] == [1]
    assert event["data"]["schedule"] == "nightly"
    after = schedules(beat)["nightly"]
    assert (after["next_run_at"], after["runs"]) == (before["next_run_at"], 0)
    with redis.Redis.from_url(beat.url) as client:
        message = json.loads(client.lindex("reports", 0))
    assert message["headers"]["celery_beat_task"] is True
    assert message["headers"]["tenant"] == "acme"


def test_run_now_calls_arguments_that_are_functions_and_heeds_the_task(beat: Served) -> None:
    task_id = beat.do("run_now", "lazy")["task_id"]
    event = beat.record.wait_for(task_id, "published")
    assert event["data"]["args"] == [f"cart-{beat.process.pid}"]
    assert event["queue"] == "own"


def test_a_schedule_that_is_not_there_is_refused(beat: Served) -> None:
    assert "no schedule 'gone'" in beat.act("run_now", "gone")["error"]


def test_only_a_run_is_offered_and_the_rest_says_why() -> None:
    infos = {info.name: info.absent for info in CeleryBeat().announced()}
    assert infos.pop("run_now") is None
    assert sorted(infos) == ["create", "delete", "pause", "resume", "update"]
    assert all(reason and "beat_schedule" in reason for reason in infos.values())


def test_a_process_without_beat_has_nothing_to_tell() -> None:
    assert CeleryBeat().store() is None


@pytest.fixture
def service() -> Iterator[Service]:
    app = Celery("inside", broker="memory://", set_as_current=False)
    app.conf.beat_schedule = {"one": {"task": "t", "schedule": 60, "options": {"queue": "q"}}}
    service = Service(app, scheduler_cls=CelerySchedulerBase)
    yield service
    running.forget()


def test_beat_is_left_as_it_was(service: Service) -> None:
    running.notice(service)
    assert CeleryBeat().store() is not None
    assert [one.id for one in CeleryBeat().schedules()] == ["one"]
    watched = service.scheduler.tick
    running.notice(service)
    assert service.scheduler.tick is watched  # noticed once
    running.forget()
    assert not {"tick", "apply_async"} & set(vars(service.scheduler))
    assert CeleryBeat().store() is None


def test_an_entry_is_not_changed_by_being_published(service: Service) -> None:
    running.notice(service)
    entry = service.scheduler.schedule["one"]
    service.scheduler.apply_async(entry, advance=False)
    assert entry.options == {"queue": "q"}
    with service.app.connection_for_read() as connection:
        message = connection.default_channel.basic_get("q")
    assert message.headers["periodic_task_name"] == "one"


def test_the_scheduler_of_a_stranger_is_not_taken_for_a_static_one(service: Service) -> None:
    class Elsewhere(CelerySchedulerBase):  # type: ignore[misc]
        """Its schedules could stand anywhere."""

    service.scheduler_cls = Elsewhere
    running.notice(service)
    assert CeleryBeat().store() is None
    assert "tick" not in vars(service.scheduler)
