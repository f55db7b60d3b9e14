"""`z4j doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from z4j_brain.cli._opening import load_settings
from z4j_brain.keys import SecretsError, load_keys
from z4j_brain.settings import Settings

if TYPE_CHECKING:
    from z4j_brain.cli._doctor.finding import Finding


@click.command(short_help="Find out what is wrong, or dangerous, and what to do about it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def command(as_json: bool) -> None:
    """Look at settings, secrets, database, tables, disk, clock, rules and the dashboard's files.

    Changes nothing, and may run beside a server. After a change of Z4J_SECRET it names the agents
    and API keys that need new ones. `look` is for what may be meant so; the exit code is 1 when
    something is BAD and 0 otherwise. `z4j check` looks only at what a server needs to start.
    """
    from z4j_brain.cli._doctor.telling import tell

    tell(list(_findings(load_settings().settings)), as_json=as_json)


def _findings(settings: Settings) -> Iterator[Finding]:
    from z4j_brain.cli._doctor.exposure import look_at_exposure
    from z4j_brain.cli._doctor.machine import look_at_clock, look_at_disk
    from z4j_brain.cli._doctor.start import look_at_start

    has_record = yield from look_at_start(settings)
    yield from look_at_exposure(settings)
    yield from look_at_disk(settings)
    if has_record:
        yield from look_at_clock(settings)
        yield from _of_the_record(settings)


def _of_the_record(settings: Settings) -> Iterator[Finding]:
    from z4j_brain.brain import open_database
    from z4j_brain.cli._doctor.provider import look_at_groups
    from z4j_brain.cli._doctor.record import look_at_administrators, look_at_rules
    from z4j_brain.cli._doctor.secrets import look_at_rotation

    database = open_database(settings)
    try:
        with database.read() as connection:
            yield from look_at_rules(connection)
            yield from look_at_administrators(connection)
            yield from look_at_groups(connection, settings)
            try:
                yield from look_at_rotation(connection, load_keys(settings, os.environ))
            except SecretsError:
                return  # said already
    finally:
        database.close()
