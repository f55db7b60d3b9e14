"""The actions in a process that only publishes: a web server, a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery
from harness import Worker
from recording import RecordingHost

from z4j_celery.engine import CeleryEngine
from z4j_core.capability import ActionError, NoParams
from z4j_core.frames import TaskRef
from z4j_core.plugins import EditedRetryParams, RetryParams

StartWorker = Callable[..., Worker]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[CeleryEngine]:
    engine = CeleryEngine()
    engine.attach(RecordingHost(tmp_path / "record"))
    yield engine
    engine.detach()


@pytest.fixture
def url(own_databases: Iterator[str]) -> str:
    return next(own_databases)


def make_app(url: str, name: str = "web") -> Celery:
    app = Celery(name, broker=url, backend=url, set_as_current=False)
    app.conf.task_default_queue = "shop"
    return app


@pytest.fixture
def app(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery]:
    """The only app of this process, as far as the engine can see."""
    with make_app(url) as app:
        monkeypatch.setattr("z4j_celery.process.live_apps", lambda: [app])
        yield app


FAILED = TaskRef("old", "celery_shop.add", "shop", "failed", args="[1,2]", kwargs="{}", exact=True)


def test_without_an_app_nothing_is_offered(
    engine: CeleryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("z4j_celery.process.live_apps", list)
    infos = engine.info().actions
    assert all(info.absent for info in infos)
    assert sum("No Celery app" in str(info.absent) for info in infos) == 5


def test_a_publisher_offers_what_needs_no_worker(engine: CeleryEngine, app: Celery) -> None:
    absent = {info.name: info.absent for info in engine.info().actions}
    offered = {name for name, reason in absent.items() if reason is None}
    assert offered == {"retry", "retry_edited", "cancel", "purge", "probe"}
    assert all("Only a worker" in str(reason) for reason in absent.values() if reason)


def test_retry_and_purge_work_without_any_worker(
    engine: CeleryEngine, app: Celery, url: str
) -> None:
    engine.retry(FAILED, RetryParams())
    engine.retry_edited(FAILED, EditedRetryParams(args=[3], kwargs={}))
    with redis.Redis.from_url(url) as client:
        assert client.llen("shop") == 2
    assert engine.purge("shop", NoParams()).deleted == 2
    with pytest.raises(ActionError, match="no queue 'shoop'"):
        engine.purge("shoop", NoParams())


def test_a_cancel_that_nobody_hears_is_an_error(engine: CeleryEngine, app: Celery) -> None:
    with pytest.raises(ActionError, match="No Celery worker answered"):
        engine.cancel(FAILED, NoParams())


def test_a_cancel_reaches_the_workers(
    engine: CeleryEngine,
    start_worker: StartWorker,
    app: Celery,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("z4j_celery.actions.remote.ANSWER_WAIT_S", 4.0)
    worker = start_worker("-P", "threads", "-c", "1", url=url)
    sent = app.send_task("celery_shop.add", (1, 1), countdown=12)
    worker.record.wait_for(sent.id, "received")
    ref = TaskRef(sent.id, "celery_shop.add", "shop", "received")
    assert worker.name in engine.cancel(ref, NoParams()).outcome
    worker.record.wait_for(sent.id, "cancelled")


def test_a_broker_that_is_away_is_an_error_that_names_it(
    engine: CeleryEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make_app("redis://127.0.0.1:1/0") as app:
        monkeypatch.setattr("z4j_celery.process.live_apps", lambda: [app])
        with pytest.raises(ActionError, match="Check the"):
            engine.retry(FAILED, RetryParams())


def test_of_several_apps_the_one_that_knows_the_task_is_taken(
    engine: CeleryEngine, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make_app(url, "one") as one, make_app("memory://", "two") as two:
        monkeypatch.setattr("z4j_celery.process.live_apps", lambda: [two, one])
        with pytest.raises(ActionError, match="none of them knows"):
            engine.retry(FAILED, RetryParams())

        def add(x: int, y: int) -> int:
            return x + y

        one.task(add, name="celery_shop.add", shared=False)
        one.finalize()
        engine.retry(FAILED, RetryParams())
        with redis.Redis.from_url(url) as client:
            assert client.llen("shop") == 1
        two.task(add, name="celery_shop.add", shared=False)
        two.finalize()
        with pytest.raises(ActionError, match="more than one"):
            engine.retry(FAILED, RetryParams())
