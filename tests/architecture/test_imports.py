"""What an import brings along, seen in a process of its own.

The rules that can be read from the sources are contracts of import-linter, in
``pyproject.toml``. It cannot tell an import inside a hook from one at import time.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINES = {"celery", "kombu", "rq", "dramatiq", "huey", "arq", "taskiq", "apscheduler", "redis"}
FRAMEWORKS = {"django", "flask", "fastapi", "starlette"}
SERVER = {"z4j_brain", "sqlalchemy", "psycopg", "hypercorn", "alembic"}
# A Django or Celery process that starts must not pay for the link before it is needed.
SLOW = {"asyncio", "websockets", "ssl"}

BRAIN = ROOT / "packages/z4j_brain/src/z4j_brain"
SERVICES = (
    "alerts", "audit", "auth", "commands", "filters", "ingest", "overview", "reconcile", "store",
    "tasks",
)  # fmt: skip
# Cookies and the defence against forged requests are HTTP themselves.
HTTP_ITSELF = {BRAIN / "auth/browser.py"}
HTTP = {"starlette", "hypercorn", "h11", "h2", "wsproto"}


def plugin_modules() -> Iterator[str]:
    for path in (*ROOT.glob("packages/*/pyproject.toml"), *ROOT.glob("tests/*/pyproject.toml")):
        project = tomllib.loads(path.read_text())["project"]
        yield from project.get("entry-points", {}).get("z4j", {}).values()


def loaded_by(module: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after importing ``module``."""
    program = f"import json, sys, {module}; print(json.dumps(list(sys.modules)))"
    # What is not installed beside the others (see hatch.toml, arq) imports its own sources, too.
    sources = os.pathsep.join(map(str, ROOT.glob("packages/*/src")))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": sources},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded: list[str] = json.loads(done.stdout)
    return {name.partition(".")[0] for name in loaded}


def imported_in(source: Path) -> set[str]:
    """The top-level names of every module that a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_there_are_plugins_to_look_at() -> None:
    assert "z4j_celery.plugin" in set(plugin_modules())


@pytest.mark.parametrize("module", sorted(plugin_modules()))
def test_plugin_module_imports_no_engine_framework_or_server(module: str) -> None:
    assert loaded_by(module) & (ENGINES | FRAMEWORKS | SERVER) == set()


def test_agent_imports_neither_server_nor_engine_nor_event_loop() -> None:
    assert loaded_by("z4j_agent") & (ENGINES | FRAMEWORKS | SERVER | SLOW) == set()


def test_core_imports_neither_network_nor_event_loop() -> None:
    assert loaded_by("z4j_core") & (SLOW | SERVER | {"socket", "http"}) == set()


@pytest.mark.parametrize("room", [room for room in SERVICES if (BRAIN / room).is_dir()])
def test_service_knows_no_http(room: str) -> None:
    sources = [path for path in BRAIN.glob(f"{room}/**/*.py") if path not in HTTP_ITSELF]
    assert sources
    assert {path: HTTP & imported_in(path) for path in sources if HTTP & imported_in(path)} == {}
