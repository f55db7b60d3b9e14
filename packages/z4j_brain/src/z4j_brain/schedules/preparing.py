"""From what an agent tells of schedules to what is stored: redacted by the project's rules."""

from __future__ import annotations

import msgspec

from z4j_brain.ingest.cleaning import Unstorable, clean_payload, clean_text
from z4j_brain.redaction.cleaner import Cleaner
from z4j_brain.store.schedules import ToldSchedule
from z4j_core.schedules import WireSchedule

MAX_TEXT = 500
_LATEST = (1 << 52) - 1


def prepared(wire: WireSchedule, cleaner: Cleaner) -> ToldSchedule:
    """Return the columns of a schedule."""

    def text(value: str | None) -> str | None:
        return None if value is None else clean_text(value, cleaner)[:MAX_TEXT]

    form, hidden = _form(wire, cleaner)
    return ToldSchedule(
        schedule=wire.id,
        name=text(wire.name) or "",
        timing=text(wire.timing) or "",
        owner=wire.owner.value,
        task=text(wire.task),
        queue=text(wire.queue),
        every_s=wire.every_s,
        timezone=text(wire.timezone),
        arguments=_object(wire.arguments, cleaner).decode(),
        enabled=wire.enabled,
        last_run_at=_time(wire.last_run_at),
        next_run_at=_time(wire.next_run_at),
        runs=wire.runs,
        undone_by=text(wire.undone_by),
        absent=_encode({name: text(reason) for name, reason in wire.absent.items()}),
        form=_encode(form),
        hidden=_encode(hidden),
    )


def _form(wire: WireSchedule, cleaner: Cleaner) -> tuple[dict[str, object], list[str]]:
    """Leave out what the project's rules hide: whoever saves a form must not save a mask."""
    try:
        told = msgspec.json.decode(wire.values, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}, list(wire.hidden)
    shown = msgspec.json.decode(_object(wire.values, cleaner), type=dict[str, object])
    same = {name: value for name, value in told.items() if shown.get(name, ...) == value}
    hidden = [clean_text(name, cleaner) for name in (*wire.hidden, *(told.keys() - same.keys()))]
    return same, sorted(set(hidden))


def _object(encoded: bytes, cleaner: Cleaner) -> bytes:
    try:
        return clean_payload(encoded, cleaner)
    except Unstorable:
        return b"{}"


def _time(micros: int | None) -> int | None:
    return None if micros is None else min(micros, _LATEST)


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()
