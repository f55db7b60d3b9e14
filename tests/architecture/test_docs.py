"""What the pages say about the code is what the code says; every example of an adapter is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGES_WITH_EXAMPLES = (
    *("apscheduler", "arq", "celery", "django", "dramatiq", "fastapi", "flask", "huey", "rq"),
    *("schedules-celery", "taskiq"),
)


def make(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "tools" / "docs" / "write.py"), *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_what_is_made_from_the_code_is_up_to_date(root: Path) -> None:
    done = make(root, "--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_that_says_something_else_is_found_and_mended(root: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    stale = "Hm\n<!-- made: actions apscheduler -->\nNothing can be done.\n<!-- end -->\n"
    page.write_text(stale)
    assert make(root, "--check", str(page)).returncode == 1
    assert page.read_text() == stale
    assert make(root, str(page)).returncode == 0
    made = page.read_text()
    assert "| Run now (`run_now`) | schedule |" in made
    assert "Nothing can be done" not in made


def test_every_page_of_an_adapter_has_an_example_that_a_test_reads(root: Path) -> None:
    tests = [path.read_text() for path in root.glob("packages/*/tests/test_*.py")]
    for name in PAGES_WITH_EXAMPLES:
        page = root / "docs" / f"{name}.md"
        assert "```python" in page.read_text(), f"{page.name} has no example"
        assert any(f"{page.name}" in test for test in tests), f"no test runs that of {page.name}"


def test_the_folder_of_the_plugins_page_passes_the_contract_kit(root: Path, tmp_path: Path) -> None:
    page = (root / "docs" / "plugins.md").read_text()
    files = re.findall(r"<!-- made: file tests/stranger/(\S+) -->\n```\w+\n(.*?)```", page, re.S)
    for name, text in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sources = {"PYTHONPATH": str(tmp_path / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={**os.environ, **sources},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^1[0-9] passed", done.stdout, re.M), done.stdout
