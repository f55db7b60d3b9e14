"""Real Celery workers in processes of their own, and what their hosts recorded."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

APPS = Path(__file__).parent


class Record:
    """The lines of a recording host; a line is an event or a call."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        # The last line may still be on its way to the file.
        whole = self.path.read_bytes().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def calls(self) -> list[tuple[str, str | None]]:
        return [(line["call"], line.get("role")) for line in self.lines() if "call" in line]

    def events(self, task_id: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line.get("id") == task_id]

    def kinds(self, task_id: str) -> Counter[tuple[str, int]]:
        return Counter((line["kind"], line["attempt"]) for line in self.events(task_id))

    def wait_for(self, task_id: str, kind: str, attempt: int = 0) -> dict[str, Any]:
        def find() -> dict[str, Any] | None:
            for event in self.events(task_id):
                if (event["kind"], event["attempt"]) == (kind, attempt):
                    return event
            return None

        return wait(find, lambda: f"no {kind}/{attempt}; there is {self.kinds(task_id)}")


def wait(
    look: Callable[[], Any],
    problem: Callable[[], str],
    timeout_s: float = 90,
    pause_s: float = 0.02,
) -> Any:
    """Return the first true value that `look` returns."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(pause_s)
    raise AssertionError(problem())


class Served:
    """A process whose host records what it is told and takes commands on a socket."""

    def __init__(self, folder: Path, redis_url: str, *command: str, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.record = Record(folder / "record")
        self.log = folder / "log"
        self.url = redis_url
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command],
                env={**clean_environment(redis_url, self.record.path), **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_served(self) -> Served:
        def is_served() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return any(call == "ensure_started" for call, _ in self.record.calls())

        wait(is_served, self.log.read_text)
        return self

    def act(self, action: str, target: Any = None, **params: Any) -> dict[str, Any]:
        """Have the engine in the worker carry out an action, on a thread like the agent's."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(f"{self.record.path}.sock")
            with client.makefile("rwb") as file:
                command = {"action": action, "target": target, "params": params}
                file.write(json.dumps(command).encode() + b"\n")
                file.flush()
                answer: dict[str, Any] = json.loads(file.readline())
        assert "crash" not in answer, answer
        return answer

    def do(self, action: str, target: Any = None, **params: Any) -> Any:
        """Have an action carried out that must not be refused, and return its result."""
        answer = self.act(action, target, **params)
        assert "error" not in answer, answer
        return answer["ok"]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


class Worker(Served):
    """One real worker, started with the options given."""

    def __init__(self, folder: Path, redis_url: str, *options: str, **environment: str) -> None:
        self.name = f"{folder.name}@test"
        module = environment.pop("MODULE", "celery_shop")
        command = ("celery", "-A", module, "worker", "-n", self.name, "-l", "INFO")
        super().__init__(folder, redis_url, *command, *options, **environment)

    def wait_until_ready(self) -> Worker:
        def is_ready() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return " ready." in self.log.read_text()

        wait(is_ready, self.log.read_text)
        return self

    def children(self) -> set[int]:
        """Return the worker's processes as the system tells them."""
        pid = self.process.pid
        return {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def clean_environment(redis_url: str, record: Path) -> dict[str, str]:
    """Return the environment for a process of the shop."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    return {
        **kept,
        "BROKER_URL": redis_url,
        "RECORD": str(record),
        "ATTACH": "late",
        "PYTHONPATH": str(APPS),
    }
