"""The greeting: who is let in, and what each side may send when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_core import frames
from z4j_core.codec import MSGPACK
from z4j_core.link import SILENCE_S, CloseReason, Link, LinkError, LinkMisuse, Sender, State
from z4j_core.signing import Direction, Signer, hello_key
from z4j_core.testing import MemoryAgent, MemoryBrain, connect
from z4j_core.testing.wire import SIGNING_KEY, exchange


def test_both_sides_are_open_and_the_agent_is_proven() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain)
    assert agent.link.state is State.OPEN
    assert brain.link.state is State.OPEN
    assert brain.link.is_proven


def test_a_wrong_key_is_refused_before_anything_is_read() -> None:
    agent, brain = MemoryAgent(signing_key=bytes(32)), MemoryBrain()
    agent.connect(1)
    with pytest.raises(LinkError, match="bad_signature"):
        exchange(agent, brain, 1)
    assert brain.hello is None


def test_a_replayed_hello_does_not_prove_the_link() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    agent.connect(1)
    [hello] = agent.link.take_outgoing()
    brain.receive(hello, 1)
    assert not brain.link.is_proven
    with pytest.raises(LinkError, match="bad_signature"):
        brain.receive(hello, 1)


def test_messages_of_one_link_are_worthless_on_another() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain)
    agent.link.send(frames.Heartbeat(1), 1)
    [recorded] = agent.link.take_outgoing()
    connect(agent, brain)
    with pytest.raises(LinkError, match="bad_signature"):
        brain.receive(recorded, 1)


def test_a_message_sent_back_to_its_sender_is_refused() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain)
    brain.link.send(frames.Ack(0), 1)
    [message] = brain.link.take_outgoing()
    with pytest.raises(LinkError, match="bad_signature"):
        brain.receive(message, 1)


@given(st.binary(max_size=300))
def test_garbage_is_refused(message: bytes) -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain)
    with pytest.raises(LinkError, match="bad_signature"):
        brain.receive(message, 1)


@given(st.binary(max_size=300))
def test_garbage_under_a_good_signature_is_refused_or_unknown(payload: bytes) -> None:
    link = Link.for_brain(SIGNING_KEY, bytes(16))
    signer = Signer(hello_key(SIGNING_KEY), Direction.TO_BRAIN)
    with pytest.raises(LinkError, match=r"bad_frame|bad_signature|wrong_state|wrong_direction"):
        link.receive(signer.sign(payload), 1)


def test_an_oversized_message_is_refused() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain)
    with pytest.raises(LinkError, match="too_large"):
        brain.receive(bytes(frames.MAX_FRAME_BYTES + 33), 1)


def test_an_unknown_tag_is_passed_on_and_the_link_goes_on() -> None:
    class Invented(frames.Frame, frozen=True, tag="invented"):
        value: int

    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain)
    agent.link._write(Invented(1), 1)  # type: ignore[arg-type]
    [message] = agent.link.take_outgoing()
    assert brain.link.receive(message, 1) == [frames.UnknownFrame("invented")]
    assert brain.link.state is State.OPEN


def test_a_frame_against_the_direction_ends_the_link() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain)
    agent.link._write(frames.Ack(0), 1)
    [message] = agent.link.take_outgoing()
    with pytest.raises(LinkError, match="wrong_direction"):
        brain.receive(message, 1)


def test_an_agent_of_another_protocol_is_told_to_upgrade() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    agent.link.start(frames.Hello([99], agent.link.nonce, "w", "e"), 1)
    with pytest.raises(LinkError, match="upgrade"):
        exchange(agent, brain, 1)


def test_a_goodbye_closes_with_its_reason() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain)
    reason = CloseReason("shutdown", "The server restarts.", 3.5)
    brain.link.close(reason, 1)
    exchange(agent, brain, 1)
    assert agent.link.state is State.CLOSED
    assert agent.closed == reason
    assert brain.link.close_reason == reason


def test_silence_ends_a_link_and_quiet_asks_for_a_heartbeat() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain, now=1)
    assert not agent.link.tick(2)
    assert agent.link.tick(31_000_000)
    with pytest.raises(LinkError, match="silence"):
        agent.link.tick((SILENCE_S + 1) * 1_000_000 + 1)


def test_misuse_by_our_own_caller_is_a_different_error() -> None:
    link = Link.for_agent(SIGNING_KEY, bytes(16), Sender(MSGPACK.encode))
    with pytest.raises(LinkMisuse):
        link.send(frames.Heartbeat(1), 1)
    with pytest.raises(LinkMisuse):
        link.start(frames.Hello([1], bytes([1]) * 16, "w", "e"), 1)
