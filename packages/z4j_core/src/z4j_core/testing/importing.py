"""What the contracts of engines and schedulers ask of the import of a plugin's module."""

from __future__ import annotations

import os
import subprocess
import sys


def assert_library_stays_out(module: str, library: str) -> None:
    """Import the module in a process of its own; fail if that imports the library."""
    program = (
        f"import sys, {module}; sys.exit({library!r} in sys.modules and {library + ' came in'!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def assert_nothing_comes_in(package: str, library: str, call: str = "") -> None:
    """Import a plugin's package and its module `auto` where no server is named, and run `call`;
    fail if that imports the library or the agent's runtime.
    """
    program = (
        f"import sys, {package}, {package}.auto\n{call}\n"
        f"sys.exit(' and '.join({{{library!r}, 'z4j_agent.runtime'}} & {{*sys.modules}}) or 0)"
    )
    environment = {name: value for name, value in os.environ.items() if name != "Z4J_URL"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
