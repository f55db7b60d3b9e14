"""From the tree of a filter to SQL conditions; every value becomes a bound parameter."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, or_, select, true

from z4j_brain.filters import (
    Filter,
    FirstAt,
    IdStartsWith,
    StateIs,
    Term,
    TextContains,
    TextIs,
    Word,
)
from z4j_brain.store.facets import distinct
from z4j_brain.store.schema import tasks
from z4j_core.fold import STATES

Where = ColumnElement[bool]
OPEN_STATES = frozenset({"queued", "received", "running", "retrying", "unknown"})
TROUBLE_STATES = frozenset({"failed", "cancelled", "rejected"})
_MOST_NAMES = 1_000
_COLUMNS: dict[str, Any] = {
    "queue": tasks.c.queue,
    "name": tasks.c.name,
    "engine": tasks.c.engine,
    "worker": tasks.c.worker,
    "exception": tasks.c.exception_type,
    "parent": tasks.c.parent_id,
    "group": tasks.c.group_id,
    "retried_from": tasks.c.retried_from,
    "issue": tasks.c.issue,
}


def where(connection: Connection, project_id: uuid.UUID, filter: Filter, now: int) -> Where:
    """Return the condition on `tasks` for a filter of one project.

    `now` is in microseconds. Reads the project's task names when the filter has a part of a name:
    a handful of exact names can use an index, where a part of a text cannot.
    """
    maker = _Conditions(connection, project_id, now)
    return and_(tasks.c.project_id == project_id, *(maker.term(term) for term in filter.terms))


def state_in(states: tuple[str, ...]) -> Where:
    """Return the condition for these states, in words that the indexes know."""
    trouble = [state for state in states if state in TROUBLE_STATES]
    being_open = [state for state in states if state in OPEN_STATES]
    others = [s for s in states if s not in TROUBLE_STATES and s not in OPEN_STATES]
    parts: list[Where] = []
    if trouble:
        parts.append(tasks.c.trouble.in_(trouble))
    if being_open:
        parts.append(and_(tasks.c.ended_at.is_(None), tasks.c.state.in_(being_open)))
    if others:
        parts.append(tasks.c.state.in_(others))
    return or_(false(), *parts)


class _Conditions:
    def __init__(self, connection: Connection, project_id: uuid.UUID, now: int) -> None:
        self._connection = connection
        self._project_id = project_id
        self._now = now
        self._names: list[str] | None = None

    def term(self, term: Term) -> Where:
        if isinstance(term.condition, StateIs) and term.negated:
            # Every task has a state, so the opposite can be said with an index, too.
            return state_in(tuple(state for state in STATES if state not in term.condition.states))
        condition = self._condition(term)
        # A field that is null answers neither yes nor no; the opposite must still hold.
        return condition.is_not(true()) if term.negated else condition

    def _condition(self, term: Term) -> Where:
        match term.condition:
            case StateIs(states):
                return state_in(states)
            case TextIs("root", values):
                return _root_in(values)
            case TextIs(key, values):
                found: Where = _COLUMNS[key].in_(values)
                return found
            case TextContains("name", values):
                return self._name_contains(values)
            case TextContains(key, values):
                return _contains(_COLUMNS[key], values)
            case IdStartsWith(values):
                return _id_starts_with(values)
            case FirstAt("since") as moment:
                return tasks.c.first_at >= moment.micros(self._now)
            case FirstAt() as moment:
                return tasks.c.first_at <= moment.micros(self._now)
            case Word(text):
                return self._word(text)

    def _word(self, text: str) -> Where:
        """Ids are compared only if one begins so: an index serves names or ids, not either."""
        by_id, by_name = _id_starts_with((text,)), self._name_contains((text,))
        one = select(tasks.c.task_id).where(tasks.c.project_id == self._project_id, by_id).limit(1)
        return by_name if self._connection.execute(one).first() is None else or_(by_name, by_id)

    def _name_contains(self, parts: tuple[str, ...]) -> Where:
        if self._names is None:
            limit = _MOST_NAMES + 1
            self._names = distinct(self._connection, self._project_id, tasks.c.name, limit)
        if len(self._names) > _MOST_NAMES:
            return _contains(tasks.c.name, parts)
        wanted = [_lower(part) for part in parts]
        names = [name for name in self._names if any(part in _lower(name) for part in wanted)]
        return tasks.c.name.in_(names) if names else false()


def _contains(column: Any, parts: tuple[str, ...]) -> Where:
    lowered = func.lower(column)
    return or_(*(lowered.contains(_lower(part), autoescape=True) for part in parts))


def _lower(text: str) -> str:
    """Lower ASCII letters only, as `lower()` does in SQLite and in the "C" collation."""
    return "".join(c.lower() if c.isascii() else c for c in text)


def _root_in(values: tuple[str, ...]) -> Where:
    below = and_(tasks.c.root_id != tasks.c.task_id, tasks.c.root_id.in_(values))
    return or_(below, tasks.c.task_id.in_(values))


def _id_starts_with(prefixes: tuple[str, ...]) -> Where:
    return or_(*(_in_range(prefix) for prefix in prefixes))


def _in_range(prefix: str) -> Where:
    """A range of the "C" collation can use the key's index; LIKE could not on every database."""
    above = _next_prefix(prefix)
    if above is None:
        return tasks.c.task_id >= prefix
    return and_(tasks.c.task_id >= prefix, tasks.c.task_id < above)


def _next_prefix(prefix: str) -> str | None:
    """Return the smallest text above all that begin with `prefix`, by code point."""
    for end in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[end]) + 1
        if 0xD800 <= code <= 0xDFFF:
            code = 0xE000
        if code <= 0x10FFFF:
            return prefix[:end] + chr(code)
    return None
