"""Hostile messages of a link, as hypothesis strategies: well-formed frames with parts replaced,
and encoded ones that are cut, turned or blown up.
"""

from __future__ import annotations

import base64
import copy
import json
from typing import Any, Literal

import msgspec
from hypothesis import strategies as st

from z4j_core.codec import JSON, Codec
from z4j_core.frames import MAX_FRAME_BYTES, NONCE_BYTES

NOON = 1_700_000_000_000_000
SEQ = "\x00the next number\x00"
"""Stands for the number that the peer expects next."""
BROKER = "0123456789abcdef"
_EVENT = ["started", "celery", "t1", 0, NOON, "app.send", "email", b'{"args":[1]}']
_ACTION = {"name": "retry", "target": "task", "params_schema": '{"type":"object"}'}
_ENGINE = {"name": "celery", "version": "5", "actions": [_ACTION]}
_SCHEDULER = {"name": "beat", "engine": "celery", "store": BROKER, "actions": [_ACTION]}
_SCHEDULE = {"id": "s1", "name": "s1", "timing": "daily", "owner": "code", "arguments": b"{}"}

HELLO: list[Any] = [
    "hello",
    [1],
    b"n" * NONCE_BYTES,
    "w1",
    "e1",
    "0.1",
    "host",
    42,
    "worker",
    None,
    "3.11",
    [_ENGINE],
    ["a plugin fails"],
    NOON,
    NOON,
    False,
    [_SCHEDULER],
]
FROM_AGENT: tuple[list[Any], ...] = (
    ["events", SEQ, [_EVENT, [*_EVENT[:2], "t2", *_EVENT[3:]]]],
    ["events", SEQ, [["failed", *_EVENT[1:7], b'{"exception":{"type":"E","message":"m"}}']]],
    ["result", SEQ, "c1", True, b'{"task_id":"t1"}', None, NOON],
    ["result", SEQ, "c1", False, b"null", "it failed", NOON],
    ["gap", SEQ, 3, {"started": 3}, NOON, NOON + 1, "the outbox was full"],
    ["heartbeat", NOON, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    ["queues", [["celery", {"id": BROKER, "transport": "redis", "queues": ["email"]}]]],
    ["queues", [{"engine": "celery", "broker": {"id": BROKER, "queues": ["email"]}}]],
    ["depths", [{"engine": "celery", "broker": BROKER, "queue": "email", "waiting": 3}]],
    ["schedules", "beat", BROKER, [_SCHEDULE, {**_SCHEDULE, "values": b"[1]"}], 2, None],
    ["schedules", "beat", BROKER, [], 0, "OSError: the database is away"],
    ["error", "unknown_frame", "what is that"],
    ["goodbye", "shutdown", "the process ends", 0.0],
    ["of_a_newer_agent", 1, 2, 3],
    HELLO,
)
WELCOME: list[Any] = [
    "welcome",
    1,
    b"n" * NONCE_BYTES,
    0,
    MAX_FRAME_BYTES,
    200,
    32,
    30,
    "shop",
    "0.1",
    NOON,
]
FROM_BRAIN: tuple[list[Any], ...] = (
    ["ack", 0],
    ["command", "c1", "lamp", "retry", b"{}", {"task_id": "t1"}, None, 0],
    ["command", "c2", "other", "retry", b"{}", None, None, 0],
    ["command", "c3", "lamp", "purge", b'{"a":1}', None, "email", NOON],
    ["heartbeat", NOON],
    ["command", "c4", "lamp", "pause", b"{}", None, None, 0, "s1"],
    ["watch_schedules", 0.1, [{"scheduler": "beat", "store": BROKER}]],
    ["watch", 0.1, [{"engine": "lamp", "broker": BROKER, "queues": ["email"]}]],
    ["error", "unknown_frame", "what is that"],
    ["goodbye", "shutdown", "the server restarts", 0.01],
    ["of_a_newer_server", 1, 2, 3],
    WELCOME,
)


def _deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


integers = st.sampled_from(
    (
        0,
        -1,
        1,
        7,
        2**31,
        2**52,
        2**53,
        2**62,
        2**63 - 1,
        2**63,
        2**64 - 1,
        -(2**63),
        10**30,
        10**400,
    )
)
texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        (
            "",
            "\0",
            "a\0b",
            "x" * 256,
            "x" * 5_000,
            "\u202e\u0000",
            "\ud800",
            "a\n2026 INFO z4j: b",
            "\nTraceback (most recent call last):\n",
            "__class__",
            "{}",
            "\U0001f600" * 64,
            "celery\n",
        ),
    ),
)
payloads = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        (
            b"",
            b"{",
            b"[" * 2_000,
            b'"\xff"',
            b'{"a":"\\ud800"}',
            b'{"a":"\\u0000"}',
            b"1e999",
            b"NaN",
            b'{"args":' + b"9" * 4_000 + b"}",
            b'{"a":' * 900 + b"1" + b"}" * 900,
            b'{"a":1,"a":2}',
            b'{"exception":{"type":"\\u0000","message":"\\u0000"},"traceback":"\\u0000"}',
            b'{"exception":{"type":5}}',
            b'{"published_at":-1,"eta":1e300}',
            b'"' + b"x" * 70_000 + b'"',
        ),
    ),
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), integers, st.floats(), texts, payloads),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(texts, inner, max_size=3),
        st.integers(2, 3_000).map(_deep),
        st.integers(200, 1_500).map(lambda count: [0] * count),
    ),
    max_leaves=6,
)


