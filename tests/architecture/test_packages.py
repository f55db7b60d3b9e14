"""Each package can be published on its own, and no stranger's package takes its place."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

# hatch's own; it runs nothing from a workspace when it has no members.
GUARDED = ("default", "suite", "alone", "hatch-test")
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def names(root: Path) -> set[str]:
    return {read(path)["project"]["name"] for path in root.glob("packages/*/pyproject.toml")}


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "LICENSE"])
def test_package_has(package: Path, name: str) -> None:
    assert (package / name).read_text().strip()


def test_package_has_the_licence_of_the_repository(package: Path, root: Path) -> None:
    assert (package / "LICENSE").read_bytes() == (root / "LICENSE").read_bytes()


def test_package_is_typed(package: Path) -> None:
    assert (package / "src" / package.name / "py.typed").is_file()


def test_package_has_a_version_of_its_own(package: Path) -> None:
    settings = read(package / "pyproject.toml")
    assert settings["project"]["dynamic"] == ["version"]
    assert (package / settings["tool"]["hatch"]["version"]["path"]).is_file()


def test_package_is_tested_alone(package: Path, root: Path) -> None:
    (matrix,) = read(root / "hatch.toml")["envs"]["alone"]["matrix"]
    assert package.name in matrix["package"]


@pytest.mark.parametrize("environment", GUARDED)
def test_siblings_come_from_the_workspace_only(environment: str, root: Path) -> None:
    sources = read(root / "hatch.toml")["envs"][environment]["sources"]
    assert {name for name in names(root) if sources.get(name) != {"workspace": True}} == set()


def test_every_environment_is_guarded_or_holds_no_member(root: Path) -> None:
    environments = read(root / "hatch.toml")["envs"]
    loose = {
        name
        for name, settings in environments.items()
        if name not in GUARDED and settings.get("template") not in GUARDED
    }
    assert {name for name in loose if not environments[name].get("detached")} == set()


def test_no_module_has_a_name_that_says_nothing(root: Path) -> None:
    sources = [*root.glob("packages/*/src"), *root.glob("packages/*/tests")]
    sources += [root / "tests", root / "tools"]
    modules = [path for source in sources for path in source.rglob("*.py")]
    assert len(modules) > len(sources)
    assert [path for path in modules if NAMELESS & {path.stem, path.parent.name}] == []
