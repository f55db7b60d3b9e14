"""The test stand: a fresh database, a real server on it in a process of its own, an admin at it."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy import text

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]

from machine import CLIENT, SERVER, pin  # noqa: E402

from server import PROJECT, Client, Server  # noqa: E402
from services.postgres import running_postgres  # noqa: E402
from z4j_brain.store import projects  # noqa: E402
from z4j_brain.store.database import Database  # noqa: E402
from z4j_core.credential import Credential, parse_token  # noqa: E402

DATABASES = ("postgresql", "sqlite")
_SEGMENTS = 24
"""Of PostgreSQL's log, 16 MiB each; see `use_log`."""


@dataclass
class Stand:
    """What a benchmark works with. The calling process is on the client's core."""

    folder: Path
    database_url: str
    database: Database
    server: Server
    client: Client

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self.server.process is not None
        pid: int = self.server.process.pid
        return pid

    @property
    def link_url(self) -> str:
        """Where agents connect."""
        return f"ws://127.0.0.1:{self.server.port}/ws"

    def credential(self, name: str = "bench") -> Credential:
        """Make an agent."""
        return parse_token(self.client.mint(name))

    def project_id(self) -> UUID:
        """Return the key of the only project."""
        with self.database.read() as connection:
            found = projects.find_slug(connection, PROJECT)
        assert found is not None
        return found

    def database_pids(self) -> list[int]:
        """Return PostgreSQL's processes; SQLite has none of its own."""
        if not self.database.is_postgres:
            return []
        with self.database.read() as connection:
            return list(connection.execute(text("SELECT pid FROM pg_stat_activity")).scalars())


@contextmanager
def stand(
    kind: str, *, program: Sequence[str] = (), settings: dict[str, str] | None = None
) -> Iterator[Stand]:
    """Build the stand on the server's core and take it down afterwards.

    `program` stands in for `-m z4j_brain`; `settings` are further ones of the server.
    """
    # Whoever ends this program early ends its server, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    pin(SERVER)
    with tempfile.TemporaryDirectory(prefix="z4j-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with a_database(kind, folder) as url, serving(url, folder, program, settings) as built:
            yield built


@contextmanager
def a_database(kind: str, folder: Path) -> Iterator[str]:
    """Give a fresh database; PostgreSQL with fsync, and its log in use for a while."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'z4j.db'}"
        return
    with running_postgres(fsync=True) as postgres:
        url = postgres.create_database()
        use_log(url)
        yield url


def use_log(url: str) -> None:
    """Fill segments of the write-ahead log and let a checkpoint recycle them.

    A new PostgreSQL has none, and whoever commits at the end of one waits for 16 MiB of zeros to be
    written (50 ms, every 17,000 events): a cost of the first minutes, not of a database in use.
    """
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for _ in range(_SEGMENTS):
            connection.execute("SELECT pg_logical_emit_message(true, 'bench', 'x')")
            connection.execute("SELECT pg_switch_wal()")
        connection.execute("CHECKPOINT")


@contextmanager
def serving(
    url: str, folder: Path, program: Sequence[str] = (), settings: dict[str, str] | None = None
) -> Iterator[Stand]:
    """Start the server, sign in, and move the calling process to the client's core."""
    server = Server(folder / "home", url, program or ("-m", "z4j_brain"))
    server.environment |= settings or {}
    database, client = Database(url), Client(server)
    try:
        server.start()
        pin(CLIENT)
        client.set_up()
        yield Stand(folder, url, database, server, client)
    finally:
        client.http.close()
        database.close()
        server.stop()
        pin(SERVER)
