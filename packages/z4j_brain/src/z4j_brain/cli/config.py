"""`z4j config`."""

from __future__ import annotations

import os
from typing import Any

import click
import msgspec

from z4j_brain.cli._opening import load_settings, masked_url
from z4j_brain.keys import MASTER, PREVIOUS, SESSION, SecretsError, load_keys
from z4j_brain.settings import SECRET, Loaded, Settings, descriptions, variable


@click.command(short_help="List every setting, its value, and where it comes from.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(as_json: bool) -> None:
    """List every setting: its value, where it comes from, its default, what it is for.

    A setting is an environment variable. Secrets and passwords are not shown.
    """
    rows = describe(load_settings())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(rows)).decode())
        return
    for row in rows:
        click.secho(row["name"], bold=True, nl=False)
        click.echo(f" = {row['value']}   ({row['source']}; default: {row['default'] or 'none'})")
        click.echo(f"    {row['help']}")


def describe(loaded: Loaded) -> list[dict[str, Any]]:
    """Return one row a setting, secrets first and masked."""
    rows = [_secret(name, loaded.settings) for name in (MASTER, PREVIOUS, SESSION)]
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    purposes = descriptions()
    for field in Settings.__struct_fields__:
        rows.append(
            {
                "name": variable(field),
                "value": _shown(field, getattr(loaded.settings, field)),
                "source": loaded.sources[field],
                "default": _shown(field, defaults[field]),
                "help": purposes[field],
            }
        )
    return rows


def _secret(name: str, settings: Settings) -> dict[str, Any]:
    try:
        source = load_keys(settings, os.environ).sources[name]
        value = "" if source == "none" else "(set, not shown)"
    except SecretsError as error:
        source, value = "none", "(missing or too weak)"
        if name in str(error) and os.environ.get(name):
            source = "env"
    return {
        "name": name,
        "value": value,
        "source": source,
        "default": "" if name == PREVIOUS else "made on the first start, kept in secret.env",
        "help": {
            MASTER: "Master of the projects' signing secrets; changing it cuts off every agent.",
            PREVIOUS: "Former values of Z4J_SECRET, to read what was made under them.",
            SESSION: "Signs the sessions of browsers; changing it signs everybody out.",
        }[name],
    }


def _shown(field: str, value: Any) -> str:
    if field == "database_url" and value:
        return masked_url(value)
    if value is None:
        return ""
    if field in SECRET and value:
        return "(set, not shown)"
    return ",".join(value) if isinstance(value, tuple) else str(value)
