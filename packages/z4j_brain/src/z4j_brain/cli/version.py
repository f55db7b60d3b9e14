"""`z4j version`."""

from __future__ import annotations

import platform

import click

from z4j_brain import __version__


@click.command(short_help="Show the versions of z4j and Python.")
def command() -> None:
    """Show the versions of z4j and of the Python it runs on."""
    click.echo(f"z4j {__version__} (Python {platform.python_version()}, {platform.system()})")
