"""Whatever is cut, delayed or repeated: exactly the sent sequence is delivered, none twice."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from z4j_core import frames
from z4j_core.codec import JSON
from z4j_core.events import Kind, WireEvent
from z4j_core.link import LinkError
from z4j_core.testing import MemoryAgent, MemoryBrain, connect
from z4j_core.testing.wire import exchange


def event(number: int) -> WireEvent:
    return WireEvent(Kind.STARTED, "memory", f"t{number}", 0, number, None, None, b"{}")


class Delivery(RuleBasedStateMachine):
    """An agent and a brain on a wire that fails at any message."""

    def __init__(self) -> None:
        super().__init__()
        self.agent = MemoryAgent()
        self.brain = MemoryBrain()
        self.sent = 0
        self.now = 1

    @rule(count=st.integers(1, 5))
    def capture(self, count: int) -> None:
        numbers = range(self.sent, self.sent + count)
        self.agent.send_events(*[event(number) for number in numbers])
        self.sent += count

    @rule()
    def reconnect(self) -> None:
        self.now += 1
        connect(self.agent, self.brain, self.now)

    @rule(limit=st.integers(0, 3))
    def reconnect_and_cut(self, limit: int) -> None:
        self.brain.restart()
        self.agent.connect(self.now)
        exchange(self.agent, self.brain, self.now, limit)
        self.agent.connect(self.now)
        self.brain.restart()

    @rule(limit=st.integers(0, 6))
    def carry_some(self, limit: int) -> None:
        exchange(self.agent, self.brain, self.now, limit)

    @rule()
    def commit(self) -> None:
        self.brain.commit(self.now)

    @rule()
    def kill_the_brain(self) -> None:
        self.brain.restart()
        self.agent.connect(self.now)

    @invariant()
    def what_is_stored_is_a_prefix(self) -> None:
        stored = [stored.task_id for stored in self.brain.events]
        assert stored == [f"t{number}" for number in range(len(stored))]

    def teardown(self) -> None:
        connect(self.agent, self.brain, self.now)
        for _ in range(self.sent + 1):
            exchange(self.agent, self.brain, self.now)
            self.brain.commit(self.now)
        exchange(self.agent, self.brain, self.now)
        assert len(self.brain.events) == self.sent
        assert self.agent.sender.kept == 0
        assert self.agent.sender.kept_bytes == 0


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


def test_a_repeated_frame_is_taken_once() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain)
    agent.send_events(event(1))
    exchange(agent, brain, 1)
    brain.commit(1)  # committed, but the acknowledgement is lost with the link
    connect(agent, brain)
    exchange(agent, brain, 1)
    brain.commit(1)
    assert [stored.task_id for stored in brain.events] == ["t1"]
    assert agent.sender.kept == 0


def test_only_a_window_of_frames_is_in_flight() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    for number in range(frames.WINDOW * 2):
        agent.send_events(event(number))
    connect(agent, brain)
    assert agent.sender.in_flight == frames.WINDOW
    brain.commit(1)
    exchange(agent, brain, 1)
    brain.commit(1)
    assert len(brain.events) == frames.WINDOW * 2


def test_the_json_form_carries_the_same() -> None:
    agent, brain = MemoryAgent(JSON), MemoryBrain(JSON)
    connect(agent, brain)
    agent.send_events(event(1), event(2))
    exchange(agent, brain, 1)
    brain.commit(1)
    assert brain.events == [event(1), event(2)]


def test_an_acknowledgement_of_the_future_ends_the_link() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain)
    brain.link.send(frames.Ack(5), 1)
    with pytest.raises(LinkError, match="never sent"):
        exchange(agent, brain, 1)


def test_a_skipped_number_ends_the_link() -> None:
    agent, brain = MemoryAgent(), MemoryBrain()
    connect(agent, brain)
    agent.send_events(event(1))
    agent.send_events(event(2))
    agent.sender.take_due(1)
    with pytest.raises(LinkError, match="skipped"):
        exchange(agent, brain, 1)
