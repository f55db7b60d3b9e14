"""`z4j config`."""

from __future__ import annotations

import os

import click
import msgspec

from z4j_brain.cli._opening import load_settings
from z4j_brain.configuration import SecretState, describe, secret_states, unusable_secrets
from z4j_brain.keys import SecretsError, load_keys
from z4j_brain.settings import Settings


@click.command(short_help="List every setting, its value, and where it comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(as_json: bool) -> None:
    """List every setting: its value, where it comes from, its default, what it is for.

    A setting is an environment variable. Secrets and passwords are not shown.
    """
    loaded = load_settings()
    rows = describe(loaded.settings, loaded.sources, _secrets(loaded.settings))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    for row in rows:
        click.secho(row.name, bold=True, nl=False)
        click.echo(f" = {row.value}   ({row.source}; default: {row.default or 'none'})")
        click.echo(f"    {row.help}")


def _secrets(settings: Settings) -> dict[str, SecretState]:
    try:
        return secret_states(load_keys(settings, os.environ))
    except SecretsError as error:
        states = unusable_secrets()
        for name, state in states.items():
            if name in str(error) and os.environ.get(name):
                states[name] = SecretState("env", state.value)
        return states
