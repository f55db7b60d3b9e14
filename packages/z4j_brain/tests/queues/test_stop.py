"""The care of queues ends when it is told to, whatever happens at that very moment."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from queue_yard import Links, Yard


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("steps", range(8))
def test_work_that_comes_with_the_stop_does_not_outlast_it(yard: Yard, steps: int) -> None:
    async def work_and_stop() -> None:
        sampling = yard.sampling(Links())
        await sampling.start()
        await asyncio.sleep(0.01)
        sampling.link_ended(uuid.uuid4())
        for _ in range(steps):
            await asyncio.sleep(0)
        # Not `asyncio.timeout`: its cancellation would help the one that was forgotten.
        _, unfinished = await asyncio.wait({asyncio.ensure_future(sampling.stop())}, timeout=3)
        assert not unfinished

    asyncio.run(work_and_stop())
