"""One import or one option turns it on; without `Z4J_URL` nothing happens at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from celery import Celery, signals
from celery.contrib.testing.worker import start_worker as start_in_process
from harness import APPS, Record, Worker, clean_environment, wait
from recording import RecordingHost

from z4j_agent.testing import LoopbackBrain
from z4j_celery.engine import CeleryEngine
from z4j_core.frames import Command, TaskRef

StartWorker = Callable[..., Worker]
HANDLED = [
    *("before_task_publish", "after_task_publish", "task_unknown"),
    *("task_rejected", "worker_init", "worker_shutdown", "beat_init"),
]


def run(program: str, **environment: str) -> str:
    """Return what a fresh Python prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, "PYTHONPATH": str(APPS), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_or_the_plugin_imports_no_celery() -> None:
    program = "import sys, z4j_celery, z4j_celery.plugin; print('celery' in sys.modules)"
    assert run(program).strip() == "False"


def test_schedulers_that_are_not_in_use_are_not_even_imported() -> None:
    """RedBeat's import alone has every beat of the process asked for RedBeat's lock."""
    program = """
import sys
from celery import Celery
app = Celery(broker="memory://")
app.conf.broker_url
from importlib.metadata import entry_points
from z4j_core.plugins import GROUP, PluginSettings, assemble
ours = [one for one in entry_points(group=GROUP) if "beat" in one.name]
found = assemble(ours).schedulers(PluginSettings())
print(sorted(one.name for one in found), [one.store() for one in found])
print([name for name in ("redbeat", "django.apps", "django_celery_beat") if name in sys.modules])
"""
    names, imported = run(program).splitlines()
    assert names == "['celery-beat', 'celery-redbeat', 'django-celery-beat'] [None, None, None]"
    assert imported == "[]"


def test_nothing_happens_without_a_url() -> None:
    program = f"""
import sys, json
import z4j_celery.auto
loaded = sorted({{"celery", "msgspec", "z4j_core"}} & set(sys.modules))
from celery import Celery, signals
app = Celery(broker="memory://")
app.send_task("shop.add", (1, 2), task_id="t1")
with app.connection_for_read() as connection:
    message = connection.default_channel.basic_get("celery")
receivers = {{name: len(getattr(signals, name).receivers) for name in {HANDLED!r}}}
stamps = [name for name in message.headers if name.startswith("z4j")]
print(json.dumps([loaded, sum(receivers.values()), len(app.steps["consumer"]), stamps]))
"""
    assert json.loads(run(program)) == [[], 0, 0, []]


@pytest.fixture
def attached(tmp_path: Path) -> Iterator[RecordingHost]:
    """The engine, attached to this very process."""
    host = RecordingHost(tmp_path / "record")
    host.engine = CeleryEngine()
    host.engine.attach(host)
    yield host
    host.engine.detach()


def lines_of(host: RecordingHost) -> list[dict[str, object]]:
    return Record(host.path).lines()


def test_a_publisher_tells_what_it_published_and_connects_once(attached: RecordingHost) -> None:
    for name in ("one", "two"):
        app = Celery(name, broker="memory://", set_as_current=False)
        for number in range(2):
            app.send_task(
                "shop.add",
                (number,),
                {"to": "anna"},
                task_id=f"{name}-{number}",
                queue="orders",
                priority=5,
                countdown=60,
                expires=3600,
                parent_id="p",
                root_id="r",
                group_id="g",
                headers={"z4j_retried_from": "an-older-one"},
            )
    lines = lines_of(attached)
    assert lines[0] == {"call": "ensure_started", "role": "publisher", "worker": None}
    events = lines[1:]
    assert Counter(str(event["id"]) for event in events) == Counter(
        ["one-0", "one-1", "two-0", "two-1"]
    )
    event = events[0]
    assert (event["kind"], event["name"], event["queue"]) == ("published", "shop.add", "orders")
    data = event["data"]
    assert isinstance(data, dict)
    assert (data["args"], data["kwargs"], data["exact"]) == ([0], {"to": "anna"}, True)
    assert (data["parent_id"], data["root_id"], data["group_id"]) == ("p", "r", "g")
    assert (data["priority"], data["retried_from"]) == (5, "an-older-one")
    assert 55_000_000 < data["eta"] - int(str(event["at"])) < 65_000_000
    assert 3_500_000_000 < data["expires"] - int(str(event["at"])) < 3_700_000_000


def test_the_stamp_is_in_the_message_and_older_than_the_event(attached: RecordingHost) -> None:
    app = Celery("stamped", broker="memory://", set_as_current=False)
    app.send_task("shop.add", task_id="t", queue="stamped")
    with app.connection_for_read() as connection:
        message = connection.default_channel.basic_get("stamped")
    assert message.headers["z4j_published_at"] == lines_of(attached)[-1]["at"]


def test_a_message_that_the_broker_refused_is_not_told(attached: RecordingHost) -> None:
    app = Celery("refused", broker="memory://", set_as_current=False)
    with pytest.raises(Exception, match="object is not JSON serializable"):
        app.send_task("shop.add", (object(),))
    assert lines_of(attached) == []


