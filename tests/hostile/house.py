"""A real server on a thread, with a filled project and everybody who may call it."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests
from sqlalchemy import delete, update

from z4j_agent.runtime import Agent
from z4j_agent.settings import Settings as AgentSettings
from z4j_brain import clock
from z4j_brain.app import create_app
from z4j_brain.auth.passwords import Passwords
from z4j_brain.auth.policy import INSTANCE, TABLE, Role
from z4j_brain.auth.sign_in import Visitor, open_session
from z4j_brain.brain import Brain
from z4j_brain.keys import Keys
from z4j_brain.server import listen, serve, url_of
from z4j_brain.settings import load
from z4j_brain.store import migrate, projects, users
from z4j_brain.store.database import Database
from z4j_brain.store.schema import api_keys, bulk_runs, invitations, memberships, rate_limits
from z4j_brain.store.users import User
from z4j_core.capability import NoParams
from z4j_core.events import Kind, TaskEvent
from z4j_core.frames import TaskRef
from z4j_core.plugins import (
    Engine,
    Owner,
    PurgeResult,
    RetryParams,
    RetryResult,
    Schedule,
    Scheduler,
    hook,
    store_id,
)
from z4j_core.waiting import Broker, Depth, broker_id

KEYS = Keys(b"m" * 40, b"s" * 40)
PASSWORD = "correct horse battery staple"
CHEAP = {"time_cost": 1, "memory_kib": 64, "parallelism": 1}
PEOPLE = ("anybody", *Role, "instance admin")
SCOPES = (*TABLE, *sorted(INSTANCE))
PATIENCE_S = 120.0
BROKER = broker_id("lamp", "localhost")


class Caller:
    """Somebody who calls the API: by a session, by a key, or as nobody."""

    def __init__(self, house: House, name: str, *, user: User | None = None, key: str = "") -> None:
        self.name = name
        self.user = user
        self.headers: dict[str, str] = {}
        self.cookies: dict[str, str] = {}
        self._house = house
        if key:
            self.headers = {"Authorization": f"Bearer {key}"}
        else:
            self.headers = {"Origin": house.url}
            self.renew()

    def renew(self) -> None:
        """Open a fresh session, as the last call may have ended this one."""
        if self.user is None:
            return
        with self._house.database.write() as connection:
            opened = open_session(
                connection, self._house.brain, self.user, Visitor(None, None, None)
            )
        self.cookies = {"z4j_session": opened.token}
        self.headers["X-CSRF-Token"] = KEYS.csrf_token(opened.token)


class House:
    """A running server. `callers` are everybody, each scope's API key included."""

    def __init__(self, brain: Brain, url: str, database: Database) -> None:
        self.brain = brain
        self.url = url
        self.database = database
        self.http = requests.Session()
        self.http.trust_env = False  # no proxy, no netrc: looked up again for each request
        self.callers: dict[str, Caller] = {"nobody": Caller(self, "nobody")}
        self._settle()

    def call(self, who: str, method: str, path: str, body: Any = None) -> Any:
        """Call the API and return what it answers, which must be a success."""
        caller = self.callers[who]
        answer = self.http.request(
            method,
            f"{self.url}/api/v1{path}",
            json=body,
            headers=caller.headers,
            cookies=caller.cookies,
            timeout=60,
        )
        assert answer.ok, (method, path, answer.text)
        return answer.json() if answer.content else None

    def person(self, name: str, role: str | None, *, is_admin: bool = False) -> User:
        """Make somebody with a role in the project shop, or in none."""
        with self.database.write() as connection:
            made = users.create(
                connection,
                email=f"{name.replace(' ', '-')}@example.org",
                name=name,
                password_hash=Passwords(**CHEAP).hash(PASSWORD),
                is_admin=is_admin,
                now=clock.now(),
            )
            if role is not None:
                shop = projects.find_slug(connection, "shop")
                assert shop is not None
                users.set_role(connection, shop, made.id, role)
        return made

    def tidy(self) -> None:
        """Take away what calls have made and what would be too much of it after a while."""
        anybody = self.callers["anybody"].user
        assert anybody is not None
        with self.database.write() as connection:
            connection.execute(delete(api_keys).where(api_keys.c.name.not_in(SCOPES)))
            connection.execute(delete(invitations))
            ended = {"state": "aborted", "ended_at": clock.now()}
            connection.execute(update(bulk_runs).values(ended))
            connection.execute(delete(rate_limits))
            connection.execute(delete(memberships).where(memberships.c.user_id == anybody.id))
        self.brain.limits.waits.forget()

    def _settle(self) -> None:
        with self.database.write() as connection:
            for name in ("Shop", "Annex"):
                projects.create(connection, name=name, now=clock.now())
        for name in PEOPLE:
            role = name if name in set(Role) else None
            user = self.person(name, role, is_admin=name == "instance admin")
            self.callers[name] = Caller(self, name, user=user)
        for scope in SCOPES:
            project = None if scope in INSTANCE else "shop"
            form = {"name": scope, "scopes": [scope], "project": project}
            key = self.call("instance admin", "POST", "/keys", form)["key"]
            self.callers[f"key {scope}"] = Caller(self, f"key {scope}", key=key)


