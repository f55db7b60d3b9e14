"""A Redis server of the tests' own."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.debian import program
from services.folder import own_folder
from services.ports import HOST, free_port
from services.process import ServiceProcess


class Redis:
    """One server in memory; a restart keeps the port and begins empty."""

    def __init__(self, folder: Path) -> None:
        """Find ``redis-server``. Raises ServiceMissingError when there is none to be had."""
        self.port = free_port()
        arguments = [program(("redis-server",), "redis-server"), "--port", str(self.port)]
        arguments += ["--bind", HOST, "--save", "", "--appendonly", "no", "--dir", str(folder)]
        self._process = ServiceProcess(arguments, folder / "server.log", cwd=folder)

    @property
    def url(self) -> str:
        """The URL of database 0."""
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> None:
        """Start on the same port and wait until the server answers."""
        self._process.start(self._answers)

    def stop(self) -> None:
        """Kill it: nothing is kept, so there is nothing to save."""
        self._process.stop(signal.SIGKILL)

    def flush(self) -> None:
        """Empty every database."""
        if not self._ask(b"FLUSHALL\r\n").startswith(b"+OK"):
            raise ConnectionError(f"Redis on port {self.port} did not empty itself")

    def _answers(self) -> bool:
        try:
            return self._ask(b"PING\r\n").startswith(b"+PONG")
        except OSError:
            return False

    def _ask(self, line: bytes) -> bytes:
        with socket.create_connection((HOST, self.port), timeout=60) as connection:
            connection.sendall(line)
            return connection.recv(64)


@contextmanager
def running_redis() -> Iterator[Redis]:
    """A started server in a temporary folder, gone afterwards. Raises ServiceMissingError."""
    with own_folder("z4j-redis-", in_memory=False) as folder:
        server = Redis(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
