"""Which worker samples which queue: a claim on the queue's row, so that all replicas agree.

A claim holds while its worker is online and knows the broker, and is renewed by samples; one whose
samples stay away goes to the next worker in order. Any worker that knows the broker can ask it for
any queue, so a queue that only a short-lived publisher knew is sampled all the same.
"""

from __future__ import annotations

import uuid
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Subquery,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from z4j_brain.store.schema import queues, worker_queues, workers

CANDIDATES = 8
"""So many of the workers that know a broker are considered, in their order."""
CLAIMS = 200
"""A round claims no more queues; the next one goes on."""
_BROKER = ("project_id", "engine", "broker")
_KEY = (*_BROKER, "queue")


class QueueKey(msgspec.Struct, frozen=True, gc=False):
    """One queue of one broker, in a project."""

    project_id: uuid.UUID
    engine: str
    broker: str
    queue: str


class Claim(msgspec.Struct, frozen=True):
    """A queue and the worker that is to sample it from now on, in place of another or of none."""

    key: QueueKey
    sampler: uuid.UUID
    former: uuid.UUID | None


class Assignment(msgspec.Struct, frozen=True):
    """A queue and the online worker that is elected to sample it."""

    key: QueueKey
    sampler: uuid.UUID


def due_claims(connection: Connection, silent_since: int) -> list[Claim]:
    """Return the claims to make: of queues whose sampler is gone, forgot the broker, or has told
    nothing since this time although it was elected before it.

    The order of workers: role worker before the others, then the longest known, so that one is
    elected for all queues of a broker.
    """
    is_due = or_(~_is_held(), _is_silent(silent_since))
    broker = [queues.c[name] for name in _BROKER]
    due = connection.execute(select(*broker).where(is_due).distinct()).all()
    if not due:  # as nearly always; the candidates are the dear part
        return []
    ranked = _candidates({row.project_id for row in due}, {row.broker for row in due})
    order = [queues.c[name] for name in _KEY]
    rows = connection.execute(
        select(*order, queues.c.sampler, ranked.c.worker_row.label("candidate"))
        .join(ranked, _is_same_broker(ranked))
        .where(is_due, ranked.c.place <= CANDIDATES)
        .order_by(*order, ranked.c.place)
        .limit(CLAIMS * CANDIDATES)
    ).all()
    grouped = groupby(rows, key=lambda row: QueueKey(*(getattr(row, name) for name in _KEY)))
    return [_choose(key, list(group)) for key, group in grouped]


def _candidates(projects: set[uuid.UUID], brokers: set[str]) -> Subquery:
    """The online workers of each of these brokers, with their place in its order."""
    knows = (
        select(
            *(worker_queues.c[name] for name in _BROKER),
            worker_queues.c.worker_row,
            workers.c.role,
            workers.c.first_seen,
        )
        .join(workers, and_(workers.c.id == worker_queues.c.worker_row, workers.c.online))
        .where(worker_queues.c.project_id.in_(projects), worker_queues.c.broker.in_(brokers))
        .distinct()
        .subquery()
    )
    rank = case((knows.c.role == "worker", 0), else_=1)
    mine = [knows.c[name] for name in _BROKER]
    order = (rank, knows.c.first_seen, knows.c.worker_row)
    place = func.row_number().over(partition_by=mine, order_by=order)
    return select(*mine, knows.c.worker_row, place.label("place")).subquery()


def claim(connection: Connection, claims: list[Claim], now: int) -> int:
    """Make claims, except those that another replica made meanwhile; return how many we made."""
    made = 0
    for one in claims:
        done = connection.execute(
            update(queues)
            .where(
                *(queues.c[name] == getattr(one.key, name) for name in _KEY),
                queues.c.sampler.is_not_distinct_from(one.former),
            )
            .values(sampler=one.sampler, elected_at=now)
        )
        made += done.rowcount
    return made


def assignments(connection: Connection) -> list[Assignment]:
    """Return every queue that has an online sampler, in the order of their keys."""
    key = [queues.c[name] for name in _KEY]
    rows = connection.execute(select(*key, queues.c.sampler).where(_is_held()).order_by(*key))
    return [Assignment(QueueKey(*row[:4]), row.sampler) for row in rows]


def _choose(key: QueueKey, rows: list[Any]) -> Claim:
    former = rows[0].sampler
    order = [row.candidate for row in rows]
    # A silent sampler gives way to the next, and the last one to the first again.
    following = order.index(former) + 1 if former in order else 0
    return Claim(key, order[following % len(order)], former)


def _is_same_broker(table: FromClause) -> ColumnElement[bool]:
    return and_(*(table.c[name] == queues.c[name] for name in _BROKER))


def _is_held() -> ColumnElement[bool]:
    holder, known = workers.alias("holder"), worker_queues.alias("known")
    return (
        exists()
        .where(
            holder.c.id == queues.c.sampler,
            holder.c.online,
            known.c.worker_row == holder.c.id,
            _is_same_broker(known),
        )
        .correlate(queues)
    )


def _is_silent(since: int) -> ColumnElement[bool]:
    return and_(
        queues.c.elected_at < since,
        or_(queues.c.sampled_at.is_(None), queues.c.sampled_at < since),
    )
