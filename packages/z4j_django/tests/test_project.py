"""A Django project of one file, in processes of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from z4j_agent.testing import LoopbackBrain

PAGE = Path(__file__).parents[3] / "docs/django.md"
PROJECT = """
import os, sys
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

given = {}
exec(os.environ.get("MORE_SETTINGS", ""), given)
more = {name: value for name, value in given.items() if name.isupper()}
settings.configure(**{
    "SECRET_KEY": "none", "ALLOWED_HOSTS": ["*"], "ROOT_URLCONF": "project",
    "INSTALLED_APPS": ["z4j_django"], **more,
})
urlpatterns = [path("", lambda request: HttpResponse("served"))]
if __name__ == "__main__":
    sys.modules["project"] = sys.modules["__main__"]
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""
# A process that has nothing to tell may end before it is linked.
TELL = """
import z4j_agent
from z4j_core.events import Kind, TaskEvent
def tell():
    z4j_agent.emit(TaskEvent(kind=Kind.PUBLISHED, engine="lamp", task_id="t", occurred_at=1))
"""
SERVE = """
import json, sys, project, django, z4j_agent
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory
django.setup()
serve = WSGIHandler()
serve(RequestFactory().get("/").environ, lambda status, headers: print(status))
globals().get("tell", lambda: None)()
z4j_agent.stop(60)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@pytest.fixture
def brain() -> Iterator[LoopbackBrain]:
    with LoopbackBrain() as brain:
        yield brain


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "project.py").write_text(PROJECT)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def in_settings(brain: LoopbackBrain) -> str:
    """Return the settings of the page's example, of this server."""
    [example] = re.findall(r"```python\n# settings\.py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for name, value in brain.environment().items():
        example = re.sub(rf'^({name} = )"[^"]*"', rf'\1"{value}"', example, flags=re.MULTILINE)
    assert brain.url in example, "the example sets Z4J_URL"
    return f"INSTALLED_APPS = []\n{example}\nZ4J_SPOOL = False\n"


def test_a_process_that_serves_connects(brain: LoopbackBrain, tmp_path: Path) -> None:
    done = run(tmp_path, "-c", TELL + SERVE, MORE_SETTINGS=in_settings(brain))
    assert done.stdout.startswith("200 OK"), done.stderr
    [hello] = brain.hellos
    assert (hello.role, hello.framework) == ("web", "django")
    assert hello.worker_id == f"{hello.host}:web:{hello.pid}"


def test_nothing_happens_without_a_url(tmp_path: Path) -> None:
    done = run(tmp_path, "-c", SERVE)
    assert done.stdout.startswith("200 OK"), done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert loaded.isdisjoint({"msgspec", "pluggy", "z4j_core", "websockets"})


def test_the_check_uses_djangos_settings(brain: LoopbackBrain, tmp_path: Path) -> None:
    done = run(tmp_path, "project.py", "z4j_check", "--json", MORE_SETTINGS=in_settings(brain))
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["healthy"] is True
    assert [hello.role for hello in brain.hellos] == ["doctor"]


def test_the_check_says_what_is_wrong(brain: LoopbackBrain, tmp_path: Path) -> None:
    token = brain.credential.token()
    mistyped = {"Z4J_URL": brain.url, "Z4J_TOKEN": f"{token[:-1]}!"}
    done = run(tmp_path, "project.py", "z4j_check", MORE_SETTINGS=in_settings(brain), **mistyped)
    assert done.returncode == 1, "the environment wins"
    assert "token" in done.stdout
    assert token[10:30] not in done.stdout + done.stderr
    assert run(tmp_path, "project.py", "z4j_check", "--timeout", "0").returncode == 2
