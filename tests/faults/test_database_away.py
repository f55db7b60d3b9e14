"""PostgreSQL is away for seconds here; `python -m tests.faults.away` does it for two minutes."""

from __future__ import annotations

import pytest

from faults.arena import Arena
from faults.away import OUTAGE, stop_for
from faults.databases import Template

only_postgresql = pytest.mark.parametrize("template", ["postgresql"], indirect=True)


@only_postgresql
def test_agents_hold_and_the_server_says_why(template: Template, arena: Arena) -> None:
    said = stop_for(arena, 6)
    assert {status for status, _ in said} == {503}
    assert any("database-unavailable" in text for _, text in said)
    arena.server.wait_until_ready()
    arena.drain()
    verdict = arena.judge(OUTAGE)
    assert verdict.troubles == []
    assert verdict.declared == 0
    assert verdict.events == len(arena.truth.accepted) > 1_000
