"""Every field of every declared route, one by one, with what no field may take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from z4j_brain.api.route import Route
from z4j_brain.api.table import all_routes

Json = dict[str, Any]
Place = tuple[str, ...]
HUGE = "9" * 30
STRINGS = {
    "NUL": '"a\\u0000b"',
    "a lone surrogate": '"a\\ud800b"',
    "raw surrogate bytes": b'"a\xed\xa0\x80b"',
    "no UTF-8": b'"a\xff"',
    "a huge number": HUGE,
    "a deep list": "[" * 2_000 + "]" * 2_000,
}
NUMBERS = {
    "beyond 64 bits": HUGE,
    "beyond int64": str(2**63),
    "below int64": str(-(2**63) - 1),
    "beyond a float": "1e999",
    "of 5,000 digits": "9" * 5_000,
    "no number": "NaN",
    "text": '"1"',
}
TEXTS = ("%ED%A0%80", "%FF", "1e999", quote("\u202e"), "%0d%0aX-Evil:%201")
FAR = ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00")
"""Times that are in no year that a database knows once their offset is taken off."""
FREE = {("create_command", ("params",)), ("create_bulk_run", ("params",))}
"""What is passed on as it is, to be checked by the schema of the worker's action."""


def _schema(kind: Any) -> tuple[Json, Json]:
    [schema], components = msgspec.json.schema_components([kind])
    return schema, components


def _resolved(schema: Json, components: Json) -> Json:
    if "$ref" in schema:
        return dict(components[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        kinds = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return _resolved(kinds[0], components)
    return schema


def _fields(schema: Json, components: Json, at: Place = ()) -> Iterator[tuple[Place, Json]]:
    """Every field below a schema with its own schema; of a list its first entry."""
    schema = _resolved(schema, components)
    if schema.get("type") == "object":
        for name, inner in schema.get("properties", {}).items():
            yield from _fields(inner, components, (*at, name))
    elif schema.get("type") == "array":
        yield from _fields(schema["items"], components, (*at, "0"))
    else:
        yield at, schema


def _good(schema: Json, components: Json, wanted: Place, hostile: Any) -> Any:
    """A value that the schema takes, with the hostile one at the wanted place."""
    if wanted == ():
        return hostile
    schema, rest = _resolved(schema, components), wanted[1:]
    if schema.get("type") == "array":
        return [_good(schema["items"], components, rest, hostile)]
    names = {*schema.get("required", ()), wanted[0]}
    return {
        name: _good(inner, components, rest if name == wanted[0] else (), hostile)
        if name == wanted[0]
        else _plain(inner, components)
        for name, inner in schema["properties"].items()
        if name in names
    }


def _plain(schema: Json, components: Json) -> Any:
    schema = _resolved(schema, components)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "string":
            return "abc@example.org" if schema.get("format") == "email" else "abc" * 6
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "array":
            return [_plain(schema["items"], components)] * schema.get("minItems", 0)
    return {
        name: _plain(inner, components)
        for name, inner in schema.get("properties", {}).items()
        if name in schema.get("required", ())
    }


def _address(one: Route) -> str:
    parts = dict.fromkeys(one.path_types, "00000000-0000-0000-0000-000000000007")
    return one.path.format(project="shop", **parts)


def _bodies() -> Iterator[tuple[Route, Place, str, bytes]]:
    for one in all_routes():
        if one.body_type is None:
            continue
        schema, components = _schema(one.body_type)
        for place, field in _fields(schema, components):
            is_number = field.get("type") in ("integer", "number")
            for name, hostile in (NUMBERS if is_number else STRINGS).items():
                raw = hostile if isinstance(hostile, bytes) else hostile.encode()
                body = _good(schema, components, place, msgspec.Raw(raw))
                yield one, place, name, msgspec.json.encode(body)


def test_no_field_of_a_body_takes_it(running: Any, ada: Any) -> None:
    tried = set()
    for one, place, name, content in _bodies():
        answer = ada.http.request(
            one.method,
            _address(one),
            content=content,
            headers={"Content-Type": "application/json"},
        )
        what = (one.name, place, name, answer.text)
        if (one.name, place) in FREE or len(content) > one.max_body:
            assert 400 <= answer.status_code < 500, what
        else:
            assert answer.status_code == 422, what
            assert answer.json()["type"] == "/problems/invalid-input", what
        tried.add(one.name)
    assert tried == {one.name for one in all_routes() if one.body_type is not None}


def _queries() -> Iterator[tuple[Route, str, str, bool]]:
    for one in all_routes():
        if one.query_type is None:
            continue
        for field in msgspec.structs.fields(one.query_type):
            schema, components = _schema(field.type)
            is_number = _resolved(schema, components).get("type") in ("integer", "number")
            yield one, field.encode_name, "%00", True
            yield one, field.encode_name, "a%00b", True
            yield one, field.encode_name, HUGE, is_number
            yield one, field.encode_name, "9" * 5_000, is_number
            for text in (*TEXTS, *FAR):
                yield one, field.encode_name, text, is_number


def test_no_parameter_takes_it(running: Any, ada: Any) -> None:
    for one, name, value, is_refused in _queries():
        answer = ada.http.request(one.method, f"{_address(one)}?{name}={value}")
        what = (one.name, name, value, answer.text)
        assert answer.status_code < 500, what
        assert "X-Evil" not in answer.headers, what
        if is_refused:
            assert answer.status_code == 422, what
            assert answer.json()["errors"][0]["pointer"] == f"?{name}", what


def test_no_part_of_a_path_takes_it(running: Any, ada: Any) -> None:
    for one in all_routes():
        for name in (*one.path_types, "project"):
            if f"{{{name}}}" not in one.path:
                continue
            for value in ("%00", "a%00b", "%ED%A0%80", "%FF", HUGE, "x" * 2_000, "%2e%2e%2f"):
                parts = dict.fromkeys(one.path_types, "7") | {"project": "shop", name: value}
                answer = ada.http.request(one.method, one.path.format(**parts), json={})
                assert 400 <= answer.status_code < 500, (one.name, name, value, answer.text)


@pytest.mark.parametrize(
    "name",
    ["User-Agent", "Cookie", "Authorization", "Host", "Origin", "X-Request-ID", "Content-Type"],
)
def test_no_header_takes_it(running: Any, ada: Any, name: str) -> None:
    own = {"email": "ada@example.org", "password": "correct horse battery staple"}
    for value in (b"\xff\xfe", b"\x80" * 4_000, b"[", b"[::", b"Bearer \xe9", b"z4j_session=\xff"):
        for method, path, body in (("GET", "/session", None), ("POST", "/sign-in", own)):
            answer = ada.http.request(method, path, json=body, headers={name: value})
            assert answer.status_code < 500, (value, answer.text)
            assert value not in b"".join(map(b"".join, answer.headers.raw))
