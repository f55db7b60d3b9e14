"""The package that people install brings the server, and holds no code of its own."""

from __future__ import annotations

import re
from importlib.metadata import entry_points, requires, version
from pathlib import Path

import z4j


def test_it_brings_the_command() -> None:
    (script,) = entry_points(group="console_scripts", name="z4j")
    assert script.dist is not None
    assert script.dist.name == "z4j-brain"
    assert callable(script.load())


def test_it_asks_for_the_server_and_each_extra_for_its_plugin() -> None:
    wanted = requires("z4j") or []
    assert "z4j-brain" in [re.split(r"[ ;><=~]", one)[0] for one in wanted if "extra" not in one]
    extras = {
        name: plugin
        for one in wanted
        for plugin, name in re.findall(r"^(z4j-\w+).*extra == ['\"](\w+)['\"]", one)
    }
    assert extras.pop("demo") == "z4j-celery"
    assert [extras.pop(name) for name in ("oidc", "passkeys")] == ["z4j-brain"] * 2
    assert extras
    assert all(plugin == f"z4j-{name}" for name, plugin in extras.items())


def test_it_holds_no_code() -> None:
    folder = Path(z4j.__file__).parent
    assert {path.name for path in folder.iterdir()} <= {"__init__.py", "py.typed", "__pycache__"}
    assert version("z4j") == z4j.__version__
