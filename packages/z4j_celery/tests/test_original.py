"""What is sealed of a task: the message with everything that a retry needs, for a long time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_celery.memory import Message
from z4j_celery.original import pack, unpack

SHORT = st.text(max_size=30)
LIMIT = st.none() | st.floats(0, 1e6) | st.integers(0, 3600)
MESSAGES = st.builds(
    Message,
    name=SHORT,
    queue=st.none() | SHORT,
    body=st.binary() | st.text(),
    content_type=SHORT,
    content_encoding=st.none() | SHORT,
    priority=st.none() | st.integers(0, 255),
    parent_id=st.none() | SHORT,
    root_id=st.none() | SHORT,
    time_limits=st.tuples(LIMIT, LIMIT),
)


@given(message=MESSAGES)
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    assert unpack(pack(message)) == message


@given(data=st.binary(max_size=100))
def test_bytes_of_another_version_are_refused_without_a_quote(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^it is no message of this version: \w+$"):
        unpack(data)


def test_what_was_sealed_long_ago_still_opens() -> None:
    sealed = bytes.fromhex(
        "9aab73686f702e636861726765a473686f70c40b5b5b315d2c7b7d2c7b7d5dc2b06170706c696361"
        "74696f6e2f6a736f6ea57574662d3805c0a4726f6f7492c0cb4014000000000000"
    )
    assert unpack(sealed) == Message(
        name="shop.charge",
        queue="shop",
        body=b"[[1],{},{}]",
        content_type="application/json",
        content_encoding="utf-8",
        priority=5,
        root_id="root",
        time_limits=(None, 5.0),
    )
