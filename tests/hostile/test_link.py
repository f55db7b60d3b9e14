"""A few hundred hostile agents; the same ones every time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hostile.fuzz import generated
from hostile.link import plans, target


@pytest.mark.parametrize("over_socket", [False, True], ids=["memory", "socket"])
def test_no_agent_harms_the_server(record_url: str, tmp_path: Path, over_socket: bool) -> None:
    """No internal error, no defect in the log, and the next good agent is served."""

    async def scenario() -> None:
        async with target(record_url, tmp_path / "home", over_socket=over_socket) as found:
            for plan in generated(plans, 40 if over_socket else 200, None):
                assert await found.play(plan) == [], plan
            assert await found.is_well()
            assert found.messages > 100

    asyncio.run(scenario())
