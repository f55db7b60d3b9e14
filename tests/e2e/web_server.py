"""A web server program with one of the shops of `tests/apps`, and whom it serves with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Self

from services.ports import free_port

APPS = Path(__file__).parents[1] / "apps"


class WebServer:
    """`command` is what Python runs; `{port}` in it is replaced. Use it as a context manager."""

    def __init__(
        self, folder: Path, command: Sequence[str], environment: dict[str, str], apps: Path = APPS
    ) -> None:
        self.port = free_port()
        self.log = folder / f"web-{self.port}.log"
        self._command = [sys.executable, *(part.format(port=self.port) for part in command)]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
        self._environment = {
            **kept,
            "PYTHONPATH": str(apps),
            "PYTHONUNBUFFERED": "1",
            "Z4J_SPOOL_DIR": str(folder / "spool"),
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that its children can be ended with it
            )
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @property
    def pid(self) -> int:
        """The process that was started: of most servers the master, which serves nobody."""
        assert self.process is not None
        return self.process.pid

    def get(self, path: str = "/") -> str:
        """Return what a request gives; waits until somebody answers."""
        answer: list[str] = []
        self.wait_for(lambda: self._ask(path, answer), f"an answer to {path}")
        return answer[0]

    def pids(self, count: int, but: frozenset[int] = frozenset()) -> frozenset[int]:
        """Make requests until this many processes have answered, and return them."""
        found: set[int] = set()
        self.wait_for(
            lambda: found.add(int(self.get())) or len(found - but) >= count,  # type: ignore[func-returns-value]
            f"answers of {count} processes",
        )
        return frozenset(found - but)

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait until the condition holds, for two minutes at most."""
        deadline = time.monotonic() + 120
        while not condition():
            assert self.process is not None
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{what} did not come:\n{self.log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> int:
        """SIGTERM, to the master alone as a supervisor does; return the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)

    def _ask(self, path: str, answer: list[str]) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            text = response.read().decode()
            if response.status != 200:
                raise AssertionError(f"{response.status}: {text[:2000]}\n{self.log.read_text()}")
            answer.append(text.strip('"'))
        except OSError:
            return False
        finally:
            connection.close()
        return True
