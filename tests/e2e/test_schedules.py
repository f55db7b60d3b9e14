"""Schedules of a real scheduler: seen, changed elsewhere, paused, run and edited from a browser."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pages import enter
from record import every_text
from server import ASK_EVERY_S, Client, Server

MARKUP = "<img src=x onerror='window.hacked=1'><script>window.hacked=2</script>"
SECRET = "planted-schedule-secret-17"
PROGRAM = f"""
import sys
from lantern.timetable import Entry, timetable
def sweep(**colours): return len(colours)
timetable.jobs["sweep"] = sweep
timetable.entries["hourly"] = Entry("sweep", 3600, colour="blue")
timetable.entries["nightly"] = Entry("sweep", 86400, password="{SECRET}")
import z4j_agent
z4j_agent.start("worker", "lighthouse")
timetable.start()
for line in sys.stdin:
    exec(line)
z4j_agent.stop()
"""


class Lighthouse:
    """A process whose timetable changes as it is told, line by line."""

    def __init__(self, folder: Path, server: Server, token: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env={
                **os.environ,
                "Z4J_URL": server.url,
                "Z4J_TOKEN": token,
                "Z4J_SPOOL_DIR": str(folder / "spool"),
            },
            stdin=subprocess.PIPE,
            text=True,
        )

    def do(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)


@pytest.fixture
def lighthouse(tmp_path: Path, server: Server, client: Client) -> Iterator[Lighthouse]:
    lighthouse = Lighthouse(tmp_path, server, client.mint("lantern"))
    yield lighthouse
    lighthouse.stop()


def schedules(client: Client, fits: Callable[[dict[str, Any]], bool], state: str = "") -> Any:
    """Wait until the schedules, by name, are as they should be."""
    deadline = time.monotonic() + 120
    found: dict[str, Any] = {}
    while time.monotonic() < deadline:
        found = {one["name"]: one for one in client.project("/schedules", state=state)["items"]}
        if fits(found):
            return found
        time.sleep(ASK_EVERY_S)
    raise AssertionError(f"the schedules are not as they should be: {found}")


def command(client: Client, action: str, target: dict[str, str], **params: Any) -> Any:
    """Ask a scheduler for something and wait for the end."""
    made = client.command(action, "lantern-timetable", target=target, params=params)
    made = client.finished_command(made["id"])
    assert made["state"] == "succeeded", made
    return made


def test_a_scheduler_is_seen_and_obeys(
    lighthouse: Lighthouse, client: Client, server: Server, record_url: str
) -> None:
    found = schedules(client, lambda found: len(found) == 2)
    hourly = found["hourly"]
    assert (hourly["owner"], hourly["timing"], hourly["enabled"]) == ("code", "every 3600 s", True)
    assert hourly["next_run_at"] is not None
    [store] = client.project("/schedulers")["items"]
    assert (store["reader"], store["unread"]) == ("lighthouse", False)
    target = {"store": store["store"], "schedule": "hourly"}

    lighthouse.do("timetable.entries['elsewhere'] = Entry('sweep', 60)")
    schedules(client, lambda found: "elsewhere" in found)

    made = command(client, "run_now", target)
    task = made["result"]["task_id"]
    detail = client.project(f"/schedules/{hourly['id']}")
    deadline = time.monotonic() + 60
    while task not in [run["task_id"] for run in detail["runs"]]:
        assert time.monotonic() < deadline
        time.sleep(ASK_EVERY_S)
        detail = client.project(f"/schedules/{hourly['id']}")

    command(client, "pause", target)
    schedules(client, lambda found: not found["hourly"]["enabled"])
    command(client, "resume", target)
    command(client, "update", target, every_s=5)
    found = schedules(client, lambda found: found["hourly"]["timing"] == "every 5 s")
    assert found["hourly"]["enabled"]
    found = schedules(client, lambda found: found["hourly"]["drift_ms"] is not None)
    assert found["hourly"]["drift_ms"] >= 0
    command(client, "create", {"store": store["store"]}, name="new", job="sweep", every_s=60)
    command(client, "delete", target)
    schedules(client, lambda found: found.keys() == {"nightly", "elsewhere", "new"})
    schedules(client, lambda found: "hourly" in found, "gone")
    actions = [one["action"] for one in client.project("/audit")["items"]]
    assert "command.delete" in actions
    assert "command.pause.succeeded" in actions
    assert SECRET not in every_text(record_url)


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_person_pauses_resumes_runs_and_edits(
    lighthouse: Lighthouse, client: Client, server: Server, page: Page
) -> None:
    lighthouse.do(f"timetable.entries[{MARKUP!r}] = Entry('sweep', 86400, note={MARKUP!r})")
    enter(page, client)
    page.get_by_role("link", name="Schedules", exact=True).first.click()
    row = page.locator("[data-schedule=nightly]")
    expect(row).to_have_attribute("data-state", "on")
    page.get_by_role("link", name=MARKUP).click()
    expect(page.get_by_test_id("schedule")).to_contain_text(MARKUP)
    assert page.evaluate("window.hacked") is None
    page.get_by_role("link", name="Schedules", exact=True).first.click()
    page.get_by_role("link", name="nightly").click()
    shown = page.get_by_test_id("schedule")

    def ask(name: str, button: str | None = None) -> None:
        page.get_by_role("button", name=name, exact=True).click()
        dialog = page.get_by_role("dialog")
        if name != "Run now":
            expect(dialog.get_by_role("note").first).to_contain_text("brings it back as written")
        if name == "Change":
            expect(dialog).to_contain_text("kwargs")
            dialog.get_by_label("Every").fill("7200")
        dialog.get_by_test_id("action-submit").click()
        expect(dialog.get_by_test_id("command-state")).to_have_attribute("data-state", "succeeded")
        dialog.get_by_role("button", name="Close", exact=True).last.click()

    ask("Pause")
    expect(shown).to_have_attribute("data-state", "paused")
    ask("Resume")
    expect(shown).to_have_attribute("data-state", "on")
    ask("Change")
    expect(shown).to_contain_text("every 7200 s")
    lighthouse.do("assert timetable.entries['nightly'].kwargs, 'it was not told to change them'")
    ask("Run now")
    expect(page.get_by_test_id("schedule-runs").get_by_role("link").first).to_be_visible()
    assert SECRET not in page.content()