class Lamp(Engine):
    """An engine with a queue and some actions, for commands that really go somewhere."""

    name = "lamp"

    def attach(self, host: Any) -> None:
        """Capture nothing."""

    def detach(self) -> None:
        """Nothing to undo."""

    def retry(self, task: TaskRef, params: RetryParams) -> RetryResult:
        """Say that it was done."""
        return RetryResult(task_id=f"again-{task.task_id}")

    def purge(self, queue: str, params: NoParams) -> PurgeResult:
        """Say that it was done."""
        return PurgeResult(0)

    def brokers(self) -> list[Broker]:
        """Tell one queue."""
        return [Broker(id=BROKER, transport="lamp", queues=["email"], consumed=["email"])]

    def queue_depths(self, broker: str, queues: Any) -> dict[str, Depth]:
        """Tell that all are empty."""
        return {queue: Depth(waiting=0) for queue in queues}


class LampClock(Scheduler):
    """A scheduler with one schedule."""

    name = "lamp-clock"
    engine = "lamp"

    def attach(self, host: Any) -> None:
        """Capture nothing."""

    def detach(self) -> None:
        """Nothing to undo."""

    def store(self) -> str:
        """Return always the same."""
        return store_id("lamp")

    def schedules(self) -> list[Schedule]:
        """Tell one."""
        return [Schedule(id="dusk", name="dusk", timing="every day", owner=Owner.CODE)]


@contextmanager
def running(database_url: str, home: Path) -> Iterator[House]:
    """Serve a fresh database until the end of the block."""
    settings = load({"Z4J_HOME": str(home), "Z4J_DATABASE_URL": database_url}).settings
    database = Database(settings.database_url)
    migrate.upgrade(database)
    brain = Brain.create(settings, KEYS, Passwords(**CHEAP))
    stop, loop = asyncio.Event(), asyncio.new_event_loop()
    with listen("127.0.0.1", 0) as listener:
        url = url_of(listener, "")
        app = create_app(brain)
        thread = threading.Thread(
            target=lambda: loop.run_until_complete(serve(app, brain, listener, stop))
        )
        thread.start()
        house = None
        try:
            house = House(brain, url, database)
            yield house
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(60)
            loop.close()
            if house is not None:
                house.http.close()
            database.close()
            brain.database.close()


@contextmanager
def worker(house: House) -> Iterator[Agent]:
    """Connect a worker that has told of tasks, failures and a queue, until the end of the block."""
    token = house.call("admin", "POST", "/projects/shop/agents", {"name": "lamp"})["token"]
    environment = {"Z4J_URL": house.url, "Z4J_TOKEN": token, "Z4J_SPOOL": "off"}

    @hook
    def z4j_engine(settings: Any) -> Engine:
        return Lamp()

    @hook
    def z4j_scheduler(settings: Any) -> Scheduler:
        return LampClock()

    module = SimpleNamespace(z4j_engine=z4j_engine, z4j_scheduler=z4j_scheduler)
    point = SimpleNamespace(name="lamp", value="lamp", load=lambda: module)
    agent = Agent(AgentSettings.from_environment(environment), [point])  # type: ignore[list-item]
    try:
        agent.start(worker_name="lamp@here")
        for number, kind in enumerate((*Kind, *Kind)):
            if kind is not Kind.UNKNOWN:
                agent.emit(_event(f"t{number}", kind))
        deadline = time.monotonic() + PATIENCE_S
        while not _is_filled(house) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _is_filled(house)
        yield agent
    finally:
        agent.stop(0.5)
        agent.unregister()


def _is_filled(house: House) -> bool:
    found = house.call("viewer", "GET", "/projects/shop/tasks?limit=200")["count"]
    queues = house.call("viewer", "GET", "/projects/shop/queues")["items"]
    issues = house.call("viewer", "GET", "/projects/shop/issues")["items"]
    schedules = house.call("viewer", "GET", "/projects/shop/schedules")["items"]
    return found >= 2 * (len(Kind) - 1) and bool(queues and issues and schedules)


def _event(task_id: str, kind: Kind) -> TaskEvent:
    error = {"type": "ValueError", "message": f"no {task_id}"}
    trace = 'Traceback (most recent call last):\n  File "/a.py", line 1, in f\nValueError: no\n'
    is_bad = kind in (Kind.FAILED, Kind.RETRIED)
    data = {"exception": error, "traceback": trace} if is_bad else {"args": [1], "kwargs": {}}
    return TaskEvent(
        kind=kind,
        engine="lamp",
        task_id=task_id,
        occurred_at=clock.now(),
        name="shop.send",
        queue="email",
        data=data,
    )


def new_uuid() -> str:
    """Return an id that nothing has."""
    return str(uuid.uuid4())
