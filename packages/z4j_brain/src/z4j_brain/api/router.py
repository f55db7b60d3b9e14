"""Answers `/api/v1`: finds the route, decodes, authorises, calls the handler, encodes.

The path is matched before it is unquoted, so that an id of a task may hold a slash.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy.exc import OperationalError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from z4j_brain.api import problems
from z4j_brain.api.authorise import authorise
from z4j_brain.api.decode import decode_body, decode_path, decode_query
from z4j_brain.api.problems import Problem
from z4j_brain.api.route import Route, RouteError

if TYPE_CHECKING:
    from z4j_brain.brain import Brain

logger = logging.getLogger("z4j.api")
PREFIX = "/api/v1"
_NO_STORE = {"Cache-Control": "no-store"}


class _Node:
    """One step of a path: the next steps by their text, or any text, and the routes that end."""

    def __init__(self) -> None:
        self.steps: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.routes: dict[str, Route] = {}


class Router:
    """The ASGI app of the API. Raises `RouteError` for two routes of one method and path."""

    def __init__(self, brain: Brain, routes: Iterable[Route]) -> None:
        self._brain = brain
        self._root = _Node()
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        if not route.permission:
            raise RouteError(f"{route.method} {route.path}: declare a permission.")
        node = self._root
        for step in route.path.strip("/").split("/"):
            if step.startswith("{"):
                node.any = node = node.any or _Node()
            else:
                node = node.steps.setdefault(step, _Node())
        if route.method in node.routes:
            raise RouteError(f"{route.method} {route.path} is declared twice.")
        node.routes[route.method] = route

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route of a raw path below `/api/v1`, and the raw values of its parts."""
        # Not more lenient than a proxy that guards some addresses: `//x` and `x/` are not `x`.
        steps = path.removeprefix("/").split("/")
        node = None if "%00" in path else _walk(self._root, steps)
        if node is None or not node.routes:
            raise problems.not_found()
        route = node.routes.get("GET" if method == "HEAD" else method)
        if route is None:
            allowed = ", ".join(sorted(node.routes))
            raise Problem(
                405,
                "method-not-allowed",
                f"This page answers {allowed}.",
                headers={"Allow": allowed},
            )
        names = [part.strip("{}") for part in route.path.strip("/").split("/")]
        declared = route.path.strip("/").split("/")
        pairs = zip(names, declared, steps, strict=True)
        return route, {name: step for name, part, step in pairs if part.startswith("{")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Problem as problem:
            response = problem.response()
        except ClientDisconnect:
            return
        except OperationalError:
            logger.exception("The database did not answer %s", request.url.path)
            response = _unavailable().response()
        except Exception:
            logger.exception("%s %s failed", request.method, request.url.path)
            response = _internal_error().response()
        response.headers.setdefault("Cache-Control", "no-store")
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        route, parts = self.find(request.method, _path(request.scope))
        call = await authorise(self._brain, route, parts.get("project"), request)
        arguments = decode_path(route, parts)
        arguments |= decode_query(route, request)
        arguments |= await decode_body(route, request)
        result = await route.handler(call, **arguments)
        response = _encode(route, result)
        for finish in call.finishers:
            finish(response)
        return response


def _path(scope: Scope) -> str:
    """Return the path below the API, as it was sent."""
    sent: bytes = scope.get("raw_path") or scope["path"].encode()
    return sent.decode("ascii", "replace").removeprefix(PREFIX)


def _walk(node: _Node, steps: list[str]) -> _Node | None:
    """Follow the steps; a fixed name goes before a parameter."""
    if not steps:
        return node
    fixed = node.steps.get(steps[0])
    found = _walk(fixed, steps[1:]) if fixed else None
    if found is not None and found.routes:
        return found
    if node.any is None or not steps[0]:
        return found
    return _walk(node.any, steps[1:])


def _encode(route: Route, result: Any) -> Response:
    if route.status == 204:
        return Response(status_code=204)
    content = msgspec.json.encode(result)
    return Response(content, route.status, _NO_STORE, "application/json")


def _unavailable() -> Problem:
    return Problem(
        503,
        "database-unavailable",
        "The database does not answer. Try again; `z4j doctor` says more.",
        headers={"Retry-After": "2"},
    )


def _internal_error() -> Problem:
    return Problem(500, "internal-error", "Something failed on the server; its log says what.")
