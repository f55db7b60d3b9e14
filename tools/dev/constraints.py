"""Renew ``constraints.txt``: the newest versions that all environments agree on; and
``tools/dev/oldest.txt``: the same with the oldest engines that the plugins support; and
``tools/dev/arq.txt``, because arq and the others do not agree on redis-py.

Run it from anywhere with ``hatch run python tools/dev/constraints.py``; it needs uv, which
hatch brings. Everything is resolved for Python 3.11 and newer, on every platform.
"""

from __future__ import annotations

import os
import subprocess
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADING = (
    "# Made by tools/dev/constraints.py. Tested versions, for the environments of hatch.toml.\n"
)
APART = "z4j_arq"
ENGINES = ("apscheduler", "celery", "dramatiq", "huey", "rq")


def asked_for(environments: Iterable[str], packages: Iterable[str]) -> set[str]:
    """Every requirement of packages and environments, without the packages themselves."""
    found: set[str] = set()
    known = tomllib.loads((ROOT / "hatch.toml").read_text())["envs"]
    for environment in environments:
        found.update(known[environment].get("dependencies", []))
    for package in packages:
        path = ROOT / "packages" / package / "pyproject.toml"
        project = tomllib.loads(path.read_text())["project"]
        found.update(project.get("dependencies", []))
        found.update(*project.get("optional-dependencies", {}).values())
    return {each for each in found if not each.startswith("z4j")}


def oldest(requirement: str) -> str:
    """Return the requirement of an engine as that of its oldest version, others as they are."""
    name, _, version = requirement.partition(",")[0].partition(">=")
    return f"{name}=={version}.*" if name in ENGINES else requirement


def main() -> None:
    """Write the files; raises CalledProcessError when the requirements contradict each other."""
    environments = tomllib.loads((ROOT / "hatch.toml").read_text())["envs"]
    packages = {path.parent.name for path in ROOT.glob("packages/*/pyproject.toml")}
    wanted = asked_for(environments, packages - {APART})
    _write(ROOT / "constraints.txt", wanted)
    _write(ROOT / "tools/dev/oldest.txt", {oldest(each) for each in wanted})
    _write(ROOT / "tools/dev/arq.txt", asked_for(["alone"], ["z4j_core", "z4j_agent", APART]))


def _write(file: Path, requirements: set[str]) -> None:
    uv = os.environ.get("HATCH_UV", "uv")
    command = [uv, "pip", "compile", "-", "--quiet", "--universal", "--python-version", "3.11"]
    done = subprocess.run(
        [*command, "--no-header", "--no-annotate", "--no-emit-find-links"],
        input="\n".join(sorted(requirements)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    file.write_text(HEADING + done.stdout)


if __name__ == "__main__":
    main()
