"""`z4j check`."""

from __future__ import annotations

import click

from z4j_brain.cli._opening import load_settings


@click.command(short_help="Say whether a server could start: settings, secrets, database, tables.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def command(as_json: bool) -> None:
    """Look at what a server needs to start, for the last step of a deployment.

    Changes nothing. The exit code is 1 when something is missing. `z4j doctor` looks at more, and
    at what is dangerous.
    """
    from z4j_brain.cli._doctor.start import look_at_start
    from z4j_brain.cli._doctor.telling import tell

    tell(list(look_at_start(load_settings().settings)), as_json=as_json)
