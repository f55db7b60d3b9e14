"""`z4j demo`: a server on a throw-away folder, real workloads beside it, one signed-in address.

The workloads are programs of the engine plugins, found by the entry-point group `z4j.demo`; the
server imports none of them. Each child holds a pipe from us as its standard input: when we end,
however that happens, it reads the end of the pipe and ends too.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from z4j_brain import clock
from z4j_brain.audit.author import Target, from_server, user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth import agent_tokens, sign_in
from z4j_brain.auth.passwords import Passwords
from z4j_brain.brain import open_database
from z4j_brain.keys import Keys, load_keys
from z4j_brain.settings import Settings, load
from z4j_brain.store import migrate, projects, users

if TYPE_CHECKING:
    from sqlalchemy import Connection

GROUP = "z4j.demo"
EMAIL = "demo@example.org"
_READY_S = 30.0
_GRACE_S = 10.0


class DemoError(Exception):
    """The demo cannot run; the message says what to do."""


class Prepared(msgspec.Struct, frozen=True):
    """A fresh record with one admin, one project and one agent. Holds secrets: never log it."""

    link: str
    token: str

    def __repr__(self) -> str:
        return "Prepared()"


def workloads() -> dict[str, str]:
    """Return the installed workloads: name to module. Raises `DemoError` if there is none."""
    found = {point.name: point.value for point in entry_points(group=GROUP)}
    if not found:
        raise DemoError("The demo needs an engine: pip install 'z4j[demo]'.")
    return found


def environment(home: Path, port: int) -> dict[str, str]:
    """Return the server's environment: ours without any z4j setting but the demo's own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    return {**inherited, "Z4J_HOME": str(home), "Z4J_PORT": str(port), "Z4J_LOG_LEVEL": "warning"}


def prepare(settings_of: Mapping[str, str]) -> Prepared:
    """Make the record that the demo begins with."""
    settings: Settings = load(settings_of).settings
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = load_keys(settings, settings_of, mint=True)
    database = open_database(settings)
    passwords = Passwords()
    try:
        migrate.upgrade(database)
        with database.write() as connection:
            return _fill(connection, keys, passwords.hash(secrets.token_urlsafe(24)))
    finally:
        passwords.close()
        database.close()


def _fill(connection: Connection, keys: Keys, password_hash: str) -> Prepared:
    now = clock.now()
    user = users.create(
        connection,
        email=EMAIL,
        name="Demo",
        password_hash=password_hash,
        is_admin=True,
        now=now,
    )
    project = projects.create(connection, name="Demo shop", now=now)
    users.set_role(connection, project.id, user.id, "admin")
    by = from_server(keys)
    record(connection, by, "user.created", user_target(user), after={"is_admin": True}, now=now)
    target = Target("project", str(project.id), project.slug)
    record(connection, by, "project.created", target, project_id=project.id, now=now)
    minted = agent_tokens.mint_agent(connection, by, project.id, "demo", now)
    return Prepared(sign_in.mint_link(connection, keys, user.id, now), minted.text)


@contextmanager
def running(
    arguments: list[str], variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python arguments…` until the block ends: then SIGTERM, and SIGKILL after a while."""
    child = subprocess.Popen(
        [sys.executable, *arguments],
        env=dict(variables),
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        _end(child)


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait for the server's first good answer; raises `DemoError`."""
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise DemoError("The server did not start; its last lines say why.")
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=1):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise DemoError(f"The server did not answer within {_READY_S:.0f} s.")


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.stdin is not None:
        child.stdin.close()
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    try:
        child.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
