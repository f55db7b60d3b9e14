"""The lifespan around an application's own, in processes of its own."""

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

PAGE = Path(__file__).parents[3] / "docs/fastapi.md"
SERVE = """
import asyncio, json, sys
def tell():
    pass
async def serve(app):
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent = []
    async def receive():
        if sent:
            tell()
        return next(messages)
    async def send(message):
        sent.append(message["type"])
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    await app(scope, receive, send)
    return [sent, scope["state"]]
"""
TELL = """
import time, z4j_agent
from z4j_core.events import Kind, TaskEvent
def tell():
    # And wait until the server has it: who has nothing to tell may end before it is linked.
    z4j_agent.emit(TaskEvent(kind=Kind.PUBLISHED, engine="lamp", task_id="t", occurred_at=1))
    while not z4j_agent.get_agent()._life.outbox.is_drained:
        time.sleep(0.01)
"""
SHOP = """
import contextlib, z4j_agent, z4j_fastapi
from starlette.applications import Starlette
@contextlib.asynccontextmanager
async def lifespan(app):
    was = z4j_agent.is_wanted() and z4j_agent.get_agent()._life.is_running
    yield {"linked_at_its_start": was}
    ends.append(z4j_agent.is_wanted() and z4j_agent.get_agent()._life.is_running)
ends = []
app = Starlette(lifespan=lifespan)
z4j_fastapi.init_app(app)
sent, state = asyncio.run(serve(app))
loaded = sorted({"msgspec", "pluggy", "z4j_core", "websockets", "fastapi"} & set(sys.modules))
print(json.dumps([sent, state["linked_at_its_start"], ends, loaded]))
"""
COMPLETE = ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.fixture
def brain() -> Iterator[LoopbackBrain]:
    with LoopbackBrain() as brain:
        yield brain


def run(program: str, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_link_lasts_as_long_as_the_lifespan_and_around_the_applications_own(
    brain: LoopbackBrain,
) -> None:
    told = json.loads(run(SERVE + TELL + SHOP, **brain.environment()))
    assert told[:3] == [COMPLETE, True, [True]]
    [hello] = brain.hellos
    assert (hello.role, hello.framework) == ("web", "starlette")
    assert brain.wait_for(lambda: brain.open_links == 0)


def test_nothing_happens_without_a_url() -> None:
    assert json.loads(run(SERVE + SHOP)) == [COMPLETE, False, [False], []]


def test_a_lifespan_that_fails_ends_the_link(brain: LoopbackBrain) -> None:
    failing = SHOP.replace("yield {", "raise OSError('no database')\n    yield {")
    program = SERVE + failing.replace(
        "sent, state = asyncio.run(serve(app))",
        "try:\n    asyncio.run(serve(app))\nexcept OSError as error:\n    print(error)\n    exit()",
    )
    assert run(program, **brain.environment()).strip() == "no database"
    assert brain.wait_for(lambda: brain.open_links == 0)


def test_a_lifespan_may_come_again(brain: LoopbackBrain) -> None:
    """Tests of an application run its lifespan many times in one process."""
    again = SHOP.replace("sent, state =", "asyncio.run(serve(app))\nsent, state =")
    told = json.loads(run(SERVE + TELL + again, **brain.environment()))
    assert told[:3] == [COMPLETE, True, [True, True]]
    assert brain.wait_for(lambda: brain.open_links == 0)
    assert len({hello.epoch for hello in brain.hellos}) == 1


def test_importing_the_package_or_the_plugin_imports_no_starlette() -> None:
    program = "import sys, z4j_fastapi, z4j_fastapi.plugin; print('starlette' in sys.modules)"
    assert run(program).strip() == "False"


def test_the_example_of_the_page_runs(brain: LoopbackBrain, tmp_path: Path) -> None:
    [example] = re.findall(r"```python\n# shop\.py\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "shop.py").write_text(example)
    program = f"""
{SERVE}{TELL}
import shop
print(asyncio.run(serve(shop.app))[0] == {COMPLETE!r})
"""
    environment = brain.environment(PYTHONPATH=str(tmp_path))
    assert run(program, **environment).strip() == "True"
    assert [hello.framework for hello in brain.hellos] == ["fastapi"]
