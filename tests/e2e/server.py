"""A real z4j server in a process of its own, and a client as a browser would be one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx

from services.ports import free_port
from services.process import guarded

EMAIL, PASSWORD, PROJECT = "ada@example.org", "correct horse battery staple", "shop"
ASK_EVERY_S = 0.2
"""To ask fifty times a second takes a quarter of a core from what is waited for."""


class Server:
    """`z4j serve` on a fixed port, which can be killed and started again on the same data.

    `program` is what Python runs in place of the package's own entry.
    """

    def __init__(
        self,
        home: Path,
        database_url: str | None = None,
        program: Sequence[str] = ("-m", "z4j_brain"),
    ) -> None:
        self.program = program
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.home = home
        self.log = home / "serve.log"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("Z4J_")},
            "Z4J_HOME": str(home),
        }
        if database_url is not None:
            self.environment["Z4J_DATABASE_URL"] = database_url
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        serve = ["serve", "--port", str(self.port), "--migrate"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                guarded([sys.executable, *self.program, *serve]),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_ready()

    def kill(self) -> None:
        """`kill -9`."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; return the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def setup_token(self) -> str:
        """Return the token of the setup URL that the server printed."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = re.findall(r"/setup\?token=([\w.~-]+)\s", self.log.read_text())
            if found:
                return str(found[-1])
            time.sleep(0.05)
        raise AssertionError(f"no setup URL was printed:\n{self.log.read_text()}")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended:\n{self.log.read_text()}")
            if self._is_ready():
                return
            time.sleep(0.05)
        raise AssertionError(f"the server is not ready:\n{self.log.read_text()}")

    def _is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()


class Client:
    """A signed-in person at the REST API."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = httpx.Client(
            base_url=f"{server.url}/api/v1",
            headers={"Origin": server.url},
            timeout=60,
            verify=False,  # plain HTTP here
        )

    def set_up(self) -> None:
        """Make the first admin and the first project; leaves the client signed in."""
        self._remember(
            self.post(
                "/setup",
                token=self.server.setup_token(),
                email=EMAIL,
                name="Ada",
                password=PASSWORD,
                project_name=PROJECT,
            )
        )

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> None:
        self._remember(self.post("/sign-in", email=email, password=password))

    def get(self, path: str, **query: Any) -> Any:
        return self._json(self.http.get(path, params=query))

    def post(self, path: str, **body: Any) -> Any:
        return self._json(self.http.post(path, json=body))

    def project(self, path: str, **query: Any) -> Any:
        """GET below the project."""
        return self.get(f"/projects/{PROJECT}{path}", **query)

    def mint(self, name: str) -> str:
        """Make an agent and return its token."""
        return str(self.post(f"/projects/{PROJECT}/agents", name=name)["token"])

    def wait_for_action(self, name: str, timeout_s: float = 60) -> None:
        """Wait until an online worker offers this action: it links after it says "ready"."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if any(item["name"] == name for item in self.project("/actions")["items"]):
                return
            time.sleep(ASK_EVERY_S)
        raise AssertionError(f"no worker offers {name}")

    def command(self, action: str, engine: str = "celery", **more: Any) -> Any:
        """Ask for an action."""
        return self.post(
            f"/projects/{PROJECT}/commands", action=action, engine=engine, **{"params": {}, **more}
        )

    def finished_command(self, command_id: str, timeout_s: float = 60) -> Any:
        """Wait for the end of a command and return it."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            command = self.project(f"/commands/{command_id}")
            if command["state"] not in ("pending", "sent"):
                return command
            time.sleep(ASK_EVERY_S)
        raise AssertionError(f"the command did not end: {command}")

    def task(self, task_id: str, state: str, timeout_s: float = 60, engine: str = "celery") -> Any:
        """Wait until a task is in this state and return it."""
        deadline = time.monotonic() + timeout_s
        seen: Any = None
        while time.monotonic() < deadline:
            answer = self.http.get(f"/projects/{PROJECT}/tasks/{engine}/{task_id}")
            seen = answer.json()
            if answer.status_code == 200 and seen["state"] == state:
                return seen
            time.sleep(ASK_EVERY_S)
        raise AssertionError(f"task {task_id} is not {state}: {seen}")

    def _remember(self, session: Any) -> None:
        self.http.headers["X-CSRF-Token"] = session["csrf_token"]

    @staticmethod
    def _json(answer: httpx.Response) -> Any:
        if answer.status_code >= 400:
            raise AssertionError(f"{answer.request.url}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None
