"""`z4j serve` as a process: first boot, restart, refusals, an orderly end."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from z4j_core.credential import parse_token

FORM = {
    "email": "ada@example.org",
    "name": "Ada",
    "password": "correct horse battery staple",
    "project_name": "Shop",
}


class Server:
    """One `z4j serve`, and what it has printed."""

    def __init__(self, home: Path, *flags: str, **variables: str) -> None:
        home.parent.mkdir(parents=True, exist_ok=True)
        self.log = home.parent / f"serve-{time.monotonic_ns()}.log"
        own = {name: text for name, text in os.environ.items() if not name.startswith("Z4J_")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "z4j_brain", "serve", "--port", "0", *flags],
                env={**own, "Z4J_HOME": str(home), **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def printed(self) -> str:
        return self.log.read_text()

    def url(self) -> str:
        """Wait for the one URL that is printed."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if found := re.findall(r"http://\S+(?=\s)", self.printed()):
                return str(found[0])
            assert self.process.poll() is None, self.printed()
            time.sleep(0.05)
        raise AssertionError(self.printed())

    def base(self) -> str:
        return "/".join(self.url().split("/")[:3])

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)


Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start `z4j serve` on a free port; what still runs at the end is ended."""
    started: list[Server] = []

    def start(*flags: str, **variables: str) -> Server:
        started.append(Server(tmp_path / "home", *flags, **variables))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@contextmanager
def _set_up(server: Server) -> Iterator[httpx.Client]:
    base, token = server.base(), server.url().partition("token=")[2]
    headers = {"Origin": base}
    with httpx.Client(base_url=f"{base}/api/v1", headers=headers, timeout=60) as client:
        answer = client.post("/setup", json={"token": token, **FORM})
        assert answer.status_code == 201, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        yield client


def test_the_first_boot_needs_nothing_and_a_restart_keeps_everything(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve()
    assert re.search(r"/setup\?token=[\w-]{43}$", server.url())
    home = tmp_path / "home"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    for name in ("secret.env", "z4j.db", "z4j.db-wal"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600, name
    with _set_up(server) as client:
        assert client.get("/session").json()["user"]["name"] == "Ada"
        assert server.stop() == 0
        secrets = (home / "secret.env").read_text()
        assert all(line.split("=")[1] not in server.printed() for line in secrets.splitlines())

        again = serve()
        assert again.url() == f"{again.base()}/", "there is no further set-up"
        assert "Step" not in again.printed()
        assert (home / "secret.env").read_text() == secrets
        client.base_url = httpx.URL(f"{again.base()}/api/v1")
        assert client.get("/session").json()["user"]["name"] == "Ada"


def test_an_agent_hears_a_goodbye(serve: Serve) -> None:
    server = serve()
    with _set_up(server) as client:
        minted = client.post("/projects/shop/agents", json={"name": "a"}).json()["token"]
    bearer = {"Authorization": f"Bearer {parse_token(minted).bearer()}"}
    url = server.base().replace("http", "ws") + "/ws"
    with connect(url, subprotocols=["z4j.1"], additional_headers=bearer, proxy=None) as link:  # type: ignore[list-item]
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed) as closed:
            link.recv(timeout=60)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1012
    assert server.stop() == 0
    assert "Traceback" not in server.printed()


def test_a_port_in_use_is_explained(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        server = serve("--port", port)
        assert server.process.wait(120) == 1
    assert f"port {port}" in server.printed()
    assert "--port" in server.printed()
    assert "Traceback" not in server.printed()


def test_one_server_serves_a_sqlite_file(serve: Serve) -> None:
    first = serve()
    assert first.base()
    second = serve()
    assert second.process.wait(120) == 1
    assert "Another z4j serves" in second.printed()
    first.process.kill()
    first.process.wait()
    assert serve().base(), "the lock has died with its process"


def test_postgresql_is_migrated_only_when_asked(serve: Serve, postgres: object) -> None:
    url = postgres.create_database()  # type: ignore[attr-defined]
    refused = serve(Z4J_DATABASE_URL=url)
    assert refused.process.wait(120) == 1
    assert "z4j migrate" in refused.printed()
    assert "--migrate" in refused.printed()
    server = serve("--migrate", Z4J_DATABASE_URL=url)
    assert httpx.get(f"{server.base()}/readyz").json() == {"status": "ok"}
    assert "every replica" in server.printed(), "its secrets come from a file"
    assert server.stop() == 0


def test_the_prefix_is_in_the_url(serve: Serve) -> None:
    server = serve(Z4J_ROOT_PATH="/ops/z4j")
    assert "/ops/z4j/setup?token=" in server.url()
    assert httpx.get(f"{server.base()}/ops/z4j/api/v1/session").status_code == 200


def test_the_log_is_json_when_asked(serve: Serve) -> None:
    server = serve(Z4J_LOG_FORMAT="json")
    assert httpx.get(f"{server.base()}/readyz").status_code == 200
    assert server.stop() == 0
    lines = [line for line in server.printed().splitlines() if line.startswith("{")]
    assert lines
    assert all('"level"' in line and '"message"' in line for line in lines)
