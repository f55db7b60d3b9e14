"""Keys and envelopes of sealed payloads, and what of an event is sealed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_core import seal
from z4j_core.codec import MSGPACK
from z4j_core.events import MAX_PAYLOAD, Kind, TaskEvent, WireEvent
from z4j_core.redaction import Redactor
from z4j_core.to_wire import to_wire, without_seal

VECTORS = json.loads((Path(__file__).parent / "vectors" / "seal-v1.json").read_text())
KEY, OTHER = seal.SealKey(bytes(range(32))), seal.SealKey(bytes(range(1, 33)))
SECRET = {"args": [], "kwargs": {"password": "hunter2-original"}}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["task_id"])
def test_the_published_vectors_without_their_cipher(vector: dict[str, str]) -> None:
    [key] = seal.parse_seal_keys(vector["key"])
    envelope = seal.unpack(bytes.fromhex(vector["envelope"]))
    assert key.text() == vector["key"]
    assert key.id.hex() == envelope.key_id.hex() == vector["key_id"]
    tag = seal.project_tag(bytes.fromhex(vector["project_seal_key"]))
    assert tag.hex() == envelope.project_tag.hex() == vector["project_tag"]
    assert seal.message_key(key.secret, envelope.salt).hex() == vector["message_key"]
    bound = seal.associated_data(envelope, vector["engine"], vector["task_id"])
    assert bound.hex() == vector["associated_data"]
    assert envelope.pack().hex() == vector["envelope"]
    size = len(bytes.fromhex(vector["original"])) + seal.OVERHEAD
    assert len(bytes.fromhex(vector["envelope"])) == size


def test_several_keys_are_read_in_their_order_and_once_each() -> None:
    text = f" {KEY.text()},{OTHER.text()} , {KEY.text()}"
    assert seal.parse_seal_keys(text) == (KEY, OTHER)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (KEY.text()[:-1], "cut or too long"),
        (KEY.text() + "A", "cut or too long"),
        (KEY.text() + "é", "cut or too long"),
        (KEY.text()[:20] + "x" + KEY.text()[21:], "typing error"),
        (bytes(range(32)).hex(), "must begin with 'z4j_seal_'"),
        (f"{KEY.text()},", "Key 2 of Z4J_SEAL_KEY is empty"),
        (f"{KEY.text()};{OTHER.text()}", "cut or too long"),
        (",".join([KEY.text()] * 9), "more than 8 keys"),
    ],
)
def test_a_key_that_cannot_be_used_is_explained_and_not_quoted(text: str, hint: str) -> None:
    with pytest.raises(seal.SealKeyError) as refused:
        seal.parse_seal_keys(text)
    assert hint in str(refused.value)
    assert KEY.text()[9:19] not in str(refused.value)
    assert KEY.secret.hex() not in str(refused.value)


def test_a_key_is_shown_by_its_id_and_redacted_everywhere() -> None:
    assert repr(KEY) == f"SealKey(id={KEY.id.hex()})"
    assert KEY.text()[9:] not in Redactor().text(f"a log line with {KEY.text()}")


@given(data=st.binary(max_size=200))
def test_bytes_of_strangers_are_refused_and_never_raise_anything_else(data: bytes) -> None:
    try:
        envelope = seal.unpack(data)
    except seal.EnvelopeError:
        assert len(data) < seal.OVERHEAD or data[0] != seal.VERSION
    else:
        assert envelope.pack() == data


def test_the_greatest_envelope_and_one_byte_more() -> None:
    whole = bytes([seal.VERSION]) + bytes(seal.MAX_SEALED - 1)
    assert seal.unpack(whole).pack() == whole
    with pytest.raises(seal.EnvelopeError, match="61 to 65536 bytes"):
        seal.unpack(whole + b"\0")


PLACE = st.tuples(st.text(max_size=20), st.text(max_size=20))


@given(one=PLACE, other=PLACE)
def test_no_two_tasks_are_bound_alike(one: tuple[str, str], other: tuple[str, str]) -> None:
    head = seal.Envelope(KEY.id, bytes(8), bytes(16), bytes(12), b"")
    bound = [seal.associated_data(head, *place) for place in (one, other)]
    assert (bound[0] == bound[1]) == (one == other)


class Fake:
    """Seals by putting the place before the text, and remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    def __call__(self, engine: str, task_id: str, original: bytes) -> bytes:
        self.given.append(original)
        return f"{engine}/{task_id}/".encode() + original


