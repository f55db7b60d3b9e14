"""From the bytes of a request to the types that a route declared, or to a 413, 415 or 422."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.requests import Request

from z4j_brain.api import problems
from z4j_brain.api.refusal_text import plain
from z4j_brain.api.route import Route

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?P<path>[^`]*)`)?", re.DOTALL)
_LONGEST_LENGTH = 18
"""Digits of a Content-Length that is read at all."""
_NO_NUL = "Text may not hold the NUL character."
_FIELD = re.compile(r"(?:missing required|contains unknown) field `(?P<name>[^`]*)`")


def decode_path(route: Route, values: dict[str, str]) -> dict[str, Any]:
    """Convert the parts of the path; one that does not fit is not found."""
    try:
        return {
            name: msgspec.convert(unquote(values[name], errors="strict"), kind, strict=False)
            for name, kind in route.path_types.items()
        }
    except (msgspec.ValidationError, UnicodeDecodeError):
        raise problems.not_found() from None


def decode_query(route: Route, request: Request) -> dict[str, Any]:
    """Convert the query string to the route's Struct; nothing when it declares none."""
    if route.query_type is None:
        return {}
    pairs = request.query_params.multi_items()
    known = {field.encode_name for field in msgspec.structs.fields(route.query_type)}
    values: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            allowed = ", ".join(sorted(known))
            raise problems.invalid_input(f"?{name[:50]}", f"Unknown parameter; known: {allowed}.")
        if name in values:
            raise problems.invalid_input(f"?{name}", "Give this parameter once.")
        if "\0" in value:
            raise problems.invalid_input(f"?{name}", _NO_NUL)
        values[name] = value
    try:
        return {"query": msgspec.convert(values, route.query_type, strict=False)}
    except msgspec.ValidationError as error:
        pointer, detail = _explain(error)
        raise problems.invalid_input("?" + pointer.lstrip("/"), detail) from None


async def decode_body(route: Route, request: Request) -> dict[str, Any]:
    """Read and convert the body to the route's Struct; nothing when it declares none."""
    if route.body_type is None:
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise problems.unsupported_media_type()
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise problems.unsupported_media_type()  # nothing is inflated, so no bomb either
    content = await _read(request, route.max_body)
    if b"\\u0000" in content:  # PostgreSQL stores no NUL; an escaped backslash is refused as well
        raise problems.invalid_input("", _NO_NUL)
    try:
        return {"body": msgspec.json.decode(content, type=route.body_type)}
    except msgspec.ValidationError as error:
        raise problems.invalid_input(*_explain(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise problems.invalid_input("", "The body is not valid JSON.") from None
    except RecursionError:
        raise problems.invalid_input("", "The body is nested too deeply.") from None


async def _read(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "0")
    is_number = declared.isdecimal() and len(declared) <= _LONGEST_LENGTH
    if not is_number or int(declared) > limit:
        raise problems.too_large(limit)
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise problems.too_large(limit)
    return bytes(content)


def _explain(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return the JSON Pointer and the sentence of a msgspec message."""
    match = _PLACE.fullmatch(str(error))
    what = match["what"] if match else str(error)
    parts = re.findall(r"\.([^.\[\]]+)|\[([^\]]*)\]", (match and match["path"]) or "")
    names = [name or index for name, index in parts]
    if missing := _FIELD.search(what):
        names.append(missing["name"])
    pointer = "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)
    return pointer, plain(what)
