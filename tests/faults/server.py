"""The z4j server as a process that is killed, started again, and watched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, Any

import msgspec

from services.ports import HOST, free_port

STOP_WITHIN_S = 60.0


class Complaint(msgspec.Struct, frozen=True):
    """A line of the log that is an error, or holds a traceback."""

    level: str
    message: str
    exception: str

    def __str__(self) -> str:
        last = self.exception.strip().rpartition("\n")[2]
        return f"{self.level}: {self.message} {last}".strip()


class ServerProcess:
    """`z4j serve` on a fixed port. Its log goes through a pipe: the disk may be full for it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port = free_port()
        self.log = folder / "serve.log"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("Z4J_")},
            **environment,
            "Z4J_HOME": str(folder),
            "Z4J_LOG_FORMAT": "json",
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._pumps: list[threading.Thread] = []

    @property
    def pid(self) -> int:
        """The present process."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start it and do not wait."""
        if self.process is not None and self.process.poll() is None:
            return
        self.process = subprocess.Popen(
            [sys.executable, "-m", "z4j_brain", "serve", "--port", str(self.port)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self.process.stdout is not None
        pump = threading.Thread(target=self._pump, args=(self.process.stdout,), daemon=True)
        pump.start()
        self._pumps.append(pump)

    def kill(self) -> None:
        """`kill -9`."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self) -> int:
        """SIGTERM; return the exit code. Kills it when it does not end within 60 s."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -signal.SIGKILL
        for pump in self._pumps:
            pump.join(60)
        return code

    def readiness(self) -> tuple[int, str]:
        """Ask `/readyz`; return status and text, 0 when nothing answers."""
        connection = HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError as error:
            return 0, str(error)
        finally:
            connection.close()

    def wait_until_ready(self, timeout_s: float = 120.0) -> None:
        """Wait for 200; a process that ended instead is started again, as a supervisor does."""
        deadline = time.monotonic() + timeout_s
        said = (0, "")
        while time.monotonic() < deadline:
            said = self.readiness()
            if said[0] == 200:
                return
            self.start()
            time.sleep(0.03)
        raise AssertionError(f"the server is not ready: {said}\n{self.tail()}")

    def complaints(self) -> list[Complaint]:
        """Return the errors of the log, and the warnings with a traceback."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            entry = _entry(line)
            if entry is None:
                if "Traceback" in line or "Error" in line:
                    found.append(Complaint("stderr", line, ""))
            elif entry["level"] in ("error", "critical") or "exception" in entry:
                exception = str(entry.get("exception", ""))
                found.append(Complaint(entry["level"], entry["message"], exception))
        return found

    def tail(self, lines: int = 15) -> str:
        """Return the end of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _pump(self, pipe: IO[bytes]) -> None:
        with self.log.open("ab", buffering=0) as log, pipe:
            for line in pipe:
                with suppress(OSError):  # the disk that a test has filled
                    log.write(line)


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "level" in entry else None
