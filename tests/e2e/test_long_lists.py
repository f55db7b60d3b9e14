"""More workers and more commands than a page of the API holds: all of them can be seen."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, insert, select

from pages import enter
from server import Client, Server
from z4j_brain.store.schema import agents, commands, workers

WORKERS, COMMANDS = 430, 130


def fill(record_url: str, client: Client) -> None:
    """Write what a busy organisation has."""
    client.mint("fleet")
    engine = create_engine(record_url)
    now = int(time.time() * 1_000_000)
    with engine.begin() as connection:
        agent = connection.execute(select(agents.c.id, agents.c.project_id)).one()
        of_both: dict[str, Any] = {"project_id": agent.project_id}
        connection.execute(
            insert(workers),
            [
                of_both
                | {"id": uuid.uuid4(), "agent_id": agent.id, "worker_id": f"w{number}"}
                | {"epoch": str(number), "host": f"host-{number % 7}", "pid": number}
                | {"engines": [], "plugin_errors": [], "online": False}
                | {"first_seen": now, "last_seen": now - number}
                for number in range(WORKERS)
            ],
        )
        connection.execute(
            insert(commands),
            [
                of_both
                | {"id": uuid.uuid4(), "engine": "celery", "action": "purge", "queue": f"q{number}"}
                | {"params": "{}", "params_exact": True, "state": "expired", "created_at": now}
                | {"deadline": now, "ended_at": now}
                for number in range(COMMANDS)
            ],
        )
    engine.dispose()


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_lists_go_on_after_their_first_page(
    page: Page, server: Server, client: Client, record_url: str
) -> None:
    fill(record_url, client)
    enter(page, client)
    page.goto(f"{server.url}/p/shop/workers")
    rows = page.get_by_role("table", name="Workers").get_by_role("row")
    expect(page.get_by_text(f"{WORKERS} processes are gone")).to_be_visible()
    expect(rows.filter(has_text="w429")).to_be_visible()

    page.goto(f"{server.url}/p/shop/commands")
    rows = page.get_by_role("table", name="Commands").get_by_role("row")
    expect(rows).to_have_count(100 + 1)
    page.get_by_role("button", name="Load more").click()
    expect(rows).to_have_count(COMMANDS + 1)
    expect(page.get_by_role("button", name="Load more")).to_have_count(0)
