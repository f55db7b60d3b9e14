"""`z4j reset-mfa`."""

from __future__ import annotations

import click

from z4j_brain.cli._opening import load_settings, opened


@click.command(short_help="Let somebody sign in by password alone.")
@click.argument("email")
def command(email: str) -> None:
    """Remove somebody's authenticator app and recovery codes, and sign them out everywhere.

    For people who have lost both. Make sure that it is they who ask.
    """
    from z4j_brain.store import one_time_tokens, second_factors, sessions, users

    with opened(load_settings().settings) as database, database.write() as connection:
        found = users.find_account(connection, email)
        if found is None:
            raise click.ClickException(f"{email} has no account.")
        users.lock_account(connection, found.user.id)
        had = second_factors.remove(connection, found.user.id)
        one_time_tokens.remove_of_user(connection, found.user.id)
        ended = sessions.remove_of_user(connection, found.user.id)
    what = "The second step is off" if had else "There was no second step"
    click.echo(f"{what} for {found.user.email}; sessions ended: {len(ended)}.")
