"""Fresh databases, each a copy of one that is migrated and has a project and an agent."""

from __future__ import annotations

import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import psycopg

from faults.proxy import Proxy
from faults.schedule import DatabaseKind
from services.ports import HOST
from services.postgres import Postgres
from z4j_brain.keys import Keys
from z4j_brain.store import agent_tokens, agents, projects
from z4j_brain.store.database import Database
from z4j_brain.store.types import new_id
from z4j_core.credential import Credential

SECRETS = {name: secrets.token_hex(32) for name in ("Z4J_SECRET", "Z4J_SESSION_SECRET")}


class Template:
    """Made once for a process, because a migration takes as long as a schedule."""

    def __init__(self, folder: Path, kind: DatabaseKind, postgres: Postgres | None) -> None:
        self.kind: DatabaseKind = kind
        self.postgres = postgres
        self.folder = folder
        if postgres is None:
            self.url = f"sqlite:///{folder / 'template.db'}"
        else:
            self.url = postgres.create_database()
        migrate(self.url, folder)
        self.credential = seed(self.url)

    def copy(self, folder: Path) -> str:
        """Return the URL of a fresh copy."""
        if self.postgres is None:
            path = folder / "z4j.db"
            shutil.copyfile(self.folder / "template.db", path)
            return f"sqlite:///{path}"
        return self.postgres.create_database(self.url)

    def drop(self, url: str) -> None:
        """Remove a copy."""
        if self.postgres is not None:
            self.postgres.drop_database(url)


def migrate(url: str, folder: Path) -> None:
    """Make the tables, as `z4j migrate` does."""
    environment = {**SECRETS, "Z4J_HOME": str(folder), "Z4J_DATABASE_URL": url, "PATH": ""}
    command = [sys.executable, "-m", "z4j_brain", "migrate"]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def seed(url: str) -> Credential:
    """Make a project, an agent and its token."""
    keys = Keys(SECRETS["Z4J_SECRET"].encode(), SECRETS["Z4J_SESSION_SECRET"].encode())
    token_id, secret, now = new_id(), secrets.token_bytes(32), time.time_ns() // 1_000
    database = Database(url)
    try:
        with database.write() as connection:
            project_id = projects.create(connection, name="faults", now=now).id
            agent_id = agents.create(connection, project_id, "toys", now)
            hashed = keys.token_hash(secret)
            agent_tokens.create(
                connection, token_id=token_id, agent_id=agent_id, secret_hash=hashed, now=now
            )
    finally:
        database.close()
    if not database.is_postgres:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as plain:
            plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    key = keys.signing_key(project_id, agent_id, token_id)
    return Credential(agent_id, secret, key, keys.seal_key(project_id))


def through(url: str, proxy: Proxy) -> str:
    """Return the URL of the same PostgreSQL database behind a proxy."""
    return url.replace(f":{proxy.target_port}/", f":{proxy.port}/")


class Lock:
    """Keeps everybody else from writing events, from `take` to `give_back`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._held: sqlite3.Connection | psycopg.Connection | None = None

    def take(self) -> None:
        """Begin; does nothing when the database is away or busy for longer than 2 s."""
        self.give_back()
        with suppress(sqlite3.Error, psycopg.Error):
            self._held = self._lock()

    def insist(self) -> None:
        """`take`, as often as it needs: a busy server may be quicker many times over."""
        deadline = time.monotonic() + 60
        while self._held is None:
            assert time.monotonic() < deadline, "the lock cannot be had"
            self.take()

    def give_back(self) -> None:
        """End it, in whatever state the database is."""
        held, self._held = self._held, None
        if held is not None:
            with suppress(sqlite3.Error, psycopg.Error):
                held.close()

    def _lock(self) -> sqlite3.Connection | psycopg.Connection:
        if self._url.startswith("sqlite"):
            path = self._url.removeprefix("sqlite:///")
            file = sqlite3.connect(path, timeout=2, isolation_level=None)
            file.execute("BEGIN IMMEDIATE")
            return file
        link = psycopg.connect(
            self._url.replace("+psycopg", ""), connect_timeout=2, options="-c lock_timeout=2s"
        )
        link.execute("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE")
        return link


def postgres_port(url: str) -> int:
    """Return the port of a PostgreSQL URL of ours."""
    return int(url.partition(f"@{HOST}:")[2].partition("/")[0])
