from __future__ import annotations

import asyncio


async def answer() -> int:
    return 42


def test_event_loops_can_run_after_a_module_with_a_browser() -> None:
    # Runs after test_chromium.py, whose browser would otherwise hold this thread's loop.
    assert asyncio.run(answer()) == 42
