"""Allowances that all replicas share: one row for each subject, one statement for each use."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, text

from z4j_brain.store.schema import rate_limits as limits
from z4j_brain.store.types import Bytes, UtcTime

_TIMES = ("now", "fresh", "last")


def take(connection: Connection, subject: bytes, cost_us: int, burst_us: int, now: int) -> int:
    """Take from an allowance and return 0, or return the microseconds to wait, nothing taken.

    The generic cell rate algorithm (ITU-T I.371, annex A, virtual scheduling): a row holds the time
    at which the whole allowance is there again, and each use puts it off by its cost. An allowance
    is `burst_us` worth; `cost_us` is at most that.
    """
    # PostgreSQL adds intervals to times; on SQLite both are numbers.
    later = "CAST(:cost AS bigint) * interval '1 microsecond'"
    step = later if connection.dialect.name == "postgresql" else ":cost"
    query = text(
        "INSERT INTO rate_limits (subject, full_at) VALUES (:subject, :fresh)"  # noqa: S608
        " ON CONFLICT (subject) DO UPDATE SET full_at = CASE WHEN rate_limits.full_at > :now"
        f" THEN rate_limits.full_at + {step} ELSE excluded.full_at END"
        " WHERE rate_limits.full_at <= :last RETURNING subject"
    ).bindparams(
        bindparam("subject", type_=Bytes), *(bindparam(name, type_=UtcTime()) for name in _TIMES)
    )
    last = now + burst_us - cost_us
    values = {"subject": subject, "now": now, "fresh": now + cost_us, "last": last, "cost": cost_us}
    if connection.execute(query, values).first() is not None:
        return 0
    found = connection.execute(select(limits.c.full_at).where(limits.c.subject == subject)).scalar()
    return 1 if found is None else max(1, found - last)
