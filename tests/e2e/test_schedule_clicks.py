"""What can be done with schedules is clicked, and each scheduler's own store shows the effect."""

from __future__ import annotations

import base64
import json
import pickle
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from playwright.sync_api import Browser
from rq import Queue
from rq.job import Job

from celery_worker import Shop
from clicking import Hand, eventually
from dramatiq_worker import DramatiqShop
from offered_actions import ARQ_PYTHON
from rq_worker import RqShop
from server import Client, Server
from services.missing import ServiceMissingError, give_up

pytestmark = pytest.mark.parametrize("shared_record_url", ["sqlite"], indirect=True)
DAY, HOURS = "86400", "7200"


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    return shared_server


@pytest.fixture(scope="module")
def client(shared_client: Client) -> Client:
    return shared_client


@pytest.fixture(scope="module")
def hand(browser: Browser, server: Server, client: Client) -> Iterator[Hand]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield Hand(context.new_page(), server, client)
    context.close()


@pytest.fixture
def shop(
    request: pytest.FixtureRequest, tmp_path: Path, redis_url: str, server: Server, client: Client
) -> Iterator[Shop]:
    kind, app = request.param
    shop = kind(tmp_path, redis_url, server.url, client.mint(tmp_path.name))
    shop.app = app
    yield shop
    shop.stop()


