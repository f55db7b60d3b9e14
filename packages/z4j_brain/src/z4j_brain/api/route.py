"""The declared-route table: how a resource file says what it serves.

A resource file holds handlers, each declared once::

    @route("GET", "/projects/{project}/tasks/{engine}/{task_id}", permission="task.read")
    async def read_task(call: ProjectCall, engine: str, task_id: str) -> TaskDetail:
        \"\"\"One line that becomes the summary in OpenAPI.\"\"\"

- The first parameter is the call (`api/context.py`): `Call` for a `PUBLIC` route, `UserCall` for a
  `SIGNED_IN` one, `ProjectCall` for a permission of `auth/policy.py`; then the path must hold
  `{project}`, which the handler finds as `call.project`. A permission of the whole instance makes
  it an `InstanceCall`.
- Every other `{name}` of the path is a parameter of that name: `str`, `int` or `uuid.UUID`. A value
  that does not fit is a 404.
- `query: SomeStruct` takes the query string; give each field a default unless it is required.
  Unknown and repeated parameters are refused.
- `body: SomeStruct` takes JSON of at most `max_body` bytes. Use `msgspec.Meta` for limits.
- The return annotation is the type of the response; None means 204.
- Errors are raised: `api/problems.py`. A permission that depends on the body is asked for with
  `call.require(...)` and listed in `further`, which OpenAPI shows.
- `before_second_factor` lets in who has to set up a second step first, for doing just that.
- Unsafe methods need a same-origin `Origin`, and a CSRF token unless the route is `PUBLIC`.

`@route` returns a `Route`; the app collects those it finds in the modules of `z4j_brain.api`. What
does not hold together raises `RouteError` at import, so the server does not start.
"""

from __future__ import annotations

import inspect
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, get_type_hints

from z4j_brain.api.context import Call, InstanceCall, ProjectCall, UserCall
from z4j_brain.auth.policy import INSTANCE, TABLE

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Handler = Callable[..., Awaitable[Any]]
DEFAULT_MAX_BODY = 256 * 1024
SAFE = frozenset({"GET", "HEAD"})


class Access(StrEnum):
    """Routes without a permission of a project say so with one of these."""

    PUBLIC = "public"
    SIGNED_IN = "signed-in"


PUBLIC = Access.PUBLIC
SIGNED_IN = Access.SIGNED_IN


class RouteError(TypeError):
    """A route is declared wrongly; the message names the handler."""


@dataclass(frozen=True)
class Route:
    """One row of the table. Calling it calls the handler."""

    method: Method
    path: str
    permission: str
    status: int
    max_body: int
    further: tuple[str, ...]
    before_second_factor: bool
    handler: Handler
    call_type: type[Call]
    path_types: dict[str, type]
    query_type: Any
    body_type: Any
    response_type: Any

    @property
    def name(self) -> str:
        """The handler's name, which is the operation's id in OpenAPI."""
        return self.handler.__name__

    @property
    def resource(self) -> str:
        """The name of the resource file."""
        return self.handler.__module__.rpartition(".")[2]

    @property
    def summary(self) -> str:
        """The first line of the handler's docstring."""
        return (inspect.getdoc(self.handler) or self.name).splitlines()[0]

    def __call__(self, *arguments: Any, **named: Any) -> Awaitable[Any]:
        """Call the handler as it is."""
        return self.handler(*arguments, **named)


def route(
    method: Method,
    path: str,
    *,
    permission: str,
    status: int = 200,
    max_body: int = DEFAULT_MAX_BODY,
    further: tuple[str, ...] = (),
    before_second_factor: bool = False,
) -> Callable[[Handler], Route]:
    """Declare a handler; see the module's text. Raises `RouteError`."""

    def declare(handler: Handler) -> Route:
        label = f"{method} {path} ({handler.__module__}.{handler.__name__})"
        call_type = _check_permission(label, path, permission, further)
        hints = get_type_hints(handler, include_extras=True)
        names = list(inspect.signature(handler).parameters)
        response_type = hints.get("return")
        path_types = _path_types(label, path, names, hints)
        if not names or not issubclass(call_type, hints[names[0]]):
            raise RouteError(f"{label}: the first parameter must be a {call_type.__name__}.")
        if "return" not in hints:
            raise RouteError(f"{label}: annotate what it returns.")
        if "body" in names and method in SAFE:
            raise RouteError(f"{label}: a {method} has no body.")
        return Route(
            method=method,
            path=path,
            permission=str(permission),
            status=204 if response_type is type(None) else status,
            max_body=max_body,
            further=further,
            before_second_factor=before_second_factor,
            handler=handler,
            call_type=call_type,
            path_types=path_types,
            query_type=hints.get("query"),
            body_type=hints.get("body"),
            response_type=response_type,
        )

    return declare


def _check_permission(
    label: str, path: str, permission: object, further: tuple[str, ...]
) -> type[Call]:
    for name in further:
        if name not in TABLE:
            raise RouteError(f"{label}: auth/policy.py has no permission {name!r}.")
    if isinstance(permission, Access):
        return Call if permission is PUBLIC else UserCall
    if permission in INSTANCE:
        return InstanceCall
    if permission not in TABLE:
        raise RouteError(
            f"{label}: declare permission= one of auth/policy.py, PUBLIC or SIGNED_IN;"
            f" it is {permission!r}."
        )
    if "{project}" not in path:
        raise RouteError(f"{label}: a permission counts in a project; the path has no {{project}}.")
    return ProjectCall


def _path_types(label: str, path: str, names: list[str], hints: dict[str, Any]) -> dict[str, type]:
    wanted = [name for name in re.findall(r"{(\w+)}", path) if name != "project"]
    given = [name for name in names[1:] if name not in {"query", "body"}]
    if sorted(wanted) != sorted(given):
        raise RouteError(f"{label}: the path holds {wanted}, the handler takes {given}.")
    types = {name: hints.get(name) for name in wanted}
    if not path.startswith("/") or any(t not in (str, int, uuid.UUID) for t in types.values()):
        raise RouteError(f"{label}: a part of a path is a str, an int or a uuid.UUID.")
    return {name: kind for name, kind in types.items() if kind is not None}
