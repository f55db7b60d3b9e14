"""`z4j migrate`."""

from __future__ import annotations

import click

from z4j_brain.cli._opening import load_settings, opened
from z4j_brain.settings import Settings


@click.command(short_help="Bring the database to the tables of this version.")
def command() -> None:
    """Bring the database to the tables of this version.

    Safe to run at any time and from several machines at once: what is done already is left alone.
    With SQLite, `z4j serve` does it by itself.
    """
    migrate(load_settings().settings)


def migrate(settings: Settings) -> None:
    """Run the missing steps, and say each."""
    from z4j_brain.store.migrate import NewerDatabaseError, upgrade

    steps: list[str] = []

    def on_step(text: str) -> None:
        steps.append(text)
        click.echo(f"Step {text}")

    with opened(settings, must_be_current=False) as database:
        try:
            upgrade(database, on_step)
        except NewerDatabaseError as error:
            raise click.ClickException(str(error)) from None
    click.echo(f"{len(steps)} step(s) done." if steps else "The database is up to date.")
