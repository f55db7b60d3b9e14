"""What is hidden while a project's rules cannot be used."""

from __future__ import annotations

import msgspec
import pytest

from z4j_brain.commands.request import shown_params
from z4j_brain.ingest.cleaning import (
    Unstorable,
    clean_payload,
    clean_result,
    clean_text,
    details_of,
)
from z4j_brain.redaction.stored import open_rules

CLOSED = open_rules('{"patterns":[{"name":"staff","pattern":"("}]}').cleaner
PAYLOAD = {
    "args": ["bluebird", 4711],
    "kwargs": {"bluebird": 1},
    "exact": True,
    "result": 4711,
    "exception": {"type": "ValueError", "module": "builtins", "message": "bluebird"},
    "traceback": "bluebird",
    "reason": "bluebird",
    "anything": {"deep": ["bluebird"]},
    "eta": 1_700_000_000_000_000,
    "run_us": 12,
    "root_id": "r1",
    "parent_id": None,
}


def test_only_what_a_task_is_found_and_timed_by_stays() -> None:
    cleaned = clean_payload(msgspec.json.encode(PAYLOAD), CLOSED)
    assert b"bluebird" not in cleaned
    assert b"4711" not in cleaned
    details = details_of(cleaned)
    assert (details.eta, details.run_us, details.root_id) == (1_700_000_000_000_000, 12, "r1")
    assert details.exact is False, "a mask is never sent to a worker"
    assert details.exception is not None
    assert (details.exception.type, details.exception.message) == ("ValueError", "[redacted]")
    assert msgspec.json.decode(cleaned)["args"] == ["[redacted]"]


def test_everything_else_is_hidden_too() -> None:
    assert clean_text("bluebird", CLOSED) == "[redacted]"
    assert clean_text("", CLOSED) == ""
    assert clean_result(b'{"a":"bluebird"}', CLOSED) == '{"[redacted]":"[redacted]"}'
    shown = shown_params(b'{"bluebird":1}', CLOSED)
    assert (shown.text, shown.is_exact) == ('{"[redacted]":"[redacted]"}', False)
    assert CLOSED.audit.value({"a": 4711}) == {"[redacted]": "[redacted]"}
    assert CLOSED.audit.exactly(["bluebird"]) == (["[redacted]"], False)


@pytest.mark.parametrize("payload", [b"[]", b"{", b'"x"'])
def test_what_is_no_payload_is_still_refused(payload: bytes) -> None:
    with pytest.raises(Unstorable):
        clean_payload(payload, CLOSED)


def test_counts_tell_that_it_happens() -> None:
    before = CLOSED.events.counts.snapshot()["closed"]
    clean_text("x", CLOSED)
    assert CLOSED.events.counts.snapshot()["closed"] == before + 1
