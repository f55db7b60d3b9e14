"""A real server on a free port, on a thread, and browsers that talk to it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from services.rogue_provider import CLIENT, SECRET, RogueProvider, running_rogue_provider
from z4j_brain import clock
from z4j_brain.api.route import Route
from z4j_brain.app import create_app
from z4j_brain.auth.passwords import Passwords
from z4j_brain.auth.setup import mint_token
from z4j_brain.brain import Brain
from z4j_brain.keys import Keys
from z4j_brain.server import listen, serve, url_of
from z4j_brain.settings import load
from z4j_brain.store import projects, users
from z4j_brain.store.database import Database

EMAIL, PASSWORD = "ada@example.org", "correct horse battery staple"
KEYS = Keys(b"m" * 40, b"s" * 40)
CHEAP = {"time_cost": 1, "memory_kib": 64, "parallelism": 1}


class Browser:
    """Cookies, an Origin and the CSRF token, as the dashboard sends them."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(url)
        own = {"Origin": f"{parts.scheme}://{parts.netloc}"}
        self.http = httpx.Client(
            base_url=f"{url}/api/v1",
            headers={**own, **(headers or {})},
            timeout=60,
            verify=False,  # plain HTTP here, and to load certificates takes longer than a request
        )

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query or None)

    def post(self, path: str, body: Any = None, **more: Any) -> httpx.Response:
        return self.http.post(path, json=body, **more)

    def put(self, path: str, body: Any) -> httpx.Response:
        return self.http.put(path, json=body)

    def patch(self, path: str, body: Any) -> httpx.Response:
        return self.http.patch(path, json=body)

    def delete(self, path: str) -> httpx.Response:
        return self.http.delete(path)

    def enter(self, answer: httpx.Response) -> Any:
        """Remember the CSRF token of a session answer."""
        assert answer.status_code in (200, 201), answer.text
        session = answer.json()
        self.http.headers["X-CSRF-Token"] = session["csrf_token"]
        return session

    def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> Any:
        return self.enter(self.post("/sign-in", {"email": email, "password": password}))

    def by_provider(self, rogue: RogueProvider, **back: str) -> str:
        """Go to the provider and back, with other parameters if told; return where one lands."""
        begun = self.post("/sign-in/oidc")
        assert begun.status_code == 200, begun.text
        return self.come_back({**rogue.approve(begun.json()["url"]), **back})

    def come_back(self, parameters: Mapping[str, str]) -> str:
        """Come back from the provider; return where one lands."""
        url = str(self.http.base_url).removesuffix("api/v1/") + "sign-in/oidc/callback"
        answer = self.http.get(url, params=dict(parameters))
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])


@dataclass
class Running:
    """A server that answers."""

    brain: Brain
    url: str
    database: Database
    opened: list[Browser] = field(default_factory=list)

    def browser(self, headers: Mapping[str, str] | None = None) -> Browser:
        """Open a browser without cookies; it is closed with the server."""
        self.opened.append(Browser(self.url, headers))
        return self.opened[-1]

    def close(self) -> None:
        for browser in self.opened:
            browser.http.close()
        self.database.close()

    def setup_token(self) -> str:
        with self.database.write() as connection:
            token = mint_token(connection, KEYS, clock.now())
        assert token is not None
        return token

    def set_up(self) -> Browser:
        """Make Ada, the admin of the project shop, and sign her in."""
        browser = self.browser()
        form = {"email": EMAIL, "name": "Ada", "password": PASSWORD, "project_name": "Shop"}
        browser.enter(browser.post("/setup", {"token": self.setup_token(), **form}))
        return browser

    def member(self, role: str | None, email: str = "bob@example.org") -> Browser:
        """Make somebody with a role in the project shop, or in none, and sign them in."""
        with self.database.write() as connection:
            user = users.create(
                connection,
                email=email,
                name="Bob",
                password_hash=Passwords(**CHEAP).hash(PASSWORD),
                is_admin=False,
                now=clock.now(),
            )
            if role is not None:
                shop = projects.find_slug(connection, "shop")
                assert shop is not None
                users.set_role(connection, shop, user.id, role)
        browser = self.browser()
        browser.sign_in(email)
        return browser


@contextmanager
def _serving(app: Starlette, brain: Brain, listener: socket.socket) -> Iterator[None]:
    stop, loop = asyncio.Event(), asyncio.new_event_loop()
    thread = threading.Thread(
        target=lambda: loop.run_until_complete(serve(app, brain, listener, stop))
    )
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        loop.close()


Start = Callable[..., AbstractContextManager[Running]]


@pytest.fixture
def start(record_url: str, tmp_path: Path) -> Start:
    """A function that starts a server: `with start(root_path="/z4j") as running`."""

    @contextmanager
    def begin(*, routes: Iterable[Route] | None = None, **variables: str) -> Iterator[Running]:
        named = {f"Z4J_{name.upper()}": value for name, value in variables.items()}
        loaded = load({"Z4J_HOME": str(tmp_path / "home"), "Z4J_DATABASE_URL": record_url, **named})
        settings = loaded.settings
        database = Database(settings.database_url)
        brain = Brain.create(settings, KEYS, Passwords(**CHEAP), loaded.sources)
        server = Running(brain, "", database)
        try:
            app = create_app(brain, routes=routes)
            with listen("127.0.0.1", 0) as listener, _serving(app, brain, listener):
                server.url = url_of(listener, settings.root_path)
                yield server
        finally:
            server.close()
            brain.database.close()

    return begin


@pytest.fixture
def running(start: Start) -> Iterator[Running]:
    """A server without any account."""
    with start() as server:
        yield server


@pytest.fixture
def ada(running: Running) -> Browser:
    """The first admin, signed in."""
    return running.set_up()


@pytest.fixture
def rogue() -> Iterator[RogueProvider]:
    """An identity provider that does what a test says."""
    with running_rogue_provider() as provider:
        yield provider


@pytest.fixture
def begin_with(start: Start, rogue: RogueProvider) -> Start:
    """A function that starts a server which knows the rogue provider, with Ada and her project."""

    @contextmanager
    def begin(**variables: str) -> Iterator[Running]:
        known = {
            "oidc_issuer": rogue.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            **variables,
        }
        with start(**known) as running:
            yield running

    return begin
