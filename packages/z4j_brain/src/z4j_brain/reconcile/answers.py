"""What follows from the answer, or the silence, of an agent that was asked about tasks."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import Connection

from z4j_brain.reconcile import doubts
from z4j_brain.reconcile.doubts import Doubt
from z4j_brain.reconcile.suspicion import TRIES_WITHOUT_ANSWER, Patience, Situation, next_at
from z4j_brain.store import open_tasks, task_probes
from z4j_brain.store.task_probes import Answer, Asked
from z4j_core.plugins.probing import ProbeResult, Verdict

_MAX_SHOWN = 300
_NO_ANSWER = "{tries} times agents were asked, and could not tell."
_NOBODY = "Asked were {asked}; nobody knows it."
_NOBODY_AT_ALL = "An agent was asked, and nobody knows it."

Concluded = tuple[UUID, int, list[Doubt]]
"""A project, its feed's new offset, and the tasks that are unknown now."""


def conclude(
    connection: Connection, answer: Answer, patience: Patience, now: int
) -> Concluded | None:
    """Settle a question. Facts have come as events; what is left is who is alive, who unknown."""
    if not answer.asked:
        return None
    project_id = answer.asked[0].project_id
    result = _result(answer)
    situation = Situation(now, open_tasks.presence(connection, project_id), patience)
    keys = [(one.engine, one.task_id) for one in answer.asked]
    present = open_tasks.find(connection, project_id, keys)
    found = []
    for one in answer.asked:
        verdict = _verdict(result, one)
        is_alive = verdict is Verdict.ALIVE
        task_probes.settle(
            connection,
            one,
            next_at=next_at(now, one.tries, is_alive=is_alive),
            alive_at=answer.ended_at if is_alive else None,
        )
        task = present.get((one.engine, one.task_id))
        because = _because(verdict, result, one)
        # A fact that came since begins a new life, of which nobody was asked.
        if task is None or because is None or task.last_at != one.life_at:
            continue
        if situation.may_be_unknown(task):
            found.append(Doubt(task, situation.reason(task, because)))
    if not found:
        return None
    return project_id, doubts.record(connection, project_id, found, now), found


def _because(verdict: Verdict, result: ProbeResult | None, one: Asked) -> str | None:
    """Return why a task would be unknown, None if this verdict makes it no such thing."""
    if verdict is Verdict.UNKNOWN:
        asked = result.asked[:_MAX_SHOWN] if result is not None else ""
        return _NOBODY.format(asked=asked) if asked else _NOBODY_AT_ALL
    if verdict is Verdict.UNANSWERED and one.tries >= TRIES_WITHOUT_ANSWER:
        return _NO_ANSWER.format(tries=one.tries)
    return None


def _verdict(result: ProbeResult | None, one: Asked) -> Verdict:
    if result is None or one.place is None or one.place >= len(result.verdicts):
        return Verdict.UNANSWERED
    return result.verdicts[one.place]


def _result(answer: Answer) -> ProbeResult | None:
    """Return what the agent said; what cannot be read counts as no answer."""
    if answer.result is None:
        return None
    try:
        return msgspec.json.decode(answer.result, type=ProbeResult)
    except (msgspec.MsgspecError, RecursionError):
        return None
