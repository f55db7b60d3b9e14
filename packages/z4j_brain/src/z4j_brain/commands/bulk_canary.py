"""The canary of a bulk run: the first tasks, what became of them, and whether to go on."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from z4j_brain.store import bulk_members
from z4j_brain.store.bulk_members import Member
from z4j_brain.store.bulk_runs import BulkRun
from z4j_brain.store.task_filter import OPEN_STATES, TROUBLE_STATES

_FOLLOWING = "The canary's commands have ended; {count} of its tasks have not yet."
_UNENDED = "{count} of {all} tasks of the canary have not ended in {seconds} s. Look at them."
_FAILED = "{failed} of {all} tasks of the canary failed; up to {percent:g} % were to be let pass."
_PASSED = "The canary went well: {failed} of {all} failed. Approve the rest, or abort."


def verdict(connection: Connection, run: BulkRun, now: int) -> dict[str, Any]:
    """Return what changes of a run whose canary has all its results, by its rule.

    A task that the action made counts by its own end, for which the canary waits.
    """
    counted = [one for one in bulk_members.followed(connection, run) if one.state != "skipped"]
    unended = sum(map(_is_open, counted))
    failed = sum(map(_has_failed, counted))
    last_at = max((one.ended_at or 0 for one in counted), default=0)
    if unended and now - last_at < run.canary_patience_s * 1_000_000:
        note = _FOLLOWING.format(count=unended)
        return {} if note == run.note else {"note": note}
    figures = {"failed": failed, "all": len(counted)}
    if failed * 100 > run.canary_max_failed_percent * len(counted):
        note = _FAILED.format(**figures, percent=run.canary_max_failed_percent)
    elif unended:
        note = _UNENDED.format(count=unended, all=len(counted), seconds=run.canary_patience_s)
    elif run.canary_then == "wait":
        note = _PASSED.format(**figures)
    else:
        return {"state": "running", "canary_passed": True, "note": None}
    return {"state": "waiting", "note": note}


def _is_open(member: Member) -> bool:
    if member.state != "succeeded" or member.made_task_id is None:
        return False
    return member.made_state is None or member.made_state in OPEN_STATES or _is_former(member)


def _has_failed(member: Member) -> bool:
    if member.state != "succeeded":
        return True
    return member.made_state in TROUBLE_STATES and not _is_former(member)


def _is_former(member: Member) -> bool:
    """Whether the end that is recorded is the one from before: some engines run the same task
    again, and its new life is not known yet.
    """
    is_same = member.made_task_id == member.task_id
    return is_same and (member.made_ended_at or 0) < (member.ended_at or 0)
