"""`z4j createsuperuser`."""

from __future__ import annotations

import re

import click

from z4j_brain.cli._new_password import read_new_password
from z4j_brain.cli._opening import command_line, load_settings, open_keys, opened


@click.command(short_help="Make an administrator of the whole instance.")
@click.option("--email", prompt=True, help="Address to sign in with.")
@click.option("--name", prompt=True, help="Name that others see.")
def command(email: str, name: str) -> None:
    """Make an administrator of the whole instance.

    The password is asked for, or read from standard input when that is no terminal: at least 15
    characters on one line, not easily guessed. It is never taken from the command line, where
    others could see it.
    """
    from sqlalchemy.exc import IntegrityError

    from z4j_brain import clock
    from z4j_brain.audit.author import user_target
    from z4j_brain.audit.recording import record
    from z4j_brain.auth.passwords import Passwords
    from z4j_brain.store import users

    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email) or len(email) > 254 or not name.strip():
        raise click.ClickException("Give an e-mail address such as ada@example.org, and a name.")
    password = read_new_password(email, name)
    settings = load_settings().settings
    with opened(settings) as database:
        by = command_line(open_keys(settings))
        password_hash = Passwords().hash(password)
        try:
            with database.write() as connection:
                user = users.create(
                    connection,
                    email=email,
                    name=name,
                    password_hash=password_hash,
                    is_admin=True,
                    now=clock.now(),
                )
                after = {"is_admin": True}
                record(connection, by, "user.created", user_target(user), after=after)
        except IntegrityError:
            raise click.ClickException(f"{email} has an account already.") from None
    click.echo(f"{email} can sign in now, and may do everything.")
