"""`z4j serve`."""

from __future__ import annotations

import gc
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from z4j_brain.cli._opening import load_settings, open_keys, opened, sqlite_file, warn
from z4j_brain.keys import FILE_NAME, Keys
from z4j_brain.settings import Loaded, Settings, SettingsError


@click.command(short_help="Start the server and print the one URL to open.")
@click.option("--host", help="Address to listen on (Z4J_HOST).")
@click.option("--port", type=int, help="TCP port to listen on (Z4J_PORT).")
@click.option("--migrate", "may_migrate", is_flag=True, help="Run missing migrations first.")
def command(host: str | None, port: int | None, may_migrate: bool) -> None:
    """Start the server: dashboard, API and the agents' WebSocket on one port.

    Without any setting it listens on http://127.0.0.1:7700 and keeps everything in ~/.z4j. The
    first start prints a URL that makes the first administrator; it works once, for 24 hours.

    With PostgreSQL (Z4J_DATABASE_URL) run `z4j migrate` after every upgrade, or start with
    --migrate. Put a reverse proxy in front for TLS.
    """
    from z4j_brain.server import ListenError, listen

    loaded = load_settings(host=host, port=port)
    settings = loaded.settings
    keys = open_keys(settings, mint=True)
    _warn(settings, keys)
    _check_provider(settings)
    prepare(settings, may_migrate=may_migrate)
    try:
        listener = listen(settings.host, settings.port)
    except ListenError as error:
        raise click.ClickException(str(error)) from None
    with listener, alone(settings):
        _run(loaded, keys, listener)


def _warn(settings: Settings, keys: Keys) -> None:
    from_file = [name for name, source in keys.sources.items() if source == "file"]
    if from_file and not settings.is_sqlite:
        warn(
            f"{' and '.join(from_file)} come from {settings.home / FILE_NAME}. With"
            " PostgreSQL set them in the environment: every replica, and every container that"
            " replaces another, needs the same ones."
        )


def _check_provider(settings: Settings) -> None:
    from z4j_brain.auth.oidc import config

    try:
        config.read(settings)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def prepare(settings: Settings, *, may_migrate: bool) -> None:
    """Bring the tables up to date, or end the command with the advice to do so."""
    from z4j_brain.store.migrate import at_head

    with (
        opened(settings, must_be_current=False) as database,
        database.read() as connection,
    ):
        if at_head(connection):
            return
    if not settings.is_sqlite and not may_migrate:
        raise click.ClickException(
            "The database has not the tables of this version. Run `z4j migrate` first, or start"
            " with `z4j serve --migrate`."
        )
    _migrate()


def _migrate() -> None:
    """Run `z4j migrate`: what it imports would stay in the server's memory for good (10 MiB)."""
    with subprocess.Popen([sys.executable, "-m", "z4j_brain", "migrate"]) as child:
        import z4j_brain.app  # noqa: F401 - the time it takes passes while the child works

        if child.wait():
            raise SystemExit(child.returncode)


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Be the only server on a SQLite file, as long as the block lasts; the lock dies with us."""
    if not settings.is_sqlite or sys.platform == "win32":
        yield
        return
    import fcntl

    path = sqlite_file(settings)
    lock = path.with_name(path.name + ".lock")
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise click.ClickException(
                f"Another z4j serves {path}. End it first, set another Z4J_HOME, or use PostgreSQL,"
                " which many servers can share."
            ) from None
        yield


def _run(loaded: Loaded, keys: Keys, listener: socket.socket) -> None:
    from z4j_brain import clock, logging, server
    from z4j_brain.app import create_app
    from z4j_brain.auth.setup import mint_token
    from z4j_brain.brain import Brain

    settings = loaded.settings
    logging.configure(settings)
    brain = Brain.create(settings, keys, sources=loaded.sources)
    url = server.url_of(listener, settings.root_path)

    async def announce() -> None:
        token = await brain.database.run_at_start(mint_token, keys, clock.now(), write=True)
        if token is None:
            click.echo(f"z4j runs on {url}/")
        else:
            click.echo(f"Open this once to begin: {url}/setup?token={token}")
        # What lives now lives until the end: the collector need not look at it again, which
        # would stop the event loop for up to 80 ms.
        gc.collect()
        gc.freeze()

    server.run(create_app(brain, on_ready=announce), brain, listener)
