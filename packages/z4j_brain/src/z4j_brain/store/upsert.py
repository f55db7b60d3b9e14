"""The fold of `z4j_core.fold` as SQL: `ON CONFLICT … DO UPDATE` generated from the same slots.

The rules are those of `join`: what memory and the database make of the same rows is equal, in any
order, for any split into batches. Null means "not told yet" and never wins over a value.
"""

from __future__ import annotations

from z4j_core.fold import (
    LAST_OPEN_RANK,
    RANKS_PER_ATTEMPT,
    SLOT_OF,
    STATE_OF_RANK,
    UNKNOWN,
    Slot,
    TaskRow,
)

KEY_COLUMNS = ("project_id", "engine", "task_id")
ROW_COLUMNS = TaskRow.__struct_fields__
TASK_COLUMNS = (*KEY_COLUMNS, *ROW_COLUMNS)

_NEWER = (
    "(excluded.state_rank > tasks.state_rank OR (excluded.state_rank = tasks.state_rank"
    " AND excluded.state_at < tasks.state_at))"
)
_TIE = "(excluded.state_rank = tasks.state_rank AND excluded.state_at = tasks.state_at)"
_NO_DOUBT = "excluded.unknown_at IS NULL AND tasks.unknown_at IS NULL"
_LATER_DOUBT = (
    "excluded.unknown_at IS NOT NULL"
    " AND (tasks.unknown_at IS NULL OR excluded.unknown_at > tasks.unknown_at)"
)


def on_conflict(*, postgres: bool) -> str:
    """Return the clause that joins `excluded` into the row of `tasks` with the same key."""
    assignments = ",\n".join(
        f"{name} = {_joined(name, slot, postgres)}" for name, slot in SLOT_OF.items()
    )
    return f"ON CONFLICT ({', '.join(KEY_COLUMNS)}) DO UPDATE SET\n{assignments}"


def _joined(name: str, slot: Slot, postgres: bool) -> str:
    least, greatest = _extremes(name, postgres)
    if slot is Slot.LEAST:
        return least
    if slot is Slot.GREATEST or name == "unknown_at":
        return greatest
    if slot is Slot.STATE:
        return _state(postgres)
    if slot is Slot.DOUBT:
        return (
            f"CASE WHEN {_LATER_DOUBT} THEN excluded.{name}"
            f" WHEN excluded.unknown_at = tasks.unknown_at THEN {greatest} ELSE tasks.{name} END"
        )
    if slot is Slot.HEAD:
        return (
            f"CASE WHEN {_NEWER} THEN excluded.{name}"
            f" WHEN {_TIE} THEN {greatest} ELSE tasks.{name} END"
        )
    return (
        f"CASE WHEN excluded.attempt > tasks.attempt THEN excluded.{name}"
        f" WHEN excluded.attempt = tasks.attempt THEN {least} ELSE tasks.{name} END"
    )


def _state(postgres: bool) -> str:
    """Return the state of the joined row; nearly always nobody has doubted it."""
    rank, last_at, unknown_at = (
        _extremes(name, postgres)[1] for name in ("state_rank", "last_at", "unknown_at")
    )
    kind = f"({rank}) % {RANKS_PER_ATTEMPT}"
    states = " ".join(f"WHEN {number} THEN '{state}'" for number, state in STATE_OF_RANK.items())
    return (
        f"CASE WHEN {_NO_DOUBT} THEN CASE WHEN {_NEWER} THEN excluded.state ELSE tasks.state END"
        f" WHEN {unknown_at} >= {last_at} AND {kind} <= {LAST_OPEN_RANK} THEN '{UNKNOWN}'"
        f" ELSE CASE {kind} {states} END END"
    )


def _extremes(name: str, postgres: bool) -> tuple[str, str]:
    """Return the smaller and the greater known value of both rows as SQL."""
    both = f"tasks.{name}, excluded.{name}"
    if postgres:
        return f"least({both})", f"greatest({both})"
    # SQLite's min() and max() of several arguments are null as soon as one of them is.
    return f"coalesce(min({both}), {both})", f"coalesce(max({both}), {both})"
