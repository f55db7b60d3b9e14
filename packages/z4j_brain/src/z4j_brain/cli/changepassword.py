"""`z4j changepassword`."""

from __future__ import annotations

import click

from z4j_brain.cli._new_password import read_new_password
from z4j_brain.cli._opening import command_line, load_settings, open_keys, opened


@click.command(short_help="Give somebody a new password.")
@click.argument("email")
def command(email: str) -> None:
    """Give somebody a new password, and sign them out everywhere.

    The password is asked for, or read from standard input when that is no terminal. A second step
    of the sign-in stays as it is: see `z4j reset-mfa`.
    """
    from z4j_brain.auth import account
    from z4j_brain.auth.passwords import Passwords
    from z4j_brain.store import users

    settings = load_settings().settings
    with opened(settings) as database:
        by = command_line(open_keys(settings))
        with database.read() as connection:
            found = users.find_account(connection, email)
        if found is None:
            raise click.ClickException(f"{email} has no account.")
        passwords = Passwords()
        password_hash = passwords.hash(read_new_password(found.user.email, found.user.name))
        passwords.close()
        try:
            with database.write() as connection:
                ended = account.replace_password(connection, by, found, password_hash)
        except account.WrongPasswordError:
            raise click.ClickException("The password was changed meanwhile. Try again.") from None
    click.echo(f"{found.user.email} has a new password; sessions ended: {len(ended)}.")
