"""A signed-in client that costs little time itself: one kept connection, nothing clever."""

from __future__ import annotations

import time
from http.client import HTTPConnection
from typing import Any, Self

import msgspec
import stand  # noqa: F401 - it makes `server` importable

from server import PROJECT, Client

TIMEOUT_S = 60.0


class Asker:
    """Asks below the project with the session of `client`. Raises SystemExit when it is refused."""

    def __init__(self, client: Client) -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in client.http.cookies.items())
        self._headers = {
            "Cookie": cookies,
            "Origin": client.server.url,
            "X-CSRF-Token": client.http.headers["X-CSRF-Token"],
        }
        self._connection = HTTPConnection("127.0.0.1", client.server.port, timeout=TIMEOUT_S)

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *error: object) -> None:
        """Hang up."""
        self._connection.close()

    def get(self, path: str) -> Any:
        """Read one resource of the project."""
        return self._ask("GET", path)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send JSON to a resource of the project."""
        return self._ask("POST", path, msgspec.json.encode(body))

    def timed(self, path: str) -> tuple[float, Any]:
        """Read one resource; return the seconds until its body was there, and what it says."""
        begin = time.perf_counter()
        status, body = self._exchange("GET", path)
        return time.perf_counter() - begin, _read(path, status, body)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        return _read(path, *self._exchange(method, path, body))

    def _exchange(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        headers = self._headers | ({} if body is None else {"Content-Type": "application/json"})
        self._connection.request(method, f"/api/v1/projects/{PROJECT}{path}", body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def _read(path: str, status: int, body: bytes) -> Any:
    if status >= 400:
        raise SystemExit(f"{path}: {status} {body.decode(errors='replace')}")
    return msgspec.json.decode(body)
