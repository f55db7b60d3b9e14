"""What most verbs begin with: settings, keys, and an open database, or an error in plain words."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from z4j_brain.configuration import masked_url
from z4j_brain.keys import Keys, SecretsError, load_keys
from z4j_brain.settings import Loaded, Settings, SettingsError, load

if TYPE_CHECKING:
    from z4j_brain.audit.author import Author
    from z4j_brain.store.database import Database


def warn(text: str) -> None:
    """Show a warning on standard error."""
    click.secho(f"Warning: {text}", fg="yellow", err=True)


def load_settings(**flags: Any) -> Loaded:
    """Read the settings and show what looks wrong; ends the command when they are unusable."""
    try:
        loaded = load(os.environ, flags)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    for warning in loaded.warnings:
        warn(warning)
    return loaded


def open_keys(settings: Settings, *, mint: bool = False) -> Keys:
    """Read the secrets; ends the command when there are none."""
    try:
        return load_keys(settings, os.environ, mint=mint)
    except SecretsError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(
            f"Cannot write to {settings.home}: {error.strerror}. Set Z4J_HOME to a folder of yours."
        ) from None


def command_line(keys: Keys) -> Author:
    """Return who calls a verb, for the audit log: the account on this machine."""
    from z4j_brain.audit.author import Actor, Author

    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in many containers
        user = str(os.getuid()) if hasattr(os, "getuid") else "unknown"
    return Author(keys, Actor("system", None, f"command line ({user})"))


@contextmanager
def opened(settings: Settings, *, must_be_current: bool = True) -> Iterator[Database]:
    """Open the database, and close it at the end; ends the command when it cannot be used."""
    from sqlalchemy.exc import OperationalError

    from z4j_brain.brain import open_database
    from z4j_brain.store.migrate import at_head

    if settings.is_sqlite:
        _make_private(sqlite_file(settings))
    database = open_database(settings)
    try:
        if must_be_current:
            with database.read() as connection:
                is_current = at_head(connection)
            if not is_current:
                raise click.ClickException(
                    "The database has not the tables of this version: run `z4j migrate`."
                )
        yield database
    except OperationalError as error:
        raise click.ClickException(describe(error, settings)) from None
    finally:
        database.close()


def sqlite_file(settings: Settings) -> Path:
    """Return the path of the SQLite database."""
    return Path(settings.database_url.removeprefix("sqlite:///").partition("?")[0])


def _make_private(path: Path) -> None:
    """Make the folder and an empty file for the owner alone; SQLite's other files follow its mode.

    What is there already keeps its mode.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    except OSError as error:
        raise click.ClickException(
            f"Cannot write {path}: {error.strerror}. Set Z4J_HOME to a folder of yours."
        ) from None


def describe(error: Exception, settings: Settings) -> str:
    """Say that the database is out of reach, and why, without its password."""
    cause = str(getattr(error, "orig", None) or error).strip().splitlines()[-1]
    return (
        f"The database {masked_url(settings.database_url)} does not answer: {cause}."
        " Check Z4J_DATABASE_URL and that the database runs."
    )
