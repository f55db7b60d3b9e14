"""Text of tasks stays text in the dashboard, and the browser reports no violation of its policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from celery_worker import Shop
from pages import enter
from server import PROJECT, Client, Server

MARKUP = (
    "<img src=x onerror='window.hacked=1'><script>window.hacked=2</script>"
    "</pre><svg onload='window.hacked=3'>"
)
LINK = "javascript:window.hacked=4"
SHOWN = dict.fromkeys(("/tasks?q=state:failed", "/names", "/agents"), "<img src=x")
SECTIONS = (
    "",
    "/tasks",
    "/tasks?q=state:failed",
    "/names",
    "/issues",
    "/queues",
    "/schedules",
    "/workers",
    "/commands",
    "/bulk",
    "/agents",
    "/people",
    "/keys",
    "/audit",
    "/redaction",
    "/settings",
    "/connect",
)


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_hostile_text_stays_text_under_a_policy_that_nothing_breaks(
    page: Page, server: Server, client: Client, shop: Shop
) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    client.mint(MARKUP[:100])
    shop.start_worker()
    failed, linked, unknown = shop.publish(
        f"print(fail.delay({MARKUP!r}).id, fail.delay({LINK!r}).id,"
        f" app.send_task({MARKUP!r}, args=[{LINK!r}]).id)"
    )
    for task_id in (failed, linked):
        client.task(task_id, "failed")
    enter(page, client)
    issues = [issue["id"] for issue in client.project("/issues")["items"]]
    assert issues
    below = [*SECTIONS, *(f"/tasks/celery/{task_id}" for task_id in (failed, linked, unknown))]
    below += [f"/issues/{issue}" for issue in issues]
    for path in ["/account", *(f"/p/{PROJECT}{path}" for path in below)]:
        page.goto(f"{server.url}{path}", wait_until="domcontentloaded")
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        if (text := SHOWN.get(path.removeprefix(f"/p/{PROJECT}"))) is not None:
            expect(page.get_by_text(text).first).to_be_visible()
        _holds_nothing_of_it(page, path)
    page.goto(f"{server.url}/p/{PROJECT}/tasks/celery/{failed}")
    expect(page.get_by_text(MARKUP).first).to_be_visible()
    assert [text for text in said if "Content Security Policy" in text] == []
    _the_policy_is_in_force(page, said)


def _holds_nothing_of_it(page: Page, path: str) -> None:
    assert page.evaluate("window.hacked") is None, path
    assert page.locator("img[src='x'], svg[onload], [onerror]").count() == 0, path
    assert page.locator("a[href^='javascript:' i]").count() == 0, path


def _the_policy_is_in_force(page: Page, said: list[str]) -> None:
    """What the test listens to would have been heard."""
    page.evaluate(
        "() => { const script = document.createElement('script');"
        " script.textContent = 'window.hacked = 5'; document.body.append(script); }"
    )
    assert page.evaluate("window.hacked") is None
    expect(page.get_by_text(MARKUP).first).to_be_visible()
    assert any("Content Security Policy" in text for text in said), said
