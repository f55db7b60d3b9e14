"""The extension in applications of one process, and in processes of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

import z4j_agent
from z4j_agent.testing import LoopbackBrain
from z4j_core.testing.host import RecordingHost
from z4j_flask import Z4J
from z4j_flask.framework import FlaskFramework

# A process that has nothing to tell may end before it is linked.
TELL = """
import z4j_agent
from z4j_core.events import Kind, TaskEvent
def tell():
    z4j_agent.emit(TaskEvent(kind=Kind.PUBLISHED, engine="lamp", task_id="t", occurred_at=1))
"""
PAGE = Path(__file__).parents[3] / "docs/flask.md"


@pytest.fixture
def brain() -> Iterator[LoopbackBrain]:
    with LoopbackBrain() as brain:
        yield brain


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The agent's module as it is in a new process, with no `Z4J_` in the environment."""
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    for name, value in (("_agent", None), ("_configured", {}), ("_stays_off", False)):
        monkeypatch.setattr(z4j_agent, name, value)
    yield
    z4j_agent.stay_off()


def run(program: str, *options: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *options, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_request_starts_the_process_and_a_test_client_does_not() -> None:
    host = RecordingHost()
    framework = FlaskFramework()
    framework.attach(host)
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: str(len(host.started)))

    @app.before_request
    def refuse() -> tuple[str, int] | None:
        assert host.started or app.testing, "the start comes before what the application does"
        return None

    app.testing = True
    assert app.test_client().get("/").text == "0"
    app.testing = False
    assert app.test_client().get("/").text == "1"
    assert host.started[0] == ("web", None)
    framework.detach()
    count = len(host.started)
    app.test_client().get("/")
    assert len(host.started) == count


def test_the_configuration_of_the_application_is_enough(brain: LoopbackBrain) -> None:
    app = Flask(__name__)
    app.config.update(brain.environment(Z4J_PLUGINS="flask"))
    app.add_url_rule("/", view_func=lambda: "served")
    extension = Z4J()
    extension.init_app(app)
    assert app.extensions["z4j"] is extension
    assert brain.hellos == []
    assert app.test_client().get("/").text == "served"
    assert brain.wait_for(lambda: brain.hellos)
    assert (brain.hellos[0].role, brain.hellos[0].framework) == ("web", "flask")


def test_an_application_that_is_tested_is_left_alone(brain: LoopbackBrain) -> None:
    app = Flask(__name__)
    app.config.update(brain.environment(), TESTING=True)
    Z4J(app)
    app.test_client().get("/")
    assert not z4j_agent.is_wanted()
    assert brain.hellos == []


def test_nothing_happens_without_a_url() -> None:
    program = """
import json, sys
from flask import Flask
from z4j_flask import Z4J
app = Flask("shop")
Z4J(app)
app.test_client().get("/")
print(json.dumps(sorted({"msgspec", "pluggy", "z4j_core", "websockets"} & set(sys.modules))))
"""
    assert json.loads(run(program)) == []


def test_a_command_line_of_the_application_connects_nobody(brain: LoopbackBrain) -> None:
    program = """
from flask import Flask
from z4j_flask import Z4J
app = Flask("shop")
Z4J(app)
app.test_cli_runner().invoke(args=["routes"], catch_exceptions=False)
"""
    run(program, **brain.environment())
    assert brain.hellos == []


def test_the_example_of_the_page_runs(brain: LoopbackBrain, tmp_path: Path) -> None:
    [example] = re.findall(r"```python\n# shop\.py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "shop.py").write_text(example)
    program = f"""
{TELL}
import shop
print(shop.create_app().test_client().get("/").text)
tell()
z4j_agent.stop(60)
"""
    environment = brain.environment(PYTHONPATH=str(tmp_path))
    assert run(program, **environment).strip() == "Hello"
    assert [hello.framework for hello in brain.hellos] == ["flask"]
