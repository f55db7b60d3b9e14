"""Every declared address, called as everybody; what counts is the table of docs/permissions.md."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from z4j_brain import clock
from z4j_brain.api.permission_tables import renewed
from z4j_brain.api.route import Route
from z4j_brain.api.table import all_routes
from z4j_brain.auth.policy import TABLE, Role
from z4j_brain.auth.sign_in import Visitor, open_session
from z4j_brain.commands.catalogue import permission_of
from z4j_brain.store import projects, users
from z4j_brain.store.users import User

PAGE = Path(__file__).parents[4] / "docs" / "permissions.md"
COLUMNS = ("nobody", "anybody", "viewer", "auditor", "operator", "admin", "instance admin")
REFUSALS = {"sign-in-required", "permission-missing", "origin-refused", "csrf-token-invalid"}

Call = Callable[[str, Route, str], httpx.Response]


def _told() -> dict[str, dict[str, bool]]:
    """Return the page's table: address → who → may."""
    rows = re.findall(r"^\| `([A-Z]+ /\S+)` \|[^|]*\|(.+)\|$", PAGE.read_text(), re.MULTILINE)
    cells = {address: [cell.strip() for cell in rest.split("|")] for address, rest in rows}
    return {
        address: {who: cell == "yes" for who, cell in zip(COLUMNS, row, strict=True)}
        for address, row in cells.items()
    }


def _address(one: Route) -> str:
    return f"{one.method} {one.path}"


@pytest.fixture
def call(running: Any, ada: Any) -> Call:
    """A function that calls a route as somebody, in a project, under a fresh session."""
    people: dict[str, User | None] = {"nobody": None}
    with running.database.write() as connection:
        shop = projects.find_slug(connection, "shop")
        for who in COLUMNS[1:]:
            people[who] = made = users.create(
                connection,
                email=f"{who.replace(' ', '-')}@example.org",
                name=who,
                password_hash="none",
                is_admin=who == "instance admin",
                now=clock.now(),
            )
            if who in set(Role):
                users.set_role(connection, shop, made.id, who)
    clients = {who: running.browser().http for who in COLUMNS}

    def request(who: str, one: Route, project: str = "shop") -> httpx.Response:
        http, user = clients[who], people[who]
        if user is not None and "X-CSRF-Token" not in http.headers:
            with running.database.write() as connection:
                token = open_session(
                    connection, running.brain, user, Visitor(None, None, None)
                ).token
            http.cookies.set("z4j_session", token)
            http.headers["X-CSRF-Token"] = running.brain.keys.csrf_token(token)
        values = {
            name: str(uuid.UUID(int=7)) if kind is uuid.UUID else "7"
            for name, kind in one.path_types.items()
        }
        answer = http.request(one.method, one.path.format(project=project, **values))
        if one.permission == "signed-in":  # it may have ended the session
            http.headers.pop("X-CSRF-Token", None)
        return answer

    return request


def _is_let_in(answer: httpx.Response) -> bool:
    if answer.status_code < 400:
        return True
    problem = answer.json()
    is_hidden = problem["detail"] == "There is no such project."
    return not is_hidden and problem["type"].removeprefix("/problems/") not in REFUSALS


def test_the_page_is_made_from_the_code() -> None:
    page = PAGE.read_text()
    advice = "run python -m z4j_brain.api.permission_tables docs/permissions.md"
    assert renewed(page, all_routes()) == page, advice


def test_every_route_has_its_row_and_no_row_is_left_over() -> None:
    assert sorted(_told()) == sorted(map(_address, all_routes()))


def test_everybody_may_call_what_the_table_says_and_nothing_else(call: Call) -> None:
    told = _told()
    found: dict[str, dict[str, bool]] = {}
    for one in all_routes():
        answers = {who: call(who, one, "shop") for who in COLUMNS}
        assert all(answer.status_code < 500 for answer in answers.values()), _address(one)
        found[_address(one)] = {who: _is_let_in(answer) for who, answer in answers.items()}
    assert found == told


def test_a_forbidden_project_is_answered_like_a_missing_one(running: Any, call: Call) -> None:
    """Byte for byte, and after the same statements: nothing else could take a different time."""
    statements: list[str] = []
    engine = running.brain.database.engine
    for one in all_routes():
        if "{project}" not in one.path:
            continue
        call("anybody", one, "shop")
        answers = []
        for project in ("shop", "nothing"):
            with _listening(engine, statements):
                answers.append((call("anybody", one, project), list(statements)))
            statements.clear()
        (forbidden, asked), (missing, asked_too) = answers
        assert forbidden.status_code == missing.status_code == 404
        assert forbidden.content == missing.content
        kept = {"x-request-id", "date"}
        assert [pair for pair in forbidden.headers.multi_items() if pair[0] not in kept] == [
            pair for pair in missing.headers.multi_items() if pair[0] not in kept
        ]
        assert [text for text in asked if "projects" in text] == [
            text for text in asked_too if "projects" in text
        ]
        assert any("projects" in text for text in asked)


class _listening:
    """Collects the statements of an engine meanwhile."""

    def __init__(self, engine: Any, statements: list[str]) -> None:
        self._engine = engine
        self._statements = statements

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        self._statements.append(statement)

    def __enter__(self) -> None:
        event.listen(self._engine, "before_cursor_execute", self._note)

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)


@pytest.mark.parametrize("role", list(Role))
def test_a_command_needs_the_permission_of_its_action(running: Any, ada: Any, role: Role) -> None:
    bob = running.member(role.value)
    for action in ("retry", "retry_edited", "cancel", "terminate", "purge", "of_a_plugin"):
        body = {"engine": "celery", "action": action, "target": {}, "params": {}}
        answer = bob.post("/projects/shop/commands", body)
        permission = permission_of(action)
        if role in TABLE[permission]:
            assert answer.status_code in (409, 422), answer.text
        else:
            assert answer.status_code == 403
            assert permission in answer.json()["detail"]
