"""`z4j sign-in-link`."""

from __future__ import annotations

import click

from z4j_brain.cli._opening import command_line, load_settings, open_keys, opened


@click.command(short_help="Print a link that signs somebody in, once.")
@click.argument("email")
@click.option("--url", help="Where people reach the server, such as https://z4j.example.com.")
def command(email: str, url: str | None) -> None:
    """Print a link that signs somebody in once, within ten minutes.

    The way back in when the identity provider is the only way and does not let anybody in, and the
    way to link an account that is older than the provider. No second step is asked for.
    """
    from z4j_brain import clock
    from z4j_brain.audit.author import user_target
    from z4j_brain.audit.recording import record
    from z4j_brain.auth.sign_in import mint_link
    from z4j_brain.store import users

    settings = load_settings().settings
    keys = open_keys(settings)
    with opened(settings) as database, database.write() as connection:
        found = users.find_account(connection, email)
        if found is None:
            raise click.ClickException(f"{email} has no account.")
        if found.is_disabled:
            raise click.ClickException(f"{email} is disabled; another administrator enables it.")
        users.lock_account(connection, found.user.id)
        token = mint_link(connection, keys, found.user.id, clock.now())
        record(connection, command_line(keys), "sign_in_link.made", user_target(found.user))
    base = (url or f"http://{settings.host}:{settings.port}{settings.root_path}").rstrip("/")
    click.echo(f"{base}/sign-in/once?token={token}")
