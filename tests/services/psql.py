"""A psql that stays connected: to start one takes longer than what it is asked."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.process import ServiceFailedError

ENDED = "the statement has ended"


class Psql:
    """Started when it is asked first; it ends with the process that asks. Thread-safe."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._command = command
        self._folder = folder
        self._environment = environment
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def ask(self, statement: str) -> None:
        """Run one statement. Raises ServiceFailedError."""
        with self._lock:
            self._process = process = self._process or self._start()
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{statement};\n\\echo {ENDED} :ERROR\n")
            process.stdin.flush()
            printed = ""
            for line in process.stdout:
                if line == f"{ENDED} false\n":
                    return
                if line.startswith(ENDED):
                    break
                printed += line
        raise ServiceFailedError(f"{statement} failed:\n{printed.strip()}")

    def close(self) -> None:
        """Disconnect. Asked again, it connects again."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                process.communicate()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._folder,
            env=dict(self._environment),
        )
