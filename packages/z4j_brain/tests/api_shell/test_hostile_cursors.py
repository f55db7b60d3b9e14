"""Cursors that somebody made up, of another list, or of another project."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from z4j_brain import clock
from z4j_brain.api import cursor
from z4j_brain.api.cursor import encode_cursor
from z4j_brain.api.route import Route
from z4j_brain.api.table import all_routes
from z4j_brain.store import projects

UUID = "00000000-0000-0000-0000-000000000007"
POSITIONS: list[Any] = [
    None,
    5,
    "a\0b",
    ["a\0b"],
    [1, "a\0b", "celery", 0, False],
    [1, "t1", "celery", 10**30, False],
    [2**63, "t1", "celery", 0, False],
    [-1, "abc"],
    [1, "a\0b"],
    [1, UUID + "\0"],
    [True, 2**63, UUID],
    [True, -1, UUID],
    [2**52],
    [-1],
    [1e300],
    {},
]
TEXTS = [
    "W10",
    "!",
    "%00",
    "%F0%9F%98%80",
    "A" * 2_048,
    base64.urlsafe_b64encode(b'[1,"",' + b"[" * 1_400).decode(),
]


def _with_cursor() -> list[Route]:
    def fields(one: Route) -> set[str]:
        return {field.name for field in msgspec.structs.fields(one.query_type)}

    return [one for one in all_routes() if one.query_type is not None and "cursor" in fields(one)]


def _ask(ada: Any, one: Route, text: str, project: str = "shop") -> Any:
    path = one.path.format(project=project, engine="celery", task_id="t1", id=UUID)
    return ada.http.request(one.method, f"{path}?cursor={text}")


def test_a_made_up_position_is_refused(
    running: Any, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by who knows how cursors are made: which list it belongs to is no secret. A position
    that paging could reach is one.
    """
    monkeypatch.setattr(cursor, "_digest", lambda scope: "0" * 16)
    assert len(_with_cursor()) >= 8
    for one in _with_cursor():
        for position in POSITIONS:
            made = encode_cursor("", position)
            answer = _ask(ada, one, made)
            is_possible = "\\x00" not in repr(position) and answer.status_code in (200, 404)
            assert is_possible or answer.status_code == 422, (one.name, position, answer.text)
            assert is_possible or answer.json()["errors"][0]["pointer"] == "?cursor"


def test_text_that_is_no_cursor_is_refused(running: Any, ada: Any) -> None:
    for one in _with_cursor():
        for text in TEXTS:
            answer = _ask(ada, one, text)
            assert answer.status_code == 422, (one.name, text, answer.text)
            assert answer.json()["errors"][0]["pointer"] == "?cursor"


def test_the_cursor_of_another_project_is_refused(running: Any, ada: Any) -> None:
    with running.database.write() as connection:
        annex = projects.create(connection, name="Annex", now=clock.now())
        user = ada.get("/session").json()["user"]["id"]
        shop = projects.find_slug(connection, "shop")
    assert user
    for name in ("agents", "members"):
        path = f"/projects/shop/{name}"
        assert ada.get(path, cursor=encode_cursor(f"{name}|{shop}", "a")).status_code == 200
        foreign = ada.get(path, cursor=encode_cursor(f"{name}|{annex.id}", "a"))
        assert (foreign.status_code, foreign.json()["errors"][0]["pointer"]) == (422, "?cursor")
