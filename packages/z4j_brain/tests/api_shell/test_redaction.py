"""A project's rules over HTTP: who may change them, what is refused, and the preview."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from sqlalchemy import text

from z4j_brain.redaction.rules import MAX_KEYS, MAX_PATTERNS
from z4j_brain.store.schema import projects, redaction_rules

PATH = "/projects/shop/redaction"
STAFF = {"name": "staff", "pattern": r"\bST-[0-9]{4}\b", "enabled": True}
RULES = {"keys": ["plate number"], "patterns": [STAFF], "emails": True}
TEXT = "ST-1234 by jane@example.org, plateNumber=B-XY, token=x7x7, order 7"
HIDDEN = "[redacted] by [redacted], plateNumber=[redacted], token=[redacted], order 7"


def _project(running: Any) -> Any:
    with running.database.read() as connection:
        return connection.execute(projects.select()).one().id


def test_rules_are_stored_shown_and_in_force_at_once(running: Any, ada: Any) -> None:
    empty = ada.get(PATH).json()
    assert empty["rules"] == {"keys": [], "patterns": [], "emails": False}
    assert empty["changed_by"] is None
    answer = ada.http.put(PATH, json=RULES)
    assert answer.status_code == 200, answer.text
    assert answer.json()["rules"] == RULES
    assert answer.json()["changed_by"] == "ada@example.org"
    with running.database.read() as connection:
        project = connection.execute(redaction_rules.select()).one().project_id
    assert running.brain.cleaners.of(project).events.text(TEXT) == HIDDEN
    ada.http.put(PATH, json={})
    assert "ST-1234" in running.brain.cleaners.of(project).events.text(TEXT)


def test_a_preview_stores_nothing_and_counts_by_rule(running: Any, ada: Any) -> None:
    answer = ada.post(f"{PATH}/preview", {"text": TEXT, "rules": RULES})
    told = answer.json()
    assert 0 <= told.pop("milliseconds")["staff"] <= told.pop("most_milliseconds")
    assert told == {
        "text": HIDDEN,
        "redactions": {"staff": 1, "email": 1, "added-key": 1, "key": 1},
    }
    assert ada.get(PATH).json()["rules"]["patterns"] == []
    stored = ada.post(f"{PATH}/preview", {"text": TEXT}).json()
    assert stored["redactions"] == {"key": 1}
    assert ada.post(f"{PATH}/preview", {"text": "x" * 16_385}).status_code == 422


REFUSED: list[tuple[dict[str, Any], str | None]] = [
    ({"patterns": [STAFF | {"pattern": "("}]}, "/patterns/0/pattern"),
    ({"patterns": [STAFF | {"pattern": r"(?<=a)b"}]}, "/patterns/0/pattern"),
    ({"patterns": [STAFF | {"pattern": r"(a)\1"}]}, "/patterns/0/pattern"),
    ({"patterns": [STAFF | {"pattern": "x*"}]}, "/patterns/0/pattern"),
    ({"patterns": [STAFF | {"pattern": "(?:(?:a?){100}){9}b"}]}, "/patterns/0/pattern"),
    ({"patterns": [STAFF | {"pattern": "(?:.{1000}){9}"}]}, "/patterns/0/pattern"),
    ({"patterns": [STAFF, STAFF]}, "/patterns/1/name"),
    ({"patterns": [STAFF | {"name": "jwt"}]}, "/patterns/0/name"),
    ({"patterns": [STAFF | {"pattern": "(", "enabled": False}]}, "/patterns/0/pattern"),
    ({"keys": ["4711"]}, "/keys/0"),
    ({"patterns": [STAFF | {"pattern": ""}]}, None),
    ({"patterns": [STAFF | {"pattern": "x" * 257}]}, None),
    ({"patterns": [STAFF | {"name": "Staff number"}]}, None),
    ({"patterns": [STAFF | {"name": f"s{n}"} for n in range(MAX_PATTERNS + 1)]}, None),
    ({"keys": ["a"] * (MAX_KEYS + 1)}, None),
    ({"more": 1}, None),
]


def test_rules_that_cannot_be_used_are_refused(ada: Any) -> None:
    for rules, pointer in REFUSED:
        answer = ada.http.put(PATH, json=rules)
        preview = ada.post(f"{PATH}/preview", {"text": "a", "rules": rules})
        assert (answer.status_code, preview.status_code) == (422, 422), rules
        if pointer is not None:
            assert answer.json()["errors"][0]["pointer"] == pointer
            assert preview.json()["errors"][0]["pointer"] == f"/rules{pointer}"
    assert ada.get(PATH).json()["changed_at"] is None


def test_a_pattern_that_is_switched_off_hides_nothing(running: Any, ada: Any) -> None:
    off = {"patterns": [STAFF | {"enabled": False}]}
    assert ada.http.put(PATH, json=off).json()["rules"]["patterns"][0]["enabled"] is False
    assert ada.post(f"{PATH}/preview", {"text": "ST-1234"}).json()["text"] == "ST-1234"
    project = _project(running)
    assert running.brain.cleaners.of(project).events.text("ST-1234") == "ST-1234"


def test_what_is_previewed_is_neither_stored_nor_logged(
    running: Any, ada: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert ada.post(f"{PATH}/preview", {"text": "pasted-marker"}).status_code == 200
    assert ada.post(f"{PATH}/preview", {"text": "pasted-marker" * 2_000}).status_code == 422
    assert "pasted-marker" not in caplog.text
    with running.database.read() as connection:
        for table in ("audit", "redaction_rules", "events"):
            rows = connection.execute(text(f"SELECT * FROM {table}")).all()
            assert "pasted-marker" not in repr(rows)


def test_counts_are_told_by_project_and_rule(running: Any, ada: Any) -> None:
    first = ada.get(PATH).json()
    assert first["counts"] == {}
    names = {one["name"] for one in first["built_in"]}
    assert {"key", "jwt", "card-number"} <= names
    ada.http.put(PATH, json=RULES)
    running.brain.cleaners.of(_project(running)).events.text(TEXT)
    counts = {"staff": 1, "email": 1, "added-key": 1, "key": 1}
    assert ada.get(PATH).json()["counts"] == counts
    ada.http.put(PATH, json={})
    running.brain.cleaners.of(_project(running)).events.text(TEXT)
    assert ada.get(PATH).json()["counts"] == counts | {"key": 2}


@pytest.mark.parametrize("stored", ['{"patterns":[{"name":"staff","pattern":"("}]}', "{", "[]"])
def test_rules_that_cannot_be_used_any_more_close_the_project(
    running: Any, ada: Any, stored: str
) -> None:
    ada.http.put(PATH, json=RULES)
    with running.database.write() as connection:
        change = text("UPDATE redaction_rules SET rules = :rules, version = version + 1")
        connection.execute(change, {"rules": stored})
        running.brain.cleaners._load(connection)
    cleaner = running.brain.cleaners.of(_project(running))
    assert cleaner.events.text("anything") == "[redacted]"
    assert ada.get(PATH).json()["fault"]
    ada.http.put(PATH, json=RULES)
    assert ada.get(PATH).json()["fault"] is None
    assert running.brain.cleaners.of(_project(running)).events.text("anything") == "anything"


def test_the_audit_log_keeps_to_the_rules_too(running: Any, ada: Any) -> None:
    literal = {"patterns": [{"name": "codeword", "pattern": "bluebird"}]}
    assert ada.http.put(PATH, json=literal).status_code == 200
    entry = ada.get("/projects/shop/audit", action="redaction").json()["items"][0]
    assert entry["after"]["patterns"][0]["pattern"] == "[redacted]"
    assert entry["before"] is None
    ada.http.put(PATH, json={"patterns": [STAFF]})
    entry = ada.get("/projects/shop/audit", action="redaction").json()["items"][0]
    assert entry["before"]["patterns"][0]["name"] == "codeword"


def test_patterns_that_stall_other_matchers_end(ada: Any) -> None:
    patterns = [
        {"name": f"s{n}", "pattern": pattern}
        for n, pattern in enumerate([r"(a+)+$", r"(a|aa)+$", r"(.*a){20}$", r"^(\d+)*-$"])
    ]
    long = "a" * 16_000 + "!"
    answer = ada.post(f"{PATH}/preview", {"text": long, "rules": {"patterns": patterns}})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["text"], told["redactions"]) == (long, {})
    assert max(told["milliseconds"].values()) <= told["most_milliseconds"]


def test_only_who_manages_the_project_sees_and_changes_its_rules(running: Any, ada: Any) -> None:
    for number, role in enumerate(("viewer", "operator", "auditor")):
        browser = running.member(role, f"{role}{number}@example.org")
        assert browser.get(PATH).status_code == 403
        assert browser.http.put(PATH, json=RULES).status_code == 403
        assert browser.post(f"{PATH}/preview", {"text": "a"}).status_code == 403
    stranger = running.member(None, "stranger@example.org")
    assert stranger.get(PATH).status_code == 404
    assert ada.get(PATH).json()["changed_at"] is None
