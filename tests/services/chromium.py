"""The distribution's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from services.debian import program
from services.missing import ServiceMissingError

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# The shell first: it is the same engine, and a page costs it half of the processor time.
SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# The tests may run as root in a container, where the sandbox cannot; and a browser of the
# tests asks nobody outside for updates.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """A headless browser with a fresh profile. Raises ServiceMissingError."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise ServiceMissingError(
            "The Python package playwright is not installed here. Run the tests with "
            "`hatch run test`, or `pip install playwright`."
        ) from None
    path = program(NAMES, SHELL, "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
