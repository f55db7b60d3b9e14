"""`z4j status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from z4j_brain.cli import _table
from z4j_brain.cli._opening import load_settings, opened

if TYPE_CHECKING:
    from z4j_brain.reconcile.status import InstanceStatus, TableStatus

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


@click.command(short_help="Show tables with sizes and retention, oldest event, leader.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def command(as_json: bool) -> None:
    """Show the state of the database: tables with sizes and retention, oldest event, leader.

    Asks the database alone, so the server need not run. Rows are an estimate on PostgreSQL.
    """
    from z4j_brain.reconcile.status import instance_status

    settings = load_settings().settings
    with opened(settings) as database, database.read() as connection:
        found = instance_status(connection, settings)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        _show(found)


def _show(found: InstanceStatus) -> None:
    from z4j_brain import __version__
    from z4j_brain.api.times import rfc3339

    _table.show(
        ("What", "State"),
        [
            ("z4j", __version__),
            ("database", f"{found.database}, {readable(found.bytes)}, at step {found.step}"),
            ("oldest event", rfc3339(found.oldest_event_at) or "none"),
            ("workers online", str(found.workers_online)),
            ("leader", _leader(found)),
        ],
    )
    click.echo()
    _table.show(("Table", "Rows", "Size", "Kept for"), [_row(table) for table in found.tables])


def _leader(found: InstanceStatus) -> str:
    from z4j_brain.api.times import rfc3339

    if found.leader is not None:
        return f"{found.leader.replica}, connected since {rfc3339(found.leader.since)}"
    if found.database.startswith("SQLite"):
        return "the only server; SQLite needs no election"
    return "none: no server runs, or one is about to be elected"


def _row(table: TableStatus) -> tuple[str, str, str, str]:
    size = table.size
    mark = {"exact": "", "estimate": "about ", "at_least": "at least "}[size.accuracy]
    return (
        size.name,
        f"{mark}{size.rows:,}",
        "not measured" if size.bytes is None else readable(size.bytes),
        _kept(table.kept_days),
    )


def _kept(days: int | None) -> str:
    if days is None:
        return "ever"
    return f"{days} days" if days else "until it has run out"


def readable(size: int) -> str:
    """Write bytes in the largest unit of which there is at least one."""
    value, unit = float(size), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"