def event(data: dict[str, Any], task_id: str = "t", **more: Any) -> TaskEvent:
    return TaskEvent(
        kind=Kind.RECEIVED, engine="e", task_id=task_id, occurred_at=1, data=data | more
    )


def sent(wire: WireEvent) -> dict[str, Any]:
    """Return the payload as the server decodes it, after all limits."""
    raw = msgspec.Raw(msgspec.msgpack.encode([wire]))
    [decoded], bad = MSGPACK.decode_events(raw)
    assert (decoded, bad) == (wire, [])
    return msgspec.json.decode(decoded.payload, type=dict[str, Any])


def test_what_the_previews_do_not_tell_is_sealed() -> None:
    fake = Fake()
    wire = to_wire(event(SECRET, original=lambda: b"the message"), Redactor(), fake)
    assert wire.sealed == b"e/t/the message"
    assert sent(wire) == {"args": [], "kwargs": {"password": "[redacted]"}, "exact": False}


def never() -> bytes:
    raise AssertionError("nobody needs it")


@pytest.mark.parametrize("seals", [Fake(), None])
def test_exact_previews_need_no_seal_and_the_original_never_travels(seals: Fake | None) -> None:
    for data in ({"args": [1], "kwargs": {}}, {"result": 5}, {}):
        wire = to_wire(event(data, original=never), Redactor(), seals)
        assert wire.sealed is None
        assert "original" not in sent(wire)
    wire = to_wire(event(SECRET, original=never), Redactor(), None)
    assert (wire.sealed, set(sent(wire))) == (None, {"args", "kwargs", "exact"})


@pytest.mark.parametrize(
    ("original", "said"),
    [
        (lambda: None, "could not tell the real arguments"),
        (lambda: bytes(seal.MAX_ORIGINAL + 1), "65,476 bytes; at most 65,475 are sealed"),
        (never, "Sealing failed (AssertionError)."),
        (lambda: 5, "Sealing failed (TypeError)."),
        ("no function", "Sealing failed (TypeError)."),
    ],
)
def test_what_cannot_be_sealed_is_said(original: Callable[[], Any], said: str) -> None:
    wire = to_wire(event(SECRET, original=original), Redactor(), Fake())
    assert wire.sealed is None
    assert said in sent(wire)["unsealed"]


def test_a_cut_task_id_is_bound_as_it_travels() -> None:
    wire = to_wire(event(SECRET, "x" * 400, original=lambda: b"m"), Redactor(), Fake())
    assert wire.sealed == f"e/{wire.task_id}/m".encode()


def test_arguments_lost_to_the_bound_are_sealed() -> None:
    lines = ["\x01" * 4_000] * 60
    data = {"result": lines, "kwargs": {"a": lines}, "args": [1], "note": "\x01" * 30_000}
    wire = to_wire(event(data, original=lambda: b"m"), Redactor(), Fake())
    assert len(wire.payload) <= MAX_PAYLOAD
    assert wire.sealed == b"e/t/m"


def test_an_event_can_lose_its_seal_and_say_why() -> None:
    wire = to_wire(event(SECRET, original=lambda: b"m"), Redactor(), Fake())
    bare = without_seal(wire, "Too much.")
    assert bare.sealed is None
    assert sent(bare) == sent(wire) | {"unsealed": "Too much."}


def test_an_event_of_an_older_agent_has_no_seal() -> None:
    fields = msgspec.structs.astuple(to_wire(event(SECRET), Redactor()))
    [old], _ = MSGPACK.decode_events(msgspec.Raw(msgspec.msgpack.encode([fields[:-1]])))
    assert old.sealed is None
