"""Work in the host's event loop: what it raises, and how long is waited for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from z4j_agent import host_loop
from z4j_agent.host_loop import call_in
from z4j_core.capability import ActionError


@pytest.fixture
def events() -> Iterator[asyncio.AbstractEventLoop]:
    events = asyncio.new_event_loop()
    thread = threading.Thread(target=events.run_forever)
    thread.start()
    yield events
    asyncio.run_coroutine_threadsafe(others_end(), events).result(60)
    events.call_soon_threadsafe(events.stop)
    thread.join(60)
    events.close()


async def others_end() -> None:
    """Wait for what was given up but has begun, as a loop that is stopped would destroy it."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)


async def answer() -> int:
    return 42


async def fail() -> None:
    raise OSError("no route to Redis")


def test_its_answer_is_returned(events: asyncio.AbstractEventLoop) -> None:
    assert call_in(events, answer(), "The worker") == 42


def test_what_it_raises_is_a_reason(events: asyncio.AbstractEventLoop) -> None:
    with pytest.raises(ActionError, match=r"The worker did not .*OSError: no route to Redis"):
        call_in(events, fail(), "The worker")


def test_a_loop_that_is_blocked_is_not_waited_for(
    events: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_loop, "TIMEOUT_S", 0.05)
    released = threading.Event()
    events.call_soon_threadsafe(released.wait)
    try:
        with pytest.raises(ActionError, match="event loop is not blocked"):
            call_in(events, answer(), "The worker")
    finally:
        released.set()


def test_a_loop_that_has_ended_is_said() -> None:
    events = asyncio.new_event_loop()
    events.close()
    with pytest.raises(ActionError, match="The worker has ended"):
        call_in(events, answer(), "The worker")
