"""`z4j reset-mfa`."""

from __future__ import annotations

import click

from z4j_brain.cli._opening import command_line, load_settings, open_keys, opened


@click.command(short_help="Let somebody sign in by password alone.")
@click.argument("email")
def command(email: str) -> None:
    """Remove somebody's authenticator app, passkeys and recovery codes; sign them out everywhere.

    For people who have lost them. Make sure that it is they who ask.
    """
    from z4j_brain.audit.author import user_target
    from z4j_brain.audit.recording import record
    from z4j_brain.store import one_time_tokens, passkeys, second_factors, sessions, users

    settings = load_settings().settings
    by = command_line(open_keys(settings))
    with opened(settings) as database, database.write() as connection:
        found = users.find_account(connection, email)
        if found is None:
            raise click.ClickException(f"{email} has no account.")
        users.lock_account(connection, found.user.id)
        had = second_factors.remove_app(connection, found.user.id)
        keys = passkeys.remove_of_user(connection, found.user.id)
        second_factors.remove_idle_codes(connection, found.user.id)
        one_time_tokens.remove_of_user(connection, found.user.id)
        ended = sessions.remove_of_user(connection, found.user.id)
        after = {"had_app": had, "passkeys": keys, "sessions_ended": len(ended)}
        record(connection, by, "second_factor.reset", user_target(found.user), after=after)
    what = "The second step is off" if had or keys else "There was no second step"
    click.echo(
        f"{what} for {found.user.email}; passkeys removed: {keys}, sessions ended: {len(ended)}."
    )
