"""celery-redbeat: read and changed from a process of its own, run by a real beat."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import redis
from celery import Celery
from celery.schedules import crontab
from celery.schedules import schedule as interval
from harness import Served, wait
from redbeat import RedBeatSchedulerEntry
from redbeat.schedulers import get_redis
from redbeat.schedules import rrule

from z4j_celery.schedulers.redis_beat import RedBeat
from z4j_celery.schedulers.redis_entries import MAX_DEFINITION, TIMEOUT_S, Entries
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import Schedule
from z4j_core.testing.scheduler_contract import SchedulerContract

NIGHTLY = {"every_s": 86_400.0}


def app_on(url: str) -> Celery:
    app = Celery("redbeat_shop", broker=url, set_as_current=False)
    app.conf.update(redbeat_redis_url=url, redbeat_lock_key=None, timezone="Europe/Berlin")
    return app


@pytest.fixture
def url(first_database: str) -> str:
    return first_database  # not that of the beat below


@pytest.fixture
def app(url: str) -> Iterator[Celery]:
    with app_on(url) as app:
        assert app.conf.redbeat_redis_url == url  # which configures it
        yield app
        get_redis(app).close()  # the tests' own


@pytest.fixture
def redbeat(app: Celery, monkeypatch: pytest.MonkeyPatch) -> RedBeat:
    monkeypatch.setattr("z4j_celery.schedulers.redis_beat.live_apps", lambda: [app])
    return RedBeat()


def call(redbeat: RedBeat, action: str, *target: str, **params: Any) -> Any:
    offered = redbeat.actions()[action]
    given = msgspec.json.encode(params)
    return getattr(redbeat, action)(*target, msgspec.json.decode(given, type=offered.params))


def told(redbeat: RedBeat, name: str) -> Schedule:
    (found,) = [one for one in redbeat.schedules() if one.id == name]
    return found


def entry(app: Celery, name: str) -> Any:
    return RedBeatSchedulerEntry.from_key(f"redbeat:{name}", app=app)


class Harness:
    """Makes entries with RedBeat itself."""

    def __init__(self, app: Celery, redbeat: RedBeat) -> None:
        self.scheduler, self._app = redbeat, app

    def add(self, name: str, **arguments: str) -> str:
        options = {"queue": "contract"}
        RedBeatSchedulerEntry(
            name, "t", interval(86_400), kwargs=arguments, options=options, app=self._app
        ).save()
        return name

    def enabled(self, schedule: str) -> bool | None:
        try:
            return bool(entry(self._app, schedule).enabled)
        except KeyError:
            return None

    def published(self) -> int:
        with redis.Redis.from_url(self._app.conf.broker_url) as client:
            return int(client.llen("contract"))

    def changed(self) -> dict[str, Any]:
        return {"crontab": "30 2 * * *"}

    def creatable(self, name: str) -> dict[str, Any]:
        return {"name": name, "task": "t", "every_s": 3_600}


class TestRedBeatContract(SchedulerContract):
    module = "z4j_celery.schedulers.redbeat_plugin"
    library = "redbeat"

    @pytest.fixture
    def harness(self, app: Celery, redbeat: RedBeat) -> Harness:
        return Harness(app, redbeat)


@pytest.fixture(scope="module")
def beat(
    tmp_path_factory: pytest.TempPathFactory, own_databases: Iterator[str]
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("redbeat")
    command = ("celery", "-A", "beat_shop", "beat", "-S", "redbeat.RedBeatScheduler", "-l", "INFO")
    served = Served(folder, next(own_databases), *command, SCHEDULER="redbeat").wait_until_served()
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


def test_a_schedule_fires_pauses_resumes_changes_and_goes(beat: Served) -> None:
    """All of it in the process of beat; `tick` runs each second and shows that beat is at work."""
    new = {"name": "new", "task": "beat_shop.report", "queue": "new", "args": [7]}
    assert beat.do("create", **new, every_s=1)["schedule"] == "new"
    more(beat, "new")
    ran = wait(lambda: (one := of(beat, "new"))["runs"] and one, lambda: str(of(beat, "new")))
    assert (ran["owner"], ran["undone_by"], ran["every_s"]) == ("store", None, 1.0)
    assert ran["next_run_at"] == ran["last_run_at"] + 1_000_000
    beat.do("pause", "new")
    paused = of(beat, "new")
    assert (paused["enabled"], paused["next_run_at"]) == (False, None)
    more(beat, "ticks", 2)  # beat may have been about to publish it
    silent = length(beat, "new")
    more(beat, "ticks", 2)
    assert length(beat, "new") == silent
    beat.do("resume", "new")
    assert of(beat, "new")["runs"] >= ran["runs"]
    more(beat, "new")
    beat.do("update", "new", crontab="0 3 * * *", queue="other")
    changed = of(beat, "new")
    assert (changed["timing"], changed["timezone"]) == ("0 3 * * *", "Europe/Berlin")
    assert (changed["queue"], changed["arguments"]["args"]) == ("other", [7])
    beat.do("delete", "new")
    assert "new" not in {one["id"] for one in beat.do("schedules")}


def test_run_now_publishes_once_and_what_beat_publishes_names_its_schedule(beat: Served) -> None:
    before = of(beat, "nightly")
    task_id = beat.do("run_now", "nightly")["task_id"]
    event = beat.record.wait_for(task_id, "published")
    assert (event["queue"], event["data"]["schedule"]) == ("reports", "nightly")
    assert of(beat, "nightly") == before

    def from_beat() -> bool:
        return any(line.get("data", {}).get("schedule") == "tick" for line in beat.record.lines())

    wait(from_beat, lambda: str(beat.record.lines()))


def test_entries_of_the_configuration_say_what_undoes_a_change(beat: Served) -> None:
    tick = of(beat, "tick")
    assert tick["owner"] == "code"
    assert "beat_schedule" in tick["undone_by"]


def test_a_change_made_elsewhere_is_in_the_next_reading(app: Celery, redbeat: RedBeat) -> None:
    made = RedBeatSchedulerEntry("mine", "t", interval(60), app=app).save()
    assert told(redbeat, "mine").timing == "every 1 min"
    made.schedule, made.enabled = crontab("0", "4"), False
    made.save()
    assert (told(redbeat, "mine").timing, told(redbeat, "mine").enabled) == ("0 4 * * *", False)
    made.delete()
    assert redbeat.schedules() == []


def test_an_entry_that_never_ran_has_no_last_run(app: Celery, redbeat: RedBeat) -> None:
    """RedBeat writes the time of creation where the last run stands."""
    RedBeatSchedulerEntry("mine", "t", interval(60), app=app).save()
    one = told(redbeat, "mine")
    assert (one.last_run_at, one.runs) == (None, None)
    assert one.next_run_at is not None


def test_a_resumed_schedule_waits_for_its_next_time(app: Celery, redbeat: RedBeat) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=7)
    made = RedBeatSchedulerEntry("mine", "t", interval(3_600), app=app).save()
    made = next(next(made))
    made.reschedule(long_ago)
    call(redbeat, "pause", "mine")
    call(redbeat, "resume", "mine")
    assert entry(app, "mine").is_due().is_due is False
    ran = next(entry(app, "mine"))
    call(redbeat, "pause", "mine")
    call(redbeat, "resume", "mine")
    assert told(redbeat, "mine").runs == ran.total_run_count
    call(redbeat, "resume", "mine")  # one that runs is left alone
    assert entry(app, "mine").last_run_at is not None


def test_rules_are_read_and_their_times_are_those_that_redbeat_keeps(
    app: Celery, redbeat: RedBeat
) -> None:
    start = datetime.now(UTC) - timedelta(days=400)
    rule = rrule("SECONDLY", dtstart=start, app=app)
    saved = RedBeatSchedulerEntry("rule", "t", rule, app=app)
    saved.last_run_at = datetime.now(UTC)
    with redis.Redis.from_url(app.conf.broker_url) as client:
        client.hset("redbeat:rule", "definition", definition_of(saved))
        client.zadd("redbeat::schedule", {"redbeat:rule": 2_000_000_000})
    one = told(redbeat, "rule")
    assert "SECONDLY" in one.timing
    assert one.next_run_at == 2_000_000_000_000_000


def definition_of(saved: Any) -> str:
    from redbeat.decoder import RedBeatJSONEncoder

    fields = ("name", "task", "args", "kwargs", "options", "schedule", "enabled")
    return json.dumps({f: getattr(saved, f) for f in fields}, cls=RedBeatJSONEncoder)


@pytest.mark.parametrize(
    "definition",
    [
        "{",
        "[]",
        "null",
        '{"schedule": "daily"}',
        '{"schedule": {"__type__": "crontab", "minute": "*/0"}}',
        '{"schedule": {"__type__": "interval", "every": "x", "relative": false}}',
        "[" * 5_000,
        "x" * (MAX_DEFINITION + 1),
    ],
)
def test_an_entry_that_cannot_be_read_harms_no_other(
    app: Celery, redbeat: RedBeat, definition: str
) -> None:
    RedBeatSchedulerEntry("good", "t", interval(60), app=app).save()
    with redis.Redis.from_url(app.conf.broker_url) as client:
        client.hset("redbeat:bad", "definition", definition)
        client.zadd("redbeat::schedule", {"redbeat:bad": 1, "redbeat:none": 2, "x" * 300: 3})
        client.set("redbeat:text", "not a hash")
        client.zadd("redbeat::schedule", {"redbeat:text": 4, "redbeat:": 5, "redbeat:n\0": 6})
    assert [one.id for one in redbeat.schedules()] == ["bad", "good", "none", "text"]
    assert sorted(told(redbeat, "bad").absent) == ["pause", "resume", "run_now", "update"]
    assert told(redbeat, "good").absent == {}
    with pytest.raises(ActionError):
        call(redbeat, "run_now", "bad")


@pytest.mark.parametrize("name", ["gone", ":schedule", ":statics", ":lock", ""])
@pytest.mark.parametrize("action", ["run_now", "pause", "resume", "update", "delete"])
def test_what_is_no_entry_is_refused(app: Celery, redbeat: RedBeat, action: str, name: str) -> None:
    RedBeatSchedulerEntry("good", "t", interval(60), app=app).save()
    with pytest.raises(ActionError, match="no schedule"):
        call(redbeat, action, name)
    assert [one.id for one in redbeat.schedules()] == ["good"]


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"name": "good", "every_s": 1}, "already"),
        ({"name": ":schedule", "every_s": 1}, "colon"),
        ({"name": "taken", "every_s": 1}, "already"),
        ({"name": "new"}, "every_s or crontab"),
        ({"name": "new", "every_s": 1, "crontab": "* * * * *"}, "only one"),
        ({"name": "new", "crontab": "* * * * 99"}, "cannot be read"),
        ({"name": "new", "crontab": "a b c d e f"}, "five fields"),
    ],
)
def test_a_new_entry_that_cannot_be_is_refused(
    app: Celery, redbeat: RedBeat, params: dict[str, Any], reason: str
) -> None:
    call(redbeat, "create", name="good", task="t", **NIGHTLY)
    with redis.Redis.from_url(app.conf.broker_url) as client:
        client.set("redbeat:taken", "by somebody")
    with pytest.raises(ActionError, match=reason):
        call(redbeat, "create", task="t", **params)
    assert [one.id for one in redbeat.schedules()] == ["good"]


def test_the_connection_is_our_own_with_limits_and_closed(app: Celery) -> None:
    app.conf.redbeat_redis_options = {"retry_period": -1}
    with Entries(app) as entries:
        entries.read()
        client = entries._client
        limits = client.connection_pool.connection_kwargs
        assert limits["socket_timeout"] == limits["socket_connect_timeout"] == TIMEOUT_S
        assert isinstance(client, redis.Redis)  # not RedBeat's own that tries for ever
    assert getattr(app, "redbeat_redis", None) is None


def test_the_store_is_told_from_others_without_a_password(url: str) -> None:
    def store_of(place: str, **conf: str) -> str:
        with app_on(place) as app:
            app.conf.update(conf)
            return Entries(app).store_id("celery-redbeat")

    secret = url.replace("redis://", "redis://user:hunter2@")
    assert store_of(url) == store_of(secret) != store_of(url, redbeat_key_prefix="mine:")
    assert store_of("redis-sentinel://redis-sentinel:26379/0") != store_of(url)


def test_a_process_without_redbeat_has_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    with Celery("plain", broker="memory://", set_as_current=False) as plain:
        assert not plain.configured
        monkeypatch.setattr("z4j_celery.schedulers.redis_beat.live_apps", lambda: [plain])
        assert RedBeat().store() is None
        plain.conf.broker_url  # noqa: B018 - configures it
        assert RedBeat().store() is None
        with pytest.raises(ActionError, match="set up for RedBeat"):
            RedBeat().pause("x", NoParams())


def test_more_entries_than_are_told_have_their_names_read(
    app: Celery, redbeat: RedBeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("z4j_celery.schedulers.redis_entries.MAX_SCHEDULES", 2)
    for name in ("c", "a", "b"):
        RedBeatSchedulerEntry(name, "t", interval(60), app=app).save()
    assert [(one.id, one.task) for one in redbeat.schedules()] == [
        ("a", "t"),
        ("b", "t"),
        ("c", None),
    ]


def test_a_redis_that_is_away_is_an_error_and_no_empty_list(app: Celery, redbeat: RedBeat) -> None:
    app.conf.redbeat_redis_url = "redis://127.0.0.1:1/0"
    with pytest.raises(redis.exceptions.ConnectionError):
        redbeat.schedules()