@st.composite
def frames(draw: Any, good: tuple[list[Any], ...]) -> list[Any]:
    """A frame of which up to three parts are replaced, left out or added."""
    frame = copy.deepcopy(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(0, 3))):
        _spoil(draw, frame)
    return frame


def _spoil(draw: Any, frame: list[Any]) -> None:
    place: Any = frame
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = draw(st.sampled_from(keys))
        inner = place[key]
        if isinstance(inner, (list, dict)) and inner and draw(st.booleans()):
            place = inner
            continue
        what = draw(st.sampled_from(("replace", "replace", "replace", "remove", "append")))
        if what == "replace":
            place[key] = draw(values)
        elif what == "remove":
            del place[key]
        elif isinstance(place, list):
            place.append(draw(values))
        return


class Step(msgspec.Struct, frozen=True):
    """One message, and how it leaves: signed in its turn, as it is, as text, or said before."""

    how: Literal["signed", "raw", "text", "again", "reflected"]
    frame: Any = None
    content: bytes = b""
    damage: str = ""
    at: int = 0


_damages = st.sampled_from(
    ("", "", "", "", "cut", "flip", "tail", "utf8", "bomb", "array32", "double")
)


def steps(good: tuple[list[Any], ...]) -> st.SearchStrategy[Step]:
    """One hostile message of a side whose good frames these are."""
    signed = st.builds(
        Step,
        how=st.just("signed"),
        frame=frames(good),
        damage=_damages,
        at=st.integers(0, 200),
    )
    return st.one_of(
        signed,
        signed,
        signed,
        st.builds(Step, how=st.just("signed"), content=payloads),
        st.builds(Step, how=st.just("raw"), content=payloads),
        st.builds(Step, how=st.just("text"), content=st.just(b"hello")),
        st.builds(Step, how=st.just("again"), at=st.integers(0, 5)),
        st.builds(Step, how=st.just("reflected")),
    )


def encoded(step: Step, codec: Codec, seq: int, nonce: bytes) -> bytes:
    """Return the bytes of a step's frame, damaged as it says."""
    if step.frame is None:
        return step.content
    frame = [_filled(part, seq, nonce) for part in step.frame]
    content = _as_json(frame) if codec is JSON else _as_msgpack(frame)
    return _damaged(content, step)[: MAX_FRAME_BYTES + 1_000]


def _filled(value: Any, seq: int, nonce: bytes) -> Any:
    if value == SEQ:
        return seq
    if value == b"n" * NONCE_BYTES:
        return nonce
    return value


def _as_msgpack(frame: Any) -> bytes:
    try:
        return msgspec.msgpack.encode(_narrow(frame))
    except (UnicodeError, RecursionError, OverflowError):
        return b"\x92\xa6events" + b"\x91" * 3_000


def _narrow(value: Any, depth: int = 0) -> Any:
    """MessagePack has no larger numbers; a lone surrogate becomes bytes that are no UTF-8."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return min(max(value, -(2**63)), 2**64 - 1)
    if depth > 50:
        return value
    if isinstance(value, list):
        return [_narrow(one, depth + 1) for one in value]
    if isinstance(value, dict):
        return {
            str(key).replace("\ud800", "?"): _narrow(one, depth + 1) for key, one in value.items()
        }
    if isinstance(value, str) and "\ud800" in value:
        return msgspec.Raw(b"\xa3\xed\xa0\x80")
    return value


def _as_json(frame: Any) -> bytes:
    def told(value: object) -> str:
        return base64.b64encode(value).decode() if isinstance(value, bytes) else "?"

    try:
        return json.dumps(frame, default=told).encode()
    except (RecursionError, ValueError):
        return b'["events",1,' + b"[" * 5_000


def _damaged(content: bytes, step: Step) -> bytes:
    at = step.at % (len(content) or 1)
    match step.damage:
        case "cut":
            return content[:at]
        case "flip":
            return content[:at] + bytes([content[at] ^ (1 << step.at % 8)]) + content[at + 1 :]
        case "tail":
            return content + b"\xc1" * (step.at + 1)
        case "utf8":
            return content[:at] + b"\xff\xfe" + content[at:]
        case "bomb":
            return content + b" " * (MAX_FRAME_BYTES - len(content) + step.at - 100)
        case "array32":
            return b"\xdd\xff\xff\xff\xff" + content
        case "double":
            return content + content
    return content
