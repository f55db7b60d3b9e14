"""What the contracts of engines and schedulers ask of the import of a plugin's module."""

from __future__ import annotations

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