def test_protocol_1_is_understood(attached: RecordingHost) -> None:
    app = Celery("old", broker="memory://", set_as_current=False)
    app.conf.task_protocol = 1
    app.send_task("shop.add", (1, 2), task_id="old", retries=2)
    event = lines_of(attached)[-1]
    assert (event["id"], event["name"], event["attempt"]) == ("old", "shop.add", 2)
    assert event["data"]["args"] == [1, 2]  # type: ignore[index]


def test_a_worker_in_this_process_is_captured_and_detach_undoes_everything(
    attached: RecordingHost,
) -> None:
    """Without events, gossip, heartbeat and mingle, Celery has no dispatcher at all."""
    app = Celery("inside", broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.task_default_queue = "inside"

    @app.task(name="inside.add", shared=False)
    def add(x: int, y: int) -> int:
        return x + y

    own_class = add.Request
    with start_in_process(app, pool="threads", perform_ping_check=False, shutdown_timeout=60.0):
        result = add.delay(1, 2)
        assert result.get(timeout=60) == 3
        wait(
            lambda: [line for line in lines_of(attached) if line.get("kind") == "succeeded"],
            lambda: str(lines_of(attached)),
        )
        assert add.Request is not own_class
    kinds = Counter(line.get("kind") or line.get("call") for line in lines_of(attached))
    assert kinds == Counter(["ensure_started", "published", "received", "started", "succeeded"])
    assert attached.engine is not None
    attached.engine.detach()
    assert add.Request == own_class
    assert not app.steps["consumer"]
    assert not any(getattr(signals, name).receivers for name in HANDLED if "publish" in name)
    app.send_task("inside.add", (1, 2))
    assert len(lines_of(attached)) == 5


def test_an_engine_attached_before_the_app_and_beside_another_app(
    start_worker: StartWorker,
) -> None:
    worker = start_worker("-P", "prefork", "-c", "1", MODULE="attach_early", ATTACH="")
    with Celery("client", broker=worker.url, set_as_current=False) as app:
        task_id = app.send_task("celery_shop.spawn", (1,), queue="shop").id
    child = worker.record.wait_for(task_id, "succeeded")["data"]["result"]
    worker.record.wait_for(child, "succeeded")
    assert worker.record.kinds(child)["published", 0] == 1


def test_beat_is_a_scheduler_that_tells_what_it_publishes(
    own_databases: Iterator[str], tmp_path: Path
) -> None:
    record = Record(tmp_path / "record")
    environment = clean_environment(next(own_databases), record.path)
    command = [sys.executable, "-m", "celery", "-A", "celery_shop", "beat", "-l", "WARNING"]
    beat = subprocess.Popen([*command, "-s", str(tmp_path / "schedule")], env=environment)
    try:
        wait(lambda: len(record.lines()) >= 3, lambda: str(record.lines()))
    finally:
        beat.terminate()
        beat.wait(60)
    assert record.calls() == [("ensure_started", "scheduler")]
    assert {line["kind"] for line in record.lines()[1:]} == {"published"}


@pytest.mark.parametrize("pool", ["prefork", "gevent"])
def test_the_option_include_is_enough(start_worker: StartWorker, pool: str) -> None:
    """The real agent, a real link: events of the parent and of its children, and a command."""
    with LoopbackBrain() as brain:
        worker = start_worker(
            *("-P", pool, "-c", "2", "--include", "z4j_celery.auto"),
            MODULE="celery_sites:bare",
            **brain.environment(Z4J_PLUGINS="celery"),
        )
        with Celery("client", broker=worker.url, set_as_current=False) as app:
            sent = app.send_task("celery_shop.spawn", (1,), queue="shop").id
        assert brain.wait_for(lambda: len(brain.events) >= 7), brain.events
        kinds = Counter((event.task_id == sent, event.kind.value) for event in brain.events)
        whole = ("received", "started", "succeeded")
        assert kinds == Counter(
            [(True, kind) for kind in whole] + [(False, kind) for kind in ("published", *whole)]
        )
        hello = brain.hellos[0]
        assert (hello.role, hello.worker_id) == ("worker", worker.name)
        [engine] = hello.engines
        assert engine.name == "celery"
        offered = {action.name for action in engine.actions if action.absent is None}
        assert offered >= {"retry", "retry_edited", "cancel", "purge", "probe", "held_tasks"}
        assert ("terminate" in offered) == (pool == "prefork")
        task = TaskRef(
            sent, "celery_shop.add", "shop", "succeeded", args="[5,6]", kwargs="{}", exact=True
        )
        brain.command(Command(id="c1", engine="celery", action="retry", params=b"{}", task=task))
        assert brain.wait_for(lambda: brain.results)
        assert brain.results[0].ok
        new = msgspec.json.decode(brain.results[0].result)["task_id"]
        assert brain.wait_for(
            lambda: any(e.task_id == new and e.kind.value == "succeeded" for e in brain.events)
        )
        worker.stop()
        assert worker.process.returncode == 0


def test_a_late_import_finds_the_engine_although_somebody_registered_before() -> None:
    program = """
import z4j_agent, sys
z4j_agent.register()
before = "celery" in sys.modules
import z4j_celery.auto
from celery import signals
print(before, len(signals.after_task_publish.receivers))
"""
    with LoopbackBrain() as brain:
        environment = brain.environment(Z4J_PLUGINS="celery")
        assert run(program, **environment).split() == ["False", "1"]
        program = program.replace("import z4j_celery.auto", "import z4j_celery.auto\n" * 2)
        assert run(program, **environment).split() == ["False", "1"]
