from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCRIPT = "<p id=a>before</p><script>document.getElementById('a').textContent = 'after'</script>"


def test_page_runs_scripts(page: Page) -> None:
    page.set_content(SCRIPT)
    assert page.text_content("#a") == "after"


def test_page_is_fresh(page: Page) -> None:
    assert page.context.cookies() == []
    assert page.url == "about:blank"
