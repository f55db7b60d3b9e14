"""A PostgreSQL 18 server of the tests' own."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from services.folder import own_folder
from services.missing import ServiceMissingError
from services.ports import HOST, free_port
from services.postgres_binaries import postgres_folder
from services.process import ServiceFailedError, ServiceProcess
from services.psql import Psql

USER = "postgres"
UNPRIVILEGED = "nobody"
QUIET = {"LC_ALL": "C", "PATH": os.defpath}
SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class Postgres:
    """One server with its own data folder and port, which stay the same over a restart.

    PostgreSQL refuses to run as root; then the server runs as ``nobody``. Everybody on
    this machine may connect without a password, so it holds nothing but test data.
    """

    def __init__(self, folder: Path, *, fsync: bool = False) -> None:
        """Make the data folder below ``folder``; ``fsync=True`` for tests of durability."""
        self._binaries = postgres_folder() / "bin"
        self._folder = folder
        self._data = folder / "data"
        self.port = free_port()
        self._owner = pwd.getpwnam(UNPRIVILEGED) if os.geteuid() == 0 else None
        self._prepare()
        command = [str(self._binaries / "psql"), *self._psql(USER)]
        self._administrator = Psql(command, folder, QUIET)
        self._process = ServiceProcess(
            self._server_arguments(fsync),
            folder / "server.log",
            cwd=folder,
            user=self._owner.pw_uid if self._owner else None,
            group=self._owner.pw_gid if self._owner else None,
            environment=QUIET,
            death_signal="QUIT",
        )

    def start(self) -> None:
        """Start on the same data and port and wait for connections to be accepted."""
        self._process.start(self._accepts_connections)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Disconnect everybody and stop; ``immediate`` is a crash: recovery follows."""
        self._administrator.close()
        self._process.stop(SIGNALS[mode])

    @property
    def is_running(self) -> bool:
        """True while the server process lives."""
        return self._process.is_running

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one database on this server, for psycopg 3."""
        return f"postgresql+psycopg://{USER}@{HOST}:{self.port}/{database}"

    def create_database(self, template: str | None = None) -> str:
        """Make a UTF-8 database under a fresh name and return its URL.

        It is empty, or a copy of the one with the URL ``template``, to which nobody may be
        connected.
        """
        name = f"test_{uuid.uuid4().hex}"
        source = f' TEMPLATE "{_name(template)}" STRATEGY FILE_COPY' if template else ""
        self._administrator.ask(f'CREATE DATABASE "{name}"{source}')
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database that ``create_database`` made, disconnecting whoever is left."""
        self._administrator.ask(f'DROP DATABASE IF EXISTS "{_name(url)}" WITH (FORCE)')

    def execute(self, statement: str, database: str = USER) -> str:
        """Run one SQL statement with psql as superuser; what it prints, without headings."""
        return self._run(["psql", *self._psql(database), "-v", "ON_ERROR_STOP=1", "-c", statement])

    def _psql(self, database: str) -> list[str]:
        return [*self._address(), "-d", database, "-X", "-q", "-A", "-t"]

    def _prepare(self) -> None:
        if self._owner is not None:
            os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)
        # No sync and no locale: quick, and the same order of text everywhere.
        options = ["-U", USER, "-A", "trust", "--no-locale", "-E", "UTF8", "--no-sync"]
        self._run(["initdb", "-D", str(self._data), *options], self._owner)

    def _server_arguments(self, fsync: bool) -> list[str]:
        settings = {
            "listen_addresses": HOST,
            "unix_socket_directories": str(self._folder),
            "fsync": "on" if fsync else "off",
            "max_connections": "200",
            "max_wal_size": "128MB",
            "timezone": "UTC",
        }
        pairs = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        server = str(self._binaries / "postgres")
        return [server, "-D", str(self._data), "-p", str(self.port), *pairs]

    def _address(self) -> list[str]:
        return ["-h", HOST, "-p", str(self.port), "-U", USER]

    def _accepts_connections(self) -> bool:
        asked = [str(self._binaries / "pg_isready"), "-q", *self._address()]
        return subprocess.run(asked, env=QUIET, check=False).returncode == 0

    def _run(self, command: list[str], user: pwd.struct_passwd | None = None) -> str:
        name, *arguments = command
        done = subprocess.run(
            [str(self._binaries / name), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._folder,
            env=QUIET,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            check=False,
        )
        if done.returncode:
            raise ServiceFailedError(f"{name} failed:\n{done.stdout.strip()}")
        return done.stdout.strip()


def _name(url: str) -> str:
    return url.rpartition("/")[2]


@contextmanager
def running_postgres(*, fsync: bool = False) -> Iterator[Postgres]:
    """A started server in a temporary folder, gone afterwards. Raises ServiceMissingError."""
    with own_folder("z4j-postgres-", in_memory=not fsync) as folder:
        _check_reachable(folder)
        server = Postgres(folder, fsync=fsync)
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def _check_reachable(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    for parent in (*folder.parents, *postgres_folder().parents):
        if not parent.stat().st_mode & 0o001:
            raise ServiceMissingError(
                f"PostgreSQL runs as {UNPRIVILEGED}, who may not enter {parent}. Set TMPDIR and "
                "Z4J_TEST_CACHE to folders that everybody may enter, or run as another user."
            )