@pytest.fixture
def broker(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


def of(kind: type[Shop], app: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("shop", [pytest.param((kind, app), id=app)], indirect=True)


def start_beat(shop: Shop, *options: str, **environment: str) -> None:
    command = ("-m", "celery", "-A", shop.app, "beat", "-l", "INFO")
    shop.start("beat", "beat: Starting", *command, *options, **environment)


@of(Shop, "celery_clock")
def test_celery_beat(hand: Hand, shop: Shop, broker: redis.Redis) -> None:
    start_beat(shop, "-s", str(shop.folder / "schedule"))
    hand.do("celery-beat", "run_now", hand.schedule("celery-beat", "nightly"))
    assert [body(message) for message in broker.lrange("parked", 0, -1)] == [[1]]


@of(Shop, "celery_clock")
def test_redbeat(hand: Hand, shop: Shop, broker: redis.Redis) -> None:
    def entry() -> Any:
        definition = broker.hget("redbeat:new", "definition")
        return None if definition is None else json.loads(definition)

    start_beat(shop, "-S", "redbeat.RedBeatScheduler")
    hand.schedule("celery-redbeat", "nightly")
    form = {"name": "new", "task": "truth.work", "every_s": DAY, "args": "[8]", "queue": "parked"}
    hand.do("celery-redbeat", "create", "celery-redbeat", **form)
    new = hand.schedule("celery-redbeat", "new")
    assert (entry()["task"], entry()["args"], entry()["enabled"]) == ("truth.work", [8], True)
    hand.do("celery-redbeat", "pause", new)
    assert entry()["enabled"] is False
    hand.do("celery-redbeat", "resume", new)
    assert entry()["enabled"] is True
    hand.do("celery-redbeat", "update", new, every_s=HOURS)
    assert (entry()["schedule"]["every"], entry()["args"]) == (7200, [8])
    hand.do("celery-redbeat", "run_now", new)
    assert [body(message) for message in broker.lrange("parked", 0, -1)] == [[8]]
    hand.do("celery-redbeat", "delete", new)
    assert entry() is None


@of(Shop, "celery_clock")
def test_django_celery_beat(hand: Hand, shop: Shop, broker: redis.Redis) -> None:
    file = shop.folder / "clock.sqlite3"
    django = {"DJANGO_SETTINGS_MODULE": "clock_settings", "CLOCK_FILE": str(file)}
    migrate = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, env={**shop.environment, **django}, check=True, timeout=120)
    start_beat(shop, "-S", "django_celery_beat.schedulers:DatabaseScheduler", **django)
    hand.schedule("django-celery-beat", "nightly")
    form = {"name": "new", "task": "truth.work", "every_s": DAY, "args": "[8]", "queue": "parked"}
    hand.do("django-celery-beat", "create", "django-celery-beat", **form)
    new = hand.schedule("django-celery-beat", "new")
    assert row(file) == (1, "[8]", 86_400)
    hand.do("django-celery-beat", "pause", new)
    assert row(file) == (0, "[8]", 86_400)
    hand.do("django-celery-beat", "resume", new)
    hand.do("django-celery-beat", "update", new, every_s=HOURS)
    assert row(file) == (1, "[8]", 7200)
    hand.do("django-celery-beat", "run_now", new)
    assert [body(message) for message in broker.lrange("parked", 0, -1)] == [[8]]
    hand.do("django-celery-beat", "delete", new)
    assert row(file) is None


@of(RqShop, "rq_truth")
def test_rq_cron_and_rq_scheduler(hand: Hand, shop: RqShop, broker: redis.Redis) -> None:
    def due() -> float | None:
        return broker.zscore("rq:scheduler:scheduled_jobs", result["schedule"])

    shop.start_worker()
    shop.start_cron("rq_clock")
    parked = Queue("parked", connection=broker)
    hand.do("rq-cron", "run_now", hand.schedule("rq-cron", "nightly"))
    assert [list(one.args) for one in parked.jobs] == [[1]]
    form = {"task": "rq_truth.work", "queue": "parked", "interval_s": DAY, "args": "[8]"}
    result = hand.do("rq-scheduler", "create", "rq-scheduler", **form)
    new = hand.schedule("rq-scheduler", "rq_truth.work")
    first = due()
    hand.do("rq-scheduler", "pause", new)
    assert due() is None
    hand.do("rq-scheduler", "resume", new)
    assert due() == first is not None
    hand.do("rq-scheduler", "update", new, interval_s=HOURS)
    assert Job.fetch(result["schedule"], connection=broker).meta["interval"] == 7200
    hand.do("rq-scheduler", "run_now", new)
    assert [list(one.args) for one in parked.jobs] == [[1], [8]]
    hand.do("rq-scheduler", "delete", new)
    assert due() is None


@of(DramatiqShop, "dramatiq_clock")
def test_periodiq(hand: Hand, shop: DramatiqShop) -> None:
    shop.start_worker("w1", "-p", "1")
    hand.do("periodiq", "run_now", hand.schedule("periodiq", "nightly"))
    eventually(lambda: shop.truth()["started", "nightly", 0] == 1, "the worker runs it")


@of(Shop, "apscheduler_clock")
def test_apscheduler(hand: Hand, shop: Shop, broker: redis.Redis) -> None:
    def due() -> float | None:
        return broker.zscore("apscheduler.run_times", "new")

    shop.start("clock", "ready", "-c", "import apscheduler_clock; apscheduler_clock.run()")
    hand.schedule("apscheduler", "first")
    form = {"task": "apscheduler_clock:tell", "id": "new", "every_s": DAY, "args": '["new"]'}
    hand.do("apscheduler", "create", "apscheduler", **form)
    new = hand.schedule("apscheduler", "tell")
    assert due() is not None
    hand.do("apscheduler", "pause", new)
    assert due() is None
    hand.do("apscheduler", "resume", new)
    assert due() is not None
    hand.do("apscheduler", "update", new, every_s=HOURS)
    stored = broker.hget("apscheduler.jobs", "new")
    assert pickle.loads(stored)["trigger"].interval == timedelta(hours=2)
    hand.do("apscheduler", "run_now", new)
    eventually(shop.truth_file.exists, "it runs")
    assert shop.truth_file.read_text() == "new\n"
    hand.do("apscheduler", "delete", new)
    assert not broker.hexists("apscheduler.jobs", "new")


@of(Shop, "huey_clock")
def test_huey(hand: Hand, shop: Shop, broker: redis.Redis) -> None:
    def is_revoked() -> bool:
        return broker.hexists("huey.results.clock", "rt:huey_clock.nightly")

    consumer = "from huey.bin.huey_consumer import consumer_main; consumer_main()"
    shop.start("clock", "Huey consumer started", "-c", consumer, "huey_clock.huey")
    nightly = hand.schedule("huey-periodic", "nightly")
    hand.do("huey-periodic", "pause", nightly)
    assert is_revoked()
    hand.do("huey-periodic", "resume", nightly)
    assert not is_revoked()
    hand.do("huey-periodic", "run_now", nightly)
    eventually(lambda: shop.truth()["started", "nightly", 0] == 1, "a worker runs it")


@of(Shop, "arq_clock")
def test_arq(hand: Hand, shop: Shop) -> None:
    if ARQ_PYTHON is None:
        give_up(ServiceMissingError("Run `hatch run test --only whole:e2e`: it has arq's Python."))
    worker = "from arq.cli import cli; cli()"
    ready = "Starting worker for 1 functions"
    shop.start("clock", ready, "-c", worker, "arq_clock.WorkerSettings", python=ARQ_PYTHON)
    nightly = hand.schedule("arq-cron", "nightly")
    hand.do("arq-cron", "run_now", nightly)
    eventually(lambda: shop.truth()["started", "nightly", 0] == 1, "the worker runs it")


@of(Shop, "taskiq_clock")
def test_taskiq(hand: Hand, shop: Shop, broker: redis.Redis) -> None:
    def stored() -> Any:
        kept = broker.get(f"schedule:data:{result['schedule']}")
        return None if kept is None else pickle.loads(kept)

    command = ("-m", "taskiq", "scheduler", "taskiq_clock:scheduler")
    shop.start("clock", "Startup completed", *command)
    hand.schedule("taskiq-scheduler", "first")
    form = {"task": "nightly", "cron": "0 4 1 1 *", "args": "[8]"}
    result = hand.do("taskiq-scheduler", "create", "taskiq-scheduler", **form)
    assert (stored()["cron"], stored()["args"]) == ("0 4 1 1 *", [8])
    new = hand.schedule("taskiq-scheduler", "nightly")
    hand.do("taskiq-scheduler", "update", new, cron="0 5 1 1 *")
    assert (stored()["cron"], stored()["args"]) == ("0 5 1 1 *", [8])
    hand.do("taskiq-scheduler", "run_now", new)
    assert [json.loads(one)["args"] for one in broker.lrange("parked", 0, -1)] == [[8]]
    hand.do("taskiq-scheduler", "delete", new)
    assert stored() is None


def body(message: bytes) -> Any:
    """Return the positional arguments of a message of Celery's."""
    return json.loads(base64.b64decode(json.loads(message)["body"]))[0]


def row(file: Path) -> Any:
    """Return what the database has of the new schedule: whether it is on, arguments, interval."""
    database = sqlite3.connect(file)
    try:
        return database.execute(
            "SELECT enabled, args, every FROM django_celery_beat_periodictask AS task "
            "LEFT JOIN django_celery_beat_intervalschedule AS interval "
            "ON interval.id = task.interval_id WHERE name = 'new'"
        ).fetchone()
    finally:
        database.close()
