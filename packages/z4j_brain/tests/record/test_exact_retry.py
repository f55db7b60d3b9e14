"""What a task's page says of an exact retry, and that it never shows what is sealed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from z4j_brain.api.task_views import task_detail
from z4j_brain.tasks.detail import read_task
from z4j_core.events import Kind
from z4j_core.frames import EngineInfo
from z4j_core.seal import Envelope

KEY = "ab12cd34ef567890"
CIPHER = b"cipher text of a secret" + bytes(16)
SEALED = Envelope(bytes.fromhex(KEY), bytes(8), bytes(16), bytes(12), CIPHER).pack()
HIDDEN = {"args": [], "kwargs": {"password": "[redacted]"}, "exact": False}


def add_worker(record: Any, name: str, *keys: str, **fields: Any) -> None:
    engines = msgspec.to_builtins([EngineInfo("celery", "5", [], list(keys))])
    record.add_worker(name, engines=engines, online=True, **fields)


def said(record: Any) -> Any:
    view = task_detail(record.read(read_task, "celery", "t", frozenset()))
    shown = msgspec.json.encode(view)
    assert b"cipher text" not in shown
    assert b"Y2lwaGVyIHRleHQ" not in shown  # the same in base64
    return msgspec.json.decode(shown)["exact_retry"]


def test_the_record_itself_may_hold_the_arguments(record: Any, event: Any) -> None:
    data = {"args": [1], "kwargs": {}, "exact": True}
    record.tell(event("t", Kind.RECEIVED, data=data))
    assert said(record) == {
        "source": "record",
        "text": "Exact retry possible: the record holds the real arguments.",
        "key_id": None,
        "can_be_opened": True,
    }


def test_sealed_arguments_name_their_key_and_who_has_it(record: Any, event: Any) -> None:
    record.tell(event("t", Kind.RECEIVED, data=HIDDEN, sealed=SEALED))
    assert said(record) == {
        "source": "sealed",
        "text": f"Sealed with key {KEY}, which no online worker has. Append it to the Z4J_SEAL_KEY"
        " of a worker and restart that; if the key is gone, so are the arguments.",
        "key_id": KEY,
        "can_be_opened": False,
    }
    add_worker(record, "w2", "0" * 16)
    assert not said(record)["can_be_opened"]
    add_worker(record, "w3", "0" * 16, KEY)
    one = said(record)
    assert one["can_be_opened"]
    assert one["text"].startswith(f"Exact retry possible: sealed with key {KEY}, which one online")
    add_worker(record, "w4", KEY)
    assert "which 2 online workers have" in said(record)["text"]


@pytest.mark.parametrize(
    ("events", "keys", "words"),
    [
        ([(Kind.PUBLISHED, HIDDEN)], [], "sealed when a worker receives the task"),
        ([(Kind.RECEIVED, HIDDEN)], [], "For the next ones, set Z4J_SEAL_KEY on the workers."),
        ([(Kind.RECEIVED, HIDDEN)], [KEY], "There are workers now that seal"),
        (
            [
                (
                    Kind.RECEIVED,
                    HIDDEN | {"unsealed": "Their message has 80,000 bytes; at most 65,475 …"},
                )
            ],
            [KEY],
            "were not sealed: Their message has 80,000 bytes",
        ),
        ([(Kind.RECEIVED, HIDDEN | {"unsealed": ["no", "text"]})], [KEY], "workers now that seal"),
        ([(Kind.RECEIVED, HIDDEN | {"unsealed": "x" * 9_000})], [KEY], "x" * 300 + " The worker"),
    ],
)
def test_without_a_seal_the_reason_is_said(
    record: Any, event: Any, events: list[Any], keys: list[str], words: str
) -> None:
    record.tell(*(event("t", kind, at, data=data) for at, (kind, data) in enumerate(events)))
    if keys:
        add_worker(record, "w2", *keys)
    found = said(record)
    assert (found["source"], found["key_id"], found["can_be_opened"]) == ("none", None, False)
    assert words in found["text"]
    assert found["text"].endswith("may still remember them; otherwise a retry is refused.")
