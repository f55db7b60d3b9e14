"""A project's rules over HTTP: who may change them, what is refused, and the preview."""

from __future__ import annotations

from typing import Any

from z4j_brain.redaction.rules import MAX_KEYS, MAX_PATTERNS
from z4j_brain.store.schema import redaction_rules

PATH = "/projects/shop/redaction"
STAFF = {"name": "staff", "pattern": r"\bST-[0-9]{4}\b"}
RULES = {"keys": ["plate number"], "patterns": [STAFF], "emails": True}
TEXT = "ST-1234 by jane@example.org, plateNumber=B-XY, token=x7x7, order 7"
HIDDEN = "[redacted] by [redacted], plateNumber=[redacted], token=[redacted], order 7"


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
    assert answer.json() == {
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


def test_patterns_that_stall_other_matchers_end(ada: Any) -> None:
    patterns = [
        {"name": f"s{n}", "pattern": pattern}
        for n, pattern in enumerate([r"(a+)+$", r"(a|aa)+$", r"(.*a){20}$", r"^(\d+)*-$"])
    ]
    text = "a" * 16_000 + "!"
    answer = ada.post(f"{PATH}/preview", {"text": text, "rules": {"patterns": patterns}})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"text": text, "redactions": {}}


def test_only_who_manages_the_project_sees_and_changes_its_rules(running: Any, ada: Any) -> None:
    for number, role in enumerate(("viewer", "operator", "auditor")):
        browser = running.member(role, f"{role}{number}@example.org")
        assert browser.get(PATH).status_code == 403
        assert browser.http.put(PATH, json=RULES).status_code == 403
        assert browser.post(f"{PATH}/preview", {"text": "a"}).status_code == 403
    stranger = running.member(None, "stranger@example.org")
    assert stranger.get(PATH).status_code == 404
    assert ada.get(PATH).json()["changed_at"] is None
