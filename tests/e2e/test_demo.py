"""`z4j demo`: one command, a real worker, a signed-in page; Ctrl-C leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from services.ports import free_port

# With the space after it: without, it may be half written.
URL = r"http://127\.0\.0\.1:\d+/sign-in/once\?token=[\w.~-]+(?=\s)"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("Z4J_")}
    log = tmp_path / "demo.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "z4j_brain", "demo", "--port", str(free_port())],
            env={**environment, "DEMO_MARK": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:
        yield process, _url(log, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _url(log: Path, process: subprocess.Popen[str]) -> str:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = re.search(URL, log.read_text())
        if found:
            return found.group()
        assert process.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(f"no URL was printed:\n{log.read_text()}")


def _processes_with(mark: str) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_tasks_move_in_the_browser_and_ctrl_c_ends_all(
    page: Page, demo: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    process, url = demo
    page.goto(url)
    page.get_by_role("link", name="Tasks", exact=True).first.click()
    rows = page.locator("[data-task-id]")
    expect(rows.first).to_be_visible(timeout=60_000)
    expect(page.locator("[data-task-id]", has_text="succeeded").first).to_be_visible(timeout=60_000)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(60) == 0
    deadline = time.monotonic() + 30  # who was killed a moment ago may still be on its way out
    while left := _processes_with(f"DEMO_MARK={tmp_path}"):
        assert time.monotonic() < deadline, left
        time.sleep(0.1)
    with pytest.raises(httpx.ConnectError):
        httpx.get(url.split("/sign-in")[0] + "/healthz")


def test_the_signed_in_url_works_once(demo: tuple[subprocess.Popen[str], str]) -> None:
    _, url = demo
    first, second = httpx.get(url), httpx.get(url)
    assert "z4j_session" in first.cookies
    assert "z4j_session" not in second.cookies
