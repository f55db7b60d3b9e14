"""What a host pays for having the agent installed is decided by what it imports, and when."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from z4j_agent.testing import new_credential

HEAVY = {"asyncio", "websockets", "ssl", "celery", "kombu", "rq", "dramatiq", "starlette"}
OURS = {"msgspec", "pluggy", "z4j_core", "z4j_agent.runtime"}


def loaded_after(code: str, **environment: str) -> set[str]:
    """Return the names of the modules that a fresh interpreter has after `code`."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    ours = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    before = "import json, sys\nprint(json.dumps(sorted(sys.modules)))"

    def run(text: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", text],
            env={**ours, **environment},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return set(json.loads(done.stdout))

    return run(script) - run(before)


def active() -> dict[str, str]:
    return {
        "Z4J_URL": "http://127.0.0.1:9",
        "Z4J_TOKEN": new_credential().token(),
        "Z4J_PLUGINS": "none",
    }


def test_importing_the_package_imports_nothing_else() -> None:
    assert loaded_after("import z4j_agent") == {"z4j_agent", "__future__"}


def test_without_a_url_nothing_is_imported_either() -> None:
    code = """
import z4j_agent
z4j_agent.register(); z4j_agent.start(); z4j_agent.emit(None); z4j_agent.stop()
"""
    assert loaded_after(code) == {"z4j_agent", "__future__"}


@pytest.mark.parametrize("call", ["register()", "get_agent().open_relay()"])
def test_registering_imports_neither_asyncio_nor_an_engine(call: str) -> None:
    modules = loaded_after(f"import z4j_agent\nz4j_agent.{call}", **active())
    assert modules >= OURS
    assert HEAVY.isdisjoint(modules)


def test_only_a_start_imports_the_driver() -> None:
    modules = loaded_after("import z4j_agent\nz4j_agent.start()\nz4j_agent.stop(0)", **active())
    assert {"asyncio", "websockets"} <= modules
    assert {"celery", "kombu", "starlette", "hypercorn"}.isdisjoint(modules)
