"""A hundred hostile servers; the same ones every time."""

from __future__ import annotations

import asyncio

from hostile.agent import plans, target
from hostile.fuzz import generated


def test_no_server_harms_the_host() -> None:
    """No exception, no lost thread, and the next good server gets what the host does."""

    async def scenario() -> None:
        async with target() as found:
            for plan in generated(plans, 100, None):
                assert await found.play(plan) == [], plan
            assert await found.is_well()
            assert found.messages > 50

    asyncio.run(scenario())
