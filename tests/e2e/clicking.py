"""A person's hand on the dashboard: every action is asked for by a click, and its end awaited."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, Request, expect

from offered_actions import offers
from pages import enter
from server import ASK_EVERY_S, PROJECT, Client, Server
from z4j_core.frames import ActionInfo

FOLLOW = """path => new Promise(done => {
    const stop = __TSR_ROUTER__.subscribe("onRendered", () => { stop(); done(); });
    __TSR_ROUTER__.navigate({ href: path });
})"""
_UNIT = re.compile("_(s|ms)$")


def eventually(is_so: Callable[[], Any], problem: str) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, problem
        time.sleep(ASK_EVERY_S)


class Hand:
    """Clicks what the plugins offer, in one signed-in page.

    `test_every_click` finds the calls of `do`: write the names of engine and action out.
    """

    def __init__(self, page: Page, server: Server, client: Client) -> None:
        self.page = page
        self.client = client
        self._server = server
        enter(page, client)

    def do(self, engine: str, action: str, place: str, **fields: str) -> Any:
        """Ask for an action where the dashboard offers it; return the result of its success.

        `place` is the id of a task or of a schedule's row, a queue, the row of a worker, or the
        name of a scheduler; `fields` are typed into the form, by the names of the parameters.
        """
        offer = offers()[engine][action]
        self._press(engine, offer, place)
        dialog = self.page.get_by_role("dialog")
        for name, text in fields.items():
            label = _UNIT.sub("", name).replace("_", " ")
            dialog.get_by_label(re.compile(f"^{label}$", re.IGNORECASE)).fill(text)
        if asks_twice(offer):
            confirm(dialog)
        with self.page.expect_request(_is_command) as asked:
            dialog.get_by_test_id("action-submit").click()
        body = json.loads(asked.value.post_data or "")
        assert (body["engine"], body["action"]) == (engine, action)
        return self._outcome(dialog)

    def worker(self) -> Any:
        """Return the only worker that is online."""
        found = [one for one in self.client.project("/workers")["items"] if one["role"] == "worker"]
        [worker] = [one for one in found if one["online"]]
        return worker

    def schedule(self, scheduler: str, name: str) -> str:
        """Wait until a scheduler's schedule is told, and return the id of its row."""
        found: list[str] = []

        def is_told() -> bool:
            items = self.client.project("/schedules")["items"]
            wanted = (scheduler, name)
            found.extend(one["id"] for one in items if (one["scheduler"], one["name"]) == wanted)
            return bool(found)

        eventually(is_told, f"no schedule {name} is told")
        return found[0]

    def _press(self, engine: str, offer: ActionInfo, place: str) -> None:
        page, title = self.page, offer.title
        if offer.target in ("schedule", "scheduler"):
            self._go(f"/schedules/{place}" if offer.target == "schedule" else "/schedules")
        else:
            self.client.wait_for_action(offer.name)
        match offer.target:
            case "task":
                self._go(f"/tasks/{engine}/{place}")
            case "queue":
                self._go(f"/queues/{engine}/{place}")
                page.get_by_role("button", name=f"Actions for queue {place}", exact=True).click()
                page.get_by_role("menuitem", name=re.compile(f"^{title}")).click()
                return
            case "worker" | "engine":
                self._go(f"/workers/{place}")
        page.get_by_role("button", name=title, exact=True).click()
        if offer.target == "scheduler":
            self._choose(title, place)

    def _choose(self, title: str, scheduler: str) -> None:
        """With several schedulers the button opens a menu of them."""
        menu = self.page.get_by_role("menu")
        expect(menu.or_(self.page.get_by_role("dialog"))).to_be_visible()
        if menu.is_visible():
            menu.get_by_role("menuitem", name=re.compile(f"{title} · {scheduler}")).click()

    def _go(self, path: str) -> None:
        """Follow a link within the page: to load it anew costs three times as much."""
        path = f"/p/{PROJECT}{path}"
        if self.page.url != self._server.url + path:
            self.page.evaluate(FOLLOW, path)

    def _outcome(self, dialog: Locator) -> Any:
        state = dialog.get_by_test_id("command-state")
        expect(state).not_to_have_attribute("data-state", re.compile("pending|sent"))
        assert state.get_attribute("data-state") == "succeeded", state.inner_text()
        command = self.client.project(f"/commands/{state.get_attribute('data-command-id')}")
        dialog.get_by_role("button", name="Close", exact=True).last.click()
        expect(dialog).to_be_hidden()
        return command["result"]


def asks_twice(offer: ActionInfo) -> bool:
    """Tell whether the name of what it acts on has to be typed before it is asked for."""
    return offer.destructive and offer.target != "task" and offer.name != "pause"


def confirm(dialog: Locator) -> None:
    """Type the name that the dialog asks for; without it nothing can be sent."""
    expect(dialog.get_by_test_id("action-submit")).to_be_disabled()
    asked = dialog.get_by_text(re.compile("^Type “.*” to confirm")).inner_text()
    dialog.get_by_label(re.compile("to confirm")).fill(asked.split("“", 1)[1].rsplit("”", 1)[0])


def _is_command(request: Request) -> bool:
    return request.method == "POST" and request.url.endswith("/commands")
