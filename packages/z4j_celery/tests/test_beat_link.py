"""The examples of docs/schedules-celery.md with the real agent: beat has one link of its own, and
no harm comes to it when nobody answers.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import redis
from harness import Served, wait

from services.ports import free_port
from z4j_agent.testing import LoopbackBrain
from z4j_core.frames import Command, WatchedStore

PLUGINS = "celery,celery-beat,celery-redbeat,django-celery-beat"
PAGE = Path(__file__).parents[3] / "docs" / "schedules-celery.md"
StartBeat = Callable[..., Served]
PROJECT = """
SECRET_KEY = "for tests"
INSTALLED_APPS = []
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
USE_TZ = True
"""


@pytest.fixture
def start_beat(tmp_path: Path, own_databases: Iterator[str]) -> Iterator[StartBeat]:
    started: list[Served] = []
    example = PAGE.read_text().partition("```python\n")[2].partition("```")[0]
    (tmp_path / "shop.py").write_text(example)

    def start(*program: str, **environment: str) -> Served:
        folder = tmp_path / f"b{len(started)}"
        command = ("celery", "-A", "shop", *program, "-s", str(folder / "schedule"))
        environment = {
            "PYTHONPATH": str(tmp_path),
            "Z4J_PLUGINS": PLUGINS,
            "Z4J_SPOOL": "off",
            **environment,
        }
        started.append(Served(folder, next(own_databases), *command, **environment))
        return started[-1]

    yield start
    for served in started:
        served.stop()


def has_published(served: Served) -> bool:
    with redis.Redis.from_url(served.url) as client:
        return bool(client.llen("celery"))


def test_beat_has_one_link_and_tells_its_schedules(start_beat: StartBeat) -> None:
    with LoopbackBrain() as brain:
        beat = start_beat("beat", **brain.environment())
        assert brain.wait_for(lambda: brain.events), beat.log.read_text()
        [hello] = brain.hellos
        assert (hello.role, hello.plugin_errors) == ("scheduler", [])
        [info] = hello.schedulers
        assert (info.name, info.engine) == ("celery-beat", "celery")
        brain.watch_schedules(WatchedStore("celery-beat", info.store))
        assert brain.wait_for(lambda: brain.schedules)
        told = brain.schedules[-1]
        names = ["celery.backend_cleanup", "heartbeat", "invoices"]  # the first is Celery's own
        assert ([one.id for one in told.schedules], told.error) == (names, None)
        assert "hunter2" not in repr(brain.schedules) + repr(brain.events)
        brain.command(Command("c1", "celery-beat", "run_now", b"{}", schedule="invoices"))
        assert brain.wait_for(lambda: brain.results)
        assert brain.results[0].ok, brain.results[0].error
        sent = msgspec.json.decode(brain.results[0].result)["task_id"]
        assert brain.wait_for(lambda: any(one.task_id == sent for one in brain.events))
        schedules = {msgspec.json.decode(one.payload)["schedule"] for one in brain.events}
        assert schedules == {"invoices", "heartbeat"}
        beat.stop()
        assert beat.process.returncode == 0, beat.log.read_text()
        assert brain.wait_for(lambda: brain.goodbyes)


def test_beat_runs_and_ends_although_no_server_answers(start_beat: StartBeat) -> None:
    with LoopbackBrain() as brain:
        nowhere = brain.environment(Z4J_URL=f"http://127.0.0.1:{free_port()}")
    beat = start_beat("beat", **nowhere)
    wait(lambda: has_published(beat), beat.log.read_text)
    beat.stop()
    assert beat.process.returncode == 0, beat.log.read_text()


def test_a_beat_inside_a_worker_has_a_link_of_its_own(start_beat: StartBeat) -> None:
    """Celery closes the relay's socket in that child; written to, it would be beat's broker."""
    options = ("worker", "-B", "-c", "1", "-P", "prefork", "-Q", "nobody")
    with LoopbackBrain() as brain:
        worker = start_beat(*options, **brain.environment())
        assert brain.wait_for(lambda: len(brain.events) > 3), worker.log.read_text()
        told = {hello.role: [info.name for info in hello.schedulers] for hello in brain.hellos}
        assert told == {"worker": [], "scheduler": ["celery-beat"]}
        assert len({hello.pid for hello in brain.hellos}) == len(brain.hellos) == 2
        worker.stop()
        assert worker.process.returncode == 0, worker.log.read_text()
        assert brain.wait_for(lambda: not brain.open_links)


@pytest.mark.parametrize("name", ["django-celery-beat", "celery-redbeat"])
def test_schedules_in_a_store_are_told(start_beat: StartBeat, tmp_path: Path, name: str) -> None:
    section = PAGE.read_text().partition(f"For **{name}**")[2].partition("z4j needs")[0]
    section = section.partition("\nFor **")[0]
    blocks = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", section, re.DOTALL))
    with (tmp_path / "shop.py").open("a") as shop:
        shop.write(blocks["shop.py"])
    more = {}
    if "settings.py" in blocks:
        project = PROJECT.replace("db.sqlite3", str(tmp_path / "db.sqlite3"))
        (tmp_path / "settings.py").write_text(project + blocks["settings.py"])
        more = {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(tmp_path)}
        migrate = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, env={**os.environ, **more}, check=True, timeout=120)
    with LoopbackBrain() as brain:
        beat = start_beat("beat", **brain.environment(**more))
        assert brain.wait_for(lambda: brain.events), beat.log.read_text()
        [info] = brain.hellos[0].schedulers
        assert info.name == name
        brain.watch_schedules(WatchedStore(name, info.store))
        assert brain.wait_for(lambda: brain.schedules)
        assert {"heartbeat", "invoices"} <= {one.id for one in brain.schedules[-1].schedules}
