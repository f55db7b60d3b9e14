"""The figures of a real server after real events, and that every page about them is true."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from z4j_brain.watch import readiness
from z4j_core.events import Kind
from z4j_core.frames import ActionInfo, EngineInfo

TOKEN = "a-token-for-prometheus"
DOCS = Path(__file__).parents[4] / "docs"
ENGINES = [
    EngineInfo("celery", "5", [ActionInfo("retry", "task", params_schema='{"type":"object"}')])
]


async def fetch(url: str, **headers: str) -> tuple[int, str]:
    def send() -> tuple[int, str]:
        request = urllib.request.Request(url, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return await asyncio.to_thread(send)


async def scrape(served: Any) -> str:
    status, page = await fetch(served.url + "/metrics", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    return page


def read(page: str) -> dict[tuple[str, str], float]:
    """Return each sample by its name and the values of its labels."""
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_the_figures_after_real_events(play: Any, agent: Any, event: Any, record_url: str) -> None:
    async def scenario(served: Any) -> None:
        operator = served.session("operator")
        async with served.reader(operator) as reader, agent(served).connected(ENGINES) as worker:
            await worker.tell(
                event("secret-id", Kind.STARTED), event("bad", data=[1]), event("bad2", data=[1])
            )
            await worker.tell(event("secret-id", Kind.FAILED))
            await reader.until(lambda told: told.get("tasks", [{}])[0].get("state") == "failed")
            body = {"action": "retry", "engine": "celery", "target": {"task_id": "secret-id"}}
            assert (await served.call(operator, "POST", "/commands", body))[0] == 202
            await worker.command()
            # A change is announced just before the writer has done with what brought it.
            while served.brain.writer.oldest_wait_s:  # noqa: ASYNC110 - its thread has no event
                await asyncio.sleep(0.01)
            page = await scrape(served)
        values = read(page)
        stored = {
            "z4j_ingest_events_total": 2,
            "z4j_ingest_rejected_events_total": 2,
            "z4j_ingest_frames_total": 2,
            "z4j_ingest_repeated_frames_total": 0,
            "z4j_ingest_failures_total": 0,
            "z4j_ingest_backlog_entries": 0,
            "z4j_ingest_oldest_wait_seconds": 0,
            "z4j_ingest_failing": 0,
            "z4j_live_readers": 1,
            "z4j_live_projects": 1,
            "z4j_workers_online": 1,
            "z4j_database_pool_size": 10,
        }
        assert {name: values[name, ""] for name in stored} == stored
        transactions = values["z4j_ingest_transactions_total", ""]
        assert 1 <= transactions <= 2
        assert values["z4j_ingest_transaction_seconds_count", ""] == transactions
        assert values["z4j_ingest_transaction_seconds_bucket", "+Inf"] == transactions
        assert values["z4j_ingest_transaction_seconds_sum", ""] > 0
        assert (values["z4j_links", "proven"], values["z4j_links", "greeting"]) == (1, 0)
        commands = {labels: n for (name, labels), n in values.items() if name == "z4j_commands"}
        assert commands == dict.fromkeys(commands, 0) | {"sent": 1}
        assert values["z4j_http_request_seconds_count", "api,2xx"] == 1
        assert [values["z4j_ready", one] for one in ("database", "migrations", "ingest")] == [1] * 3
        assert f'database="{urlsplit(record_url).scheme.partition("+")[0]}"' in page
        assert values["z4j_process_resident_memory_bytes", ""] > 10_000_000
        assert values["z4j_database_connections", "in_use"] >= 1, "the writer holds one"
        # Rules of redaction are named, and one of them is called like the queue.
        others = [line for line in page.splitlines() if "z4j_redactions" not in line]
        for outside in ("secret-id", "app.send", "email", "shop", "w1"):
            assert f'"{outside}' not in "\n".join(others), outside
        assert read(await scrape(served))["z4j_links", "proven"] == 0

    play(scenario, metrics_token=TOKEN)


def test_a_writer_that_fails_or_is_stuck_is_not_ready(
    play: Any, agent: Any, event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def until(served: Any, wanted: str) -> None:
        """Ask until the answer is this problem's detail; nothing for "ready"."""
        async with asyncio.timeout(60):
            while True:
                status, body = await fetch(served.url + "/readyz")
                problem = {"detail": ""} if status == 200 else json.loads(body)
                assert problem.get("type", "/problems/ingest-stuck") == "/problems/ingest-stuck"
                if wanted in problem["detail"] and bool(wanted) == bool(problem["detail"]):
                    return
                await asyncio.sleep(0.05)

    def rename(served: Any, old: str, new: str) -> None:
        with served.brain.database.write() as connection:
            connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

    async def scenario(served: Any) -> None:
        database = served.brain.database
        async with agent(served).connected(ENGINES) as worker:
            await until(served, "")
            await asyncio.to_thread(rename, served, "tasks", "away")
            await worker.tell(event("a"))
            await until(served, "last attempt to store events failed")
            values = read(await scrape(served))
            assert (values["z4j_ready", "ingest"], values["z4j_ready", "database"]) == (0, 1)
            assert values["z4j_ingest_failing", ""] == 1
            assert values["z4j_ingest_failures_total", ""] >= 1
            await asyncio.to_thread(rename, served, "away", "tasks")
            await until(served, "")

            monkeypatch.setattr(readiness, "STUCK_S", 0.2)
            with database.write() as connection:
                if database.is_postgres:
                    connection.execute(text("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE"))
                await worker.tell(event("b"))
                await until(served, "have waited")
                assert read(await scrape(served))["z4j_ingest_oldest_wait_seconds", ""] > 0.2
            await until(served, "")
            assert read(await scrape(served))["z4j_ingest_oldest_wait_seconds", ""] == 0

    play(scenario, metrics_token=TOKEN)


def families(page: str) -> set[str]:
    return set(re.findall(r"^# TYPE (\w+) ", page, re.MULTILINE))


def mentioned(path: Path) -> set[str]:
    """Return the families that the expressions of a file name."""
    found = set(re.findall(r"\bz4j_\w+", path.read_text()))
    return {re.sub(r"_seconds_(bucket|sum|count)$", "_seconds", name) for name in found}


def test_the_pages_name_what_exists(play: Any) -> None:
    pages: list[str] = []

    async def scenario(served: Any) -> None:
        pages.append(await scrape(served))

    play(scenario, metrics_token=TOKEN)
    exist = families(pages[0])
    told = re.findall(r"^\| `(z4j_\w+)`", (DOCS / "monitoring.md").read_text(), re.MULTILINE)
    assert len(told) == len(set(told))
    assert set(told) == exist
    assert all(f"# HELP {name} " in pages[0] for name in exist)
    for name in ("dashboard.json", "alerts.yml"):
        used = mentioned(DOCS / "monitoring" / name)
        assert len(used) > 5, name
        assert used - exist == set(), name


def test_the_grafana_dashboard_is_whole() -> None:
    board = json.loads((DOCS / "monitoring" / "dashboard.json").read_text())
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in panels:
        assert panel["targets"], panel["title"]
        assert all("z4j_" in target["expr"] for target in panel["targets"]), panel["title"]
        assert panel["description"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"


def test_every_alert_says_what_to_do() -> None:
    rules = (DOCS / "monitoring" / "alerts.yml").read_text().split("- alert: ")[1:]
    page = (DOCS / "monitoring.md").read_text()
    for rule in rules:
        name = rule.split()[0]
        for part in ("expr:", "for:", "severity:", "summary:", "description:"):
            assert part in rule, (name, part)
        assert f"`{name}`" in page, name
