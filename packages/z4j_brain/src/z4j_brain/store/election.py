"""Which worker looks after which thing: a claim on the thing's row, so that all replicas agree.

A thing is a queue, or a store of schedules; a place is what a worker must know to look after it:
the queue's broker, or the store itself. A claim holds while its worker is online and knows the
place, and is renewed by what it tells; one whose worker tells nothing goes to the next worker in
order. Any worker that knows the place will do, so a queue that only a short-lived publisher knew is
sampled all the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Hashable
from itertools import groupby
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Subquery,
    Table,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from z4j_brain.store.schema import workers

CANDIDATES = 8
"""So many of the workers that know a place are considered, in their order."""
CLAIMS = 200
"""A round claims no more things; the next one goes on."""
Key = TypeVar("Key", bound=Hashable)


class Claim(msgspec.Struct, Generic[Key], frozen=True):
    """A thing and the worker that is to look after it, in place of another or of none."""

    key: Key
    sampler: uuid.UUID
    former: uuid.UUID | None


class Assignment(msgspec.Struct, Generic[Key], frozen=True):
    """A thing and the online worker that is elected to look after it."""

    key: Key
    sampler: uuid.UUID


class Election(Generic[Key]):
    """Elections over the rows of `things`, whose columns `sampler`, `elected_at` and `sampled_at`
    are of the claim. `known` says which worker knows which place; `key` is a Struct of the columns
    that a thing is found by, and `place` are the first of these. `roles` go before the others.
    """

    def __init__(
        self,
        things: Table,
        known: Table,
        key: type[Key],
        place: tuple[str, ...],
        roles: tuple[str, ...] = ("worker",),
    ) -> None:
        self._roles = roles
        self._things = things
        self._known = known
        self._key = key
        self._place = place
        self._names: tuple[str, ...] = key.__struct_fields__  # type: ignore[attr-defined]

    def due_claims(self, connection: Connection, silent_since: int) -> list[Claim[Key]]:
        """Return the claims to make: of things whose worker is gone, forgot the place, or has told
        nothing since this time although it was elected before it.

        The order of workers: by the preferred roles, then the longest known, so that one is
        elected for all things of a place.
        """
        things = self._things
        is_due = or_(~self._is_held(), self._is_silent(silent_since))
        place = [things.c[name] for name in self._place]
        due = connection.execute(select(*place).where(is_due).distinct()).all()
        if not due:  # as nearly always; the candidates are the dear part
            return []
        ranked = self._candidates({row[0] for row in due}, {row[-1] for row in due})
        order = [things.c[name] for name in self._names]
        rows = connection.execute(
            select(*order, things.c.sampler, ranked.c.worker_row.label("candidate"))
            .join(ranked, self._is_same_place(ranked))
            .where(is_due, ranked.c.place <= CANDIDATES)
            .order_by(*order, ranked.c.place)
            .limit(CLAIMS * CANDIDATES)
        ).all()
        grouped = groupby(rows, key=lambda row: self._key(*row[: len(order)]))
        return [_choose(key, list(group)) for key, group in grouped]

    def claim(self, connection: Connection, claims: list[Claim[Key]], now: int) -> int:
        """Make claims, except those that another replica has made; return how many we made."""
        made = 0
        for one in claims:
            done = connection.execute(
                update(self._things)
                .where(
                    *(self._things.c[name] == getattr(one.key, name) for name in self._names),
                    self._things.c.sampler.is_not_distinct_from(one.former),
                )
                .values(sampler=one.sampler, elected_at=now)
            )
            made += done.rowcount
        return made

    def assignments(self, connection: Connection) -> list[Assignment[Key]]:
        """Return everything that has an online worker, in the order of the keys."""
        key = [self._things.c[name] for name in self._names]
        rows = connection.execute(
            select(*key, self._things.c.sampler).where(self._is_held()).order_by(*key)
        )
        return [Assignment(self._key(*row[: len(key)]), row.sampler) for row in rows]

    def _candidates(self, projects: set[uuid.UUID], last: set[str]) -> Subquery:
        """The online workers of each of these places, with their rank in its order."""
        known = self._known
        knows = (
            select(
                *(known.c[name] for name in self._place),
                known.c.worker_row,
                workers.c.role,
                workers.c.first_seen,
            )
            .join(workers, and_(workers.c.id == known.c.worker_row, workers.c.online))
            .where(known.c.project_id.in_(projects), known.c[self._place[-1]].in_(last))
            .distinct()
            .subquery()
        )
        roles = {role: place for place, role in enumerate(self._roles)}
        rank = case(roles, value=knows.c.role, else_=len(roles))
        mine = [knows.c[name] for name in self._place]
        order = (rank, knows.c.first_seen, knows.c.worker_row)
        place = func.row_number().over(partition_by=mine, order_by=order)
        return select(*mine, knows.c.worker_row, place.label("place")).subquery()

    def _is_same_place(self, table: FromClause) -> ColumnElement[bool]:
        return and_(*(table.c[name] == self._things.c[name] for name in self._place))

    def _is_held(self) -> ColumnElement[bool]:
        holder, known = workers.alias("holder"), self._known.alias("known")
        return (
            exists()
            .where(
                holder.c.id == self._things.c.sampler,
                holder.c.online,
                known.c.worker_row == holder.c.id,
                self._is_same_place(known),
            )
            .correlate(self._things)
        )

    def _is_silent(self, since: int) -> ColumnElement[bool]:
        sampled_at = self._things.c.sampled_at
        return and_(
            self._things.c.elected_at < since, or_(sampled_at.is_(None), sampled_at < since)
        )


def _choose(key: Key, rows: list[Any]) -> Claim[Key]:
    former = rows[0].sampler
    order = [row.candidate for row in rows]
    # A silent worker gives way to the next, and the last one to the first again.
    following = order.index(former) + 1 if former in order else 0
    return Claim(key, order[following % len(order)], former)
