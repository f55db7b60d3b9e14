"""How findings are printed."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from z4j_brain.cli._doctor.finding import Finding, Level

_COLOURS = {Level.GOOD: "green", Level.LOOK: "yellow", Level.BAD: "red"}


def tell(found: Sequence[Finding], *, as_json: bool) -> None:
    """Print what was found; end with 1 when something is bad."""
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        for finding in found:
            mark, is_good = finding.level.value, finding.level is Level.GOOD
            click.secho(mark.ljust(5), fg=_COLOURS[finding.level], bold=not is_good, nl=False)
            click.echo(finding.text)
    if any(finding.level is Level.BAD for finding in found):
        raise SystemExit(1)
