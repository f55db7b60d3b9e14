"""OpenAPI 3.1, made from the route table and the types that it names."""

from __future__ import annotations

import functools
import re
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from z4j_brain import __version__
from z4j_brain.api.context import Call
from z4j_brain.api.problems import MEDIA_TYPE, ProblemDetails
from z4j_brain.api.route import PUBLIC, SAFE, SIGNED_IN, Route, route
from z4j_brain.auth.browser import COOKIE, CSRF_HEADER

Json = dict[str, Any]
_REFERENCE = "#/components/schemas/{name}"
_PROBLEM = {"$ref": "#/components/responses/Problem"}
_PATH_SCHEMAS: dict[type, Json] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    uuid.UUID: {"type": "string", "format": "uuid"},
}


@route("GET", "/openapi.json", permission=PUBLIC)
async def read_openapi(call: Call) -> dict[str, Any]:
    """Describe this API."""
    return _description(call.brain.settings.root_path)


@functools.cache
def _description(prefix: str) -> Json:
    from z4j_brain.api.table import all_routes

    return describe(all_routes(), prefix)


def describe(routes: Sequence[Route], prefix: str = "") -> Json:
    """Return the document; every route is one operation."""
    types = [kind for route in routes for kind in (route.body_type, route.response_type)]
    wanted = [kind for kind in types if kind not in (None, type(None))] + [ProblemDetails]
    schemas, components = msgspec.json.schema_components(wanted, ref_template=_REFERENCE)
    by_type = {id(kind): schema for kind, schema in zip(wanted, schemas, strict=True)}
    paths: dict[str, Json] = {}
    for one in routes:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, by_type)
    return {
        "openapi": "3.1.0",
        "info": {"title": "z4j", "version": __version__, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": f"{prefix}/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {"Problem": _problem(by_type[id(ProblemDetails)])},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
                "key": {"type": "http", "scheme": "bearer", "bearerFormat": "z4j_key_…"},
            },
        },
    }


def _operation(one: Route, by_type: dict[int, Json]) -> Json:
    operation: Json = {
        "operationId": one.name,
        "summary": one.summary,
        "tags": [one.resource],
        "x-permission": one.permission,
        "security": _security(one),
        "parameters": [*_path_parameters(one), *_query_parameters(one)],
        "responses": {
            str(one.status): _response(one, by_type),
            **{str(status): _PROBLEM for status in statuses(one)},
        },
    }
    if one.further:
        operation["x-further-permissions"] = list(one.further)
    if one.body_type is not None:
        content = {"application/json": {"schema": by_type[id(one.body_type)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _security(one: Route) -> list[Json]:
    if one.permission == PUBLIC:
        return []
    browser: Json = {"session": []} if one.method in SAFE else {"session": [], "csrf": []}
    return [browser] if one.permission == SIGNED_IN else [browser, {"key": []}]


def statuses(one: Route) -> list[int]:
    """List every refusal that a route may answer with, derived from what it declares.

    Anything else is a defect, and what a route answers is compared with this in tests: a handler
    raises problems of these statuses only. 405 is an answer to a method that is not in the table.
    """
    is_unsafe = one.method not in SAFE
    found = {400, 429, 503}  # the Host header or a key in the address; too many; no database
    if one.permission != PUBLIC or is_unsafe:
        found |= {401, 403}
    if "{" in one.path:
        found.add(404)
    if is_unsafe:
        found.add(409)
    if one.body_type is not None:
        found |= {413, 415, 422}
    if one.query_type is not None:
        found.add(422)
    return sorted(found)


def _path_parameters(one: Route) -> list[Json]:
    names = re.findall(r"{(\w+)}", one.path)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _PATH_SCHEMAS[one.path_types.get(name, str)],
        }
        for name in names
    ]


def _query_parameters(one: Route) -> list[Json]:
    if one.query_type is None:
        return []
    parameters = []
    for field in msgspec.structs.fields(one.query_type):
        schema = msgspec.json.schema(field.type, ref_template=_REFERENCE)
        if field.default not in (msgspec.NODEFAULT, None, msgspec.UNSET):
            schema["default"] = msgspec.to_builtins(field.default)
        parameters.append(
            {
                "name": field.encode_name,
                "in": "query",
                "required": field.required,
                "schema": schema,
            }
        )
    return parameters


def _response(one: Route, by_type: dict[int, Json]) -> Json:
    if one.status == 204:
        return {"description": "Done."}
    schema = by_type[id(one.response_type)]
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _problem(schema: Json) -> Json:
    return {
        "description": "Refused or failed: problem details of RFC 9457.",
        "content": {MEDIA_TYPE: {"schema": schema}},
    }
