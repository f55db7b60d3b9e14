"""A table of text for the terminal: aligned columns, no frame, nothing cut."""

from __future__ import annotations

from collections.abc import Sequence

import click


def show(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the rows under bold headings; the last column is not padded."""
    lines = [headings, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(headings))]
    for number, line in enumerate(lines):
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        click.secho("  ".join(cells).rstrip(), bold=number == 0)
