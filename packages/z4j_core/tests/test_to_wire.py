"""What leaves the process: redacted, bounded, and honest about what is exact."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from z4j_core.codec import MSGPACK
from z4j_core.events import MAX_PAYLOAD, Kind, TaskEvent
from z4j_core.redaction import Redactor
from z4j_core.to_wire import to_wire

REDACTOR = Redactor()


def payload(**data: Any) -> dict[str, Any]:
    made = to_wire(
        TaskEvent(kind=Kind.STARTED, engine="e", task_id="t", occurred_at=1, data=data), REDACTOR
    )
    assert len(made.payload) <= MAX_PAYLOAD
    return msgspec.json.decode(made.payload, type=dict[str, Any])


def test_plain_arguments_are_exact() -> None:
    made = payload(args=[1, "two"], kwargs={"three": None})
    assert made == {"args": [1, "two"], "kwargs": {"three": None}, "exact": True}


def test_redacted_or_cut_arguments_are_not_exact() -> None:
    assert payload(args=[], kwargs={"password": "hunter2"})["exact"] is False
    assert payload(args=["x" * 10_000], kwargs={})["exact"] is False
    assert payload(args=[object()])["exact"] is False


def test_positional_arguments_are_judged_by_their_parameter() -> None:
    made = payload(args=["ada", "hunter2", 3], arg_names=("user", "password"))
    assert made == {"args": ["ada", "[redacted]", 3], "exact": False}
    assert payload(args=["ada"], arg_names=("user", "password"))["exact"] is True


def test_numbers_of_ours_pass_and_nothing_else_under_their_keys() -> None:
    at = 1_795_000_000_000_000
    assert payload(published_at=at, priority=3, redelivered=True) == {
        "published_at": at,
        "priority": 3,
        "redelivered": True,
    }
    assert payload(pid="token=hunter2") == {"pid": "token=[redacted]"}
    assert payload(run_us=1 << 60, eta=-1, priority=object())["run_us"] == 1 << 60


def test_only_numbers_under_keys_of_ours_are_not_looked_at() -> None:
    assert payload(result=4111111111111111) == {"result": "[redacted]"}
    assert "hunter2" not in str(payload(**{"password=hunter2": None}))
    assert payload(root_id="t", result=None) == {"root_id": "t", "result": None}


def test_without_arguments_nothing_is_said_of_them() -> None:
    assert "exact" not in payload(result=5)


def test_an_overlong_payload_loses_its_bulk_and_says_so() -> None:
    lines = ["\x01" * 4_000] * 60
    made = payload(traceback="\x01" * 20_000, result=lines, kwargs={"a": lines}, args=lines)
    assert made["cut"] == ["traceback"]
    assert len(msgspec.json.encode(made)) <= MAX_PAYLOAD


def test_a_long_traceback_keeps_both_ends_and_no_secret() -> None:
    text = "Traceback first\n" + "  line password=hunter2\n" * 5_000 + "ValueError: last"
    made = payload(traceback=text)["traceback"]
    assert made.startswith("Traceback first")
    assert made.endswith("ValueError: last")
    assert "characters]" in made
    assert "hunter2" not in made


def test_outlandish_ids_and_times_are_made_storable() -> None:
    event = TaskEvent(
        kind=Kind.STARTED,
        engine="e",
        task_id="x" * 1_000,
        occurred_at=-5,
        attempt=1 << 40,
        name="n" * 1_000,
    )
    wire = to_wire(event, REDACTOR)
    good, bad = MSGPACK.decode_events(msgspec.Raw(msgspec.msgpack.encode([wire])))
    assert (len(good), bad) == (1, [])


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=20), anything, max_size=6))
def test_any_content_is_made_into_json(data: dict[str, Any]) -> None:
    payload(**data)
