"""django-celery-beat: changed in one process of a project, run by the beat of another."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from harness import APPS, Served, clean_environment, wait

SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("django") / "db.sqlite3"


@pytest.fixture(scope="module")
def environment(database: Path) -> dict[str, str]:
    settings = {"DJANGO_SETTINGS_MODULE": "django_settings", "DATABASE": str(database)}
    return {**settings, "SCHEDULER": "django"}


@pytest.fixture(scope="module")
def web(
    tmp_path_factory: pytest.TempPathFactory,
    own_databases: Iterator[str],
    environment: dict[str, str],
) -> Iterator[Served]:
    """A process of the project that is no beat; it makes the tables."""
    folder, url = tmp_path_factory.mktemp("web"), next(own_databases)
    served = Served(folder, url, "django_web", **environment)
    yield served.wait_until_served()
    served.stop()


@pytest.fixture(scope="module")
def beat(
    tmp_path_factory: pytest.TempPathFactory, web: Served, environment: dict[str, str]
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("beat")
    command = ("celery", "-A", "beat_shop", "beat", "-S", SCHEDULER, "-l", "INFO")
    served = Served(folder, web.url, *command, **environment).wait_until_served()
    yield served
    served.stop()
    assert served.process.returncode == 0, served.log.read_text()


def length(served: Served, queue: str) -> int:
    with redis.Redis.from_url(served.url) as client:
        return int(client.llen(queue))


def more(served: Served, queue: str, count: int = 1) -> None:
    """Wait until so many more messages are in a queue."""
    before = length(served, queue)
    wait(lambda: length(served, queue) >= before + count, lambda: served.log.read_text())


def of(served: Served, name: str) -> dict[str, Any]:
    (found,) = [one for one in served.do("schedules") if one["id"] == name]
    return found


def test_a_schedule_fires_pauses_resumes_changes_and_goes(web: Served, beat: Served) -> None:
    """Changed in a web process; `tick` runs each second and shows that beat is at work."""
    assert web.do("store") == beat.do("store")
    new = {"name": "new", "task": "beat_shop.report", "queue": "new", "args": [7]}
    assert web.do("create", **new, every_s=1)["schedule"] == "new"
    more(beat, "new")
    ran = wait(lambda: (one := of(beat, "new"))["runs"] and one, lambda: str(of(beat, "new")))
    assert (ran["owner"], ran["undone_by"], ran["every_s"]) == ("store", None, 1.0)
    assert ran["next_run_at"] == ran["last_run_at"] + 1_000_000
    web.do("pause", "new")
    paused = of(web, "new")
    assert (paused["enabled"], paused["next_run_at"]) == (False, None)

    def has_noticed() -> bool:
        silent = length(beat, "new")
        more(beat, "ticks", 2)
        return length(beat, "new") == silent

    wait(has_noticed, lambda: beat.log.read_text())
    web.do("resume", "new")
    more(beat, "new")
    web.do("update", "new", crontab="0 3 * * *", timezone="Asia/Tokyo", queue="other")
    changed = of(web, "new")
    assert (changed["timing"], changed["timezone"]) == ("0 3 * * *", "Asia/Tokyo")
    assert (changed["queue"], changed["arguments"]["args"]) == ("other", [7])
    at = datetime.fromtimestamp(changed["next_run_at"] / 1e6, UTC)
    assert (at.hour, at.minute, at.second) == (18, 0, 0)
    web.do("delete", "new")
    assert "new" not in {one["id"] for one in beat.do("schedules")}


def test_run_now_publishes_once_and_names_the_schedule(web: Served, beat: Served) -> None:
    before = of(web, "nightly")
    for served in (web, beat):
        task_id = served.do("run_now", "nightly")["task_id"]
        event = served.record.wait_for(task_id, "published")
        assert (event["queue"], event["data"]["schedule"]) == ("reports", "nightly")
    with redis.Redis.from_url(beat.url) as client:
        message = json.loads(client.lindex("reports", 0))
    assert message["headers"]["tenant"] == "acme"
    assert of(web, "nightly") == before


def test_what_beat_publishes_names_its_schedule(beat: Served) -> None:
    def find() -> bool:
        return any(line.get("data", {}).get("schedule") == "tick" for line in beat.record.lines())

    wait(find, lambda: str(beat.record.lines()))


def test_entries_of_the_configuration_say_what_undoes_a_change(web: Served, beat: Served) -> None:
    tick = of(web, "tick")
    assert tick["owner"] == "code"
    assert "beat_schedule" in tick["undone_by"]
    assert tick["arguments"]["kwargs"] == {"password": "hunter2"}  # redacted by the agent


def test_another_process_does_not_guess_what_beat_has_not_written_down(
    web: Served, beat: Served
) -> None:
    """Beat writes its runs down every three minutes; until then only beat knows them."""
    assert wait(lambda: of(beat, "tick")["runs"], lambda: str(of(beat, "tick")))
    more(beat, "ticks", 2)
    assert of(web, "tick")["next_run_at"] is None
    assert of(beat, "tick")["next_run_at"] is not None


def test_each_kind_of_timing(web: Served) -> None:
    soon = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    kinds: dict[str, dict[str, Any]] = {
        "interval": {"every_s": 90},
        "fraction": {"every_s": 0.25},
        "crontab": {"crontab": "*/5 8-17 * * 1-5"},
        "zoned": {"crontab": "0 0 * * *", "timezone": "America/New_York"},
        "clocked": {"at": soon.isoformat()},
    }
    for name, timing in kinds.items():
        web.do("create", name=name, task="t", enabled=False, **timing)
    told = {one["id"]: one for one in web.do("schedules")}
    assert [told[name]["timing"] for name in kinds] == [
        *("every 90 s", "every 0.25 s", "*/5 8-17 * * 1-5", "0 0 * * *"),
        f"once, {soon.isoformat()}",
    ]
    assert told["zoned"]["timezone"] == "America/New_York"
    for name in kinds:
        web.do("resume", name)
    told = {one["id"]: one for one in web.do("schedules")}
    assert all(told[name]["next_run_at"] for name in ("interval", "crontab", "zoned", "clocked"))
    assert told["clocked"]["next_run_at"] == int(soon.timestamp()) * 1_000_000
    values = {name: told[name]["values"] for name in kinds}
    for name, value in values.items():
        web.do("update", name, **value)  # a form that is sent as it came changes nothing
    again = {one["id"]: one for one in web.do("schedules")}
    assert {name: again[name]["values"] for name in kinds} == values
    web.do("update", "clocked", every_s=3_600)
    assert of(web, "clocked")["timing"] == "every 1 h"
    for name in kinds:
        web.do("delete", name)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"name": "tick", "every_s": 1}, "already"),
        ({"name": "x"}, "give one of"),
        ({"name": "x", "every_s": 1, "crontab": "* * * * *"}, "only one"),
        ({"name": "x", "crontab": "61 * * * *"}, "cannot be read"),
        ({"name": "x", "crontab": "0 0 * * * 1"}, "five fields"),
        ({"name": "x", "crontab": "0 0 * * *", "timezone": "../../etc/passwd"}, "no time zone"),
        ({"name": "x", "crontab": "0 0 * * *", "timezone": "Mars/Olympus"}, "no time zone"),
        ({"name": "x", "every_s": 5, "timezone": "UTC"}, "belongs to a crontab"),
        ({"name": "x", "every_s": 3_000.5}, "whole seconds"),
        ({"name": "x", "solar_event": "sunrise"}, "latitude"),
        ({"name": "x", "solar_event": "sunrise", "latitude": 1, "longitude": 1}, "ephem"),
    ],
)
def test_a_new_schedule_that_cannot_be_is_refused(
    web: Served, beat: Served, params: dict[str, Any], reason: str
) -> None:
    before = [one["id"] for one in web.do("schedules")]
    assert reason in web.act("create", task="t", **params)["error"]
    assert [one["id"] for one in web.do("schedules")] == before


@pytest.mark.parametrize("action", ["run_now", "pause", "resume", "update", "delete"])
def test_what_is_not_there_is_refused(web: Served, action: str) -> None:
    assert "no schedule 'gone'" in web.act(action, "gone")["error"]


@pytest.mark.parametrize(
    "row",
    [
        {"args": "[", "kwargs": "null", "headers": "7"},
        {"args": "{}" + " " * 70_000, "kwargs": "[" * 5_000},
        {"args": '"' + "x" * 100_000 + '"'},
    ],
)
def test_a_row_that_cannot_be_read_harms_no_other(
    web: Served, database: Path, row: dict[str, str]
) -> None:
    web.do("create", name="good", task="t", every_s=3_600)
    web.do("create", name="bad", task="t", every_s=3_600, enabled=False)
    with sqlite3.connect(database, timeout=60) as connection:
        for name, value in row.items():
            statement = f"UPDATE django_celery_beat_periodictask SET {name}=? WHERE name='bad'"
            connection.execute(statement, [value])
    connection.close()
    assert of(web, "bad")["arguments"] == {"args": [], "kwargs": {}}
    assert "no JSON" in web.act("run_now", "bad")["error"]
    assert of(web, "good")["next_run_at"] is not None
    web.do("update", "bad", args=[], kwargs={})
    for name in ("good", "bad"):
        web.do("delete", name)


def test_the_contract_kit(own_databases: Iterator[str], tmp_path: Path) -> None:
    """In a process of its own: a project is set up once, and for all of a process."""
    settings = {"DJANGO_SETTINGS_MODULE": "django_settings", "DATABASE": str(tmp_path / "db")}
    options = ("-q", "-p", "no:cacheprovider", str(APPS / "django_contract.py"))
    environment = clean_environment(next(own_databases), tmp_path / "record")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        env={**environment, **settings},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
