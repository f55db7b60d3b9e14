"""The published vectors stay what they are: other languages are built against them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import msgspec
import pytest

from z4j_core.codec import JSON, MSGPACK
from z4j_core.credential import parse_bearer, parse_token

HERE = Path(__file__).parent
PUBLISHED = json.loads((HERE / "link-v1.json").read_text())


def test_nothing_published_has_changed() -> None:
    spec = importlib.util.spec_from_file_location("make", HERE / "make.py")
    assert spec is not None
    assert spec.loader is not None
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    assert make.vectors() == PUBLISHED


@pytest.mark.parametrize("name", PUBLISHED["frames"])
def test_both_encodings_decode_to_the_same_frame(name: str) -> None:
    vector = PUBLISHED["frames"][name]
    packed = MSGPACK.decode(bytes.fromhex(vector["msgpack"]))
    text = JSON.decode(vector["json"].encode())
    if name == "events":
        packed, text = MSGPACK.decode_events(packed.events), JSON.decode_events(text.events)  # type: ignore[union-attr]
    assert packed == text


def test_a_newer_peer_may_append_fields() -> None:
    vector = json.loads(PUBLISHED["frames"]["ack"]["json"])
    assert JSON.decode(msgspec.json.encode([*vector, "new"])) == JSON.decode(
        msgspec.json.encode(vector)
    )


def test_the_token_parses() -> None:
    token = PUBLISHED["token"]
    assert str(parse_token(token["token"]).agent_id) == token["agent_id"]
    assert str(parse_bearer(token["bearer"])[0]) == token["agent_id"]


@pytest.mark.parametrize(
    ("name", "appended"), [("hello", "schedulers"), ("command", "schedule"), ("heartbeat", "echo")]
)
def test_an_older_peer_leaves_fields_out(name: str, appended: str) -> None:
    frame = JSON.decode(PUBLISHED["frames"][name]["json"].encode())
    fields = frame.__struct_fields__
    parts = json.loads(PUBLISHED["frames"][name]["json"])[: 1 + fields.index(appended)]
    assert JSON.decode(msgspec.json.encode(parts)) == frame
