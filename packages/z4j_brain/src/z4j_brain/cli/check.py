"""`z4j check`."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import msgspec

from z4j_brain.cli._opening import describe, load_settings, sqlite_file
from z4j_brain.keys import FILE_NAME, MASTER, SESSION, SecretsError, file_is_private, load_keys
from z4j_brain.settings import Settings, SettingsError

if TYPE_CHECKING:
    from z4j_brain.store.database import Database

LEAST_POSTGRES = 17
LEAST_SQLITE = (3, 38, 0)


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    is_good: bool
    text: str


@click.command(short_help="Find out what is wrong with settings, secrets or database.")
def command() -> None:
    """Check settings, secrets, database, its tables and the dashboard's files.

    Changes nothing. The exit code is 0 when everything is in order and 1 otherwise.
    """
    loaded = load_settings()
    good = [Finding(True, "the settings can be read")]
    settings = loaded.settings
    found = [*good, *secrets(settings), *database(settings), *provider(settings), dashboard()]
    for finding in found:
        mark, colour = ("ok", "green") if finding.is_good else ("BAD", "red")
        click.secho(mark.ljust(4), fg=colour, bold=not finding.is_good, nl=False)
        click.echo(finding.text)
    if not all(finding.is_good for finding in found):
        raise SystemExit(1)


def secrets(settings: Settings) -> Iterator[Finding]:
    """Look at the secrets and at the file that holds them."""
    try:
        keys = load_keys(settings, os.environ)
    except SecretsError as error:
        hint = " `z4j serve` makes both on its first start."
        missing = not any(os.environ.get(name) for name in (MASTER, SESSION))
        yield Finding(False, f"secrets: {error}{hint if missing else ''}")
        return
    yield Finding(True, f"secrets: strong enough, from {', '.join(set(keys.sources.values()))}")
    path = settings.home / FILE_NAME
    if path.exists() and not file_is_private(path):
        yield Finding(False, f"{path} can be read by others: run `chmod 600 {path}`.")


def database(settings: Settings) -> Iterator[Finding]:
    """Look at the database: reachable, new enough, with the tables of this version."""
    from sqlalchemy.exc import SQLAlchemyError

    from z4j_brain.brain import open_database
    from z4j_brain.store.migrate import HEAD, current

    path = sqlite_file(settings)
    if settings.is_sqlite and not path.exists():
        yield Finding(False, f"database: there is no {path} yet; `z4j serve` makes it.")
        return
    opened = open_database(settings)
    try:
        yield _version(opened)
        with opened.read() as connection:
            step = current(connection)
    except SQLAlchemyError as error:
        yield Finding(False, f"database: {describe(error, settings)}")
        return
    finally:
        opened.close()
    if step == HEAD:
        yield Finding(True, f"tables: at step {HEAD}")
    else:
        yield Finding(False, f"tables: at step {step}, not {HEAD}: run `z4j migrate`.")


def provider(settings: Settings) -> Iterator[Finding]:
    """Look at the settings of the identity provider; what it says itself is not asked."""
    from sqlalchemy.exc import SQLAlchemyError

    from z4j_brain.auth.oidc import config
    from z4j_brain.brain import open_database
    from z4j_brain.store import projects

    try:
        oidc = config.read(settings)
    except SettingsError as error:
        yield Finding(False, f"identity provider: {error}")
        return
    if oidc is None or (settings.is_sqlite and not sqlite_file(settings).exists()):
        return
    opened = open_database(settings)
    try:
        with opened.read() as connection:
            lost = [s for s in oidc.roles.projects if projects.find_slug(connection, s) is None]
    except SQLAlchemyError:
        return  # `database` has told it
    finally:
        opened.close()
    for slug in lost:
        yield Finding(False, f"Z4J_OIDC_ROLES names the project {slug}, which does not exist.")
    if not lost:
        yield Finding(True, f"identity provider: {oidc.issuer}")


def _version(opened: Database) -> Finding:
    with opened.read() as connection:
        version = [int(part) for part in connection.dialect.server_version_info or (0,)]
    shown = ".".join(map(str, version))
    if opened.is_postgres:
        is_good = version[0] >= LEAST_POSTGRES
        advice = "" if is_good else f"; z4j needs PostgreSQL {LEAST_POSTGRES} or newer"
        return Finding(is_good, f"database: PostgreSQL {shown}{advice}")
    is_good = sqlite3.sqlite_version_info >= LEAST_SQLITE
    advice = "" if is_good else "; z4j needs SQLite 3.38 or newer, which comes with Python"
    return Finding(is_good, f"database: SQLite {sqlite3.sqlite_version}{advice}")


def dashboard() -> Finding:
    """Look at the dashboard's files."""
    from z4j_brain.web.dashboard import STATIC

    if (STATIC / "index.html").is_file():
        return Finding(True, "dashboard: built")
    return Finding(False, "dashboard: this build holds none; install the released package.")
