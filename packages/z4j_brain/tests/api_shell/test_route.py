"""The route table: what is declared wrongly does not start."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import msgspec
import pytest

from z4j_brain.api.context import Call, ProjectCall, UserCall
from z4j_brain.api.route import PUBLIC, SIGNED_IN, RouteError, route
from z4j_brain.api.router import Router
from z4j_brain.api.table import all_routes


class Body(msgspec.Struct):
    name: str


def test_a_route_without_a_permission_cannot_be_declared() -> None:
    async def handler(call: Call) -> None: ...

    with pytest.raises(TypeError, match="permission"):
        route("GET", "/x")(handler)  # type: ignore[call-arg]
    for permission in (None, "", "task.reed", "public", "viewer"):
        with pytest.raises(RouteError, match="permission"):
            route("GET", "/projects/{project}/x", permission=permission)(handler)  # type: ignore[arg-type]


def test_a_route_without_a_permission_does_not_start(start: Any) -> None:
    bare = dataclasses.replace(all_routes()[0], permission="")
    with pytest.raises(RouteError, match="permission"), start(routes=[bare]):
        pytest.fail("the server started")


def test_a_permission_counts_in_a_project_only() -> None:
    async def handler(call: ProjectCall) -> None: ...

    with pytest.raises(RouteError, match="project"):
        route("GET", "/x", permission="task.read")(handler)


def test_the_call_must_fit_the_permission() -> None:
    async def handler(call: ProjectCall) -> None: ...
    async def wider(call: Call) -> None: ...

    for permission in (PUBLIC, SIGNED_IN):
        with pytest.raises(RouteError, match="first parameter"):
            route("GET", "/x", permission=permission)(handler)
    assert route("GET", "/x", permission=SIGNED_IN)(wider).call_type is UserCall


def test_the_handler_must_take_the_parts_of_the_path() -> None:
    async def missing(call: Call) -> None: ...
    async def more(call: Call, a: str, b: str) -> None: ...
    async def odd(call: Call, a: list[str]) -> None: ...
    async def unknown(call: Call, a) -> None: ...  # type: ignore[no-untyped-def]

    for handler in (missing, more, odd, unknown):
        with pytest.raises(RouteError):
            route("GET", "/x/{a}", permission=PUBLIC)(handler)


def test_a_body_has_no_place_in_a_get_and_a_result_is_annotated() -> None:
    async def handler(call: Call, body: Body) -> None: ...
    async def silent(call: Call): ...  # type: ignore[no-untyped-def]

    with pytest.raises(RouteError, match="body"):
        route("GET", "/x", permission=PUBLIC)(handler)
    with pytest.raises(RouteError, match="returns"):
        route("GET", "/x", permission=PUBLIC)(silent)


def test_one_address_is_declared_once() -> None:
    @route("GET", "/x/{a}", permission=PUBLIC)
    async def first(call: Call, a: str) -> None: ...

    @route("GET", "/x/{b}", permission=PUBLIC)
    async def second(call: Call, b: uuid.UUID) -> None: ...

    with pytest.raises(RouteError, match="twice"):
        Router(None, [first, second])  # type: ignore[arg-type]


def test_a_fixed_name_goes_before_a_parameter() -> None:
    @route("GET", "/x/{a}/end", permission=PUBLIC)
    async def any_name(call: Call, a: str) -> None: ...

    @route("GET", "/x/fixed", permission=PUBLIC)
    async def fixed(call: Call) -> None: ...

    router = Router(None, [any_name, fixed])  # type: ignore[arg-type]
    assert router.find("GET", "/x/fixed")[0] is fixed
    assert router.find("GET", "/x/fixed/end") == (any_name, {"a": "fixed"})


def test_every_resource_says_who_may_call_it() -> None:
    routes = all_routes()
    assert len({(one.method, one.path) for one in routes}) == len(routes) > 10
    assert len({one.name for one in routes}) == len(routes), "names are the operations' ids"
    assert {one.path for one in routes if one.permission == PUBLIC} == {
        "/session",
        "/sign-in",
        "/sign-in/code",
        "/sign-in/passkey",
        "/sign-in/passkey/options",
        "/sign-in/oidc",
        "/setup",
        "/setup/check",
        "/openapi.json",
        "/invitations/check",
        "/invitations/sign-up",
    }
