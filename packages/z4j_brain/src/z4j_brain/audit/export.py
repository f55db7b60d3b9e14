"""Rows of the audit log as text: JSON Lines and CSV, one row at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from z4j_brain.store.audit import AuditRow
from z4j_brain.store.types import to_datetime

Format = Literal["jsonl", "csv"]
COLUMNS = ("project", *AuditRow.__struct_fields__[1:])
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(form: Format, name: str, found: Iterable[AuditRow]) -> Iterator[str]:
    """Return the rows of a chain as lines, each with its line end; no headings."""
    for row in found:
        values = _values(name, row)
        if form == "jsonl":
            yield msgspec.json.encode(values | _parsed(row)).decode() + "\n"
        else:
            yield _csv([_cell(values[column]) for column in COLUMNS])


def headings(form: Format) -> str:
    """Return what stands before the first row."""
    return _csv(list(COLUMNS)) if form == "csv" else ""


def _values(name: str, row: AuditRow) -> dict[str, Any]:
    values: dict[str, Any] = {"project": name} | msgspec.structs.asdict(row)
    del values["chain"]
    values["at"] = to_datetime(row.at).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return values | {"previous": row.previous.hex(), "mac": row.mac.hex()}


def _parsed(row: AuditRow) -> dict[str, Any]:
    """Give JSON as JSON; what somebody has made unreadable stays text."""
    return {"before": _json(row.before), "after": _json(row.after)}


def _json(text: str | None) -> Any:
    try:
        return None if text is None else msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def _csv(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _cell(value: Any) -> str:
    """Return the text of a cell; one that a spreadsheet would run as a formula gets a quote."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
