"""What Redis says of how a job ended, for ends that no process of ours saw."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from z4j_agent.facts import MAX_MESSAGE, MAX_NAME, micros, traceback_of
from z4j_core.events import Kind
from z4j_rq.facts import state_of

_LAST_LINE = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*))?$")
TOLD_BY_REDIS = "Told by RQ's own record of the job; no process reported it."


class End(NamedTuple):
    """How the newest run ended, when (None: unknown), and what is known of it."""

    kind: Kind
    at: int | None
    data: dict[str, Any]


def end_of(connection: Any, job: Any, since: int = 0) -> End | None:
    """Ask Redis how the newest run of a job ended; None if it has not, or nobody can tell.

    `since` (µs) is when that run began. RQ stores no result of a run that an exception makes it
    retry: then the job waits again, and that is all that is known. A job that is gone left
    with its result: RQ deletes it at once after a success with ``result_ttl=0``.
    """
    fresh = _fetch(connection, job)
    if fresh is None:
        if getattr(job, "result_ttl", None) == 0:
            return End(Kind.SUCCEEDED, None, _told("RQ deleted the job, as on success."))
        return None
    state = state_of(fresh)
    if state == "finished":
        at, data = _newest(fresh, since)
        return End(Kind.SUCCEEDED, at, data)
    if state == "failed":
        at, data = _newest(fresh, since)
        return End(Kind.FAILED, at, data)
    if state in ("stopped", "canceled"):
        return End(Kind.CANCELLED, micros(fresh.ended_at), _told(f"The job is {state}."))
    if since and state in ("queued", "scheduled", "rate_limited"):
        return End(Kind.RETRIED, None, _told("RQ keeps no traceback of a run that it repeats."))
    return None


def _fetch(connection: Any, job: Any) -> Any:
    from rq.exceptions import NoSuchJobError

    try:
        return type(job).fetch(job.id, connection=connection, serializer=job.serializer)
    except NoSuchJobError:
        return None


def _newest(job: Any, since: int) -> tuple[int | None, dict[str, Any]]:
    """Return time and data of the newest result, unless it is an older run's."""
    data = _told()
    at = micros(job.ended_at)
    try:
        result = job.latest_result()
    except Exception:  # noqa: BLE001 - a result that cannot be read is not known
        return at, data
    if result is None or (stored_at := micros(result.created_at) or 0) < since - 1_000:
        return at, data
    if state_of(job) == "finished":
        data["result"] = result.return_value
    elif isinstance(result.exc_string, str):
        data |= {"exception": raised(result.exc_string), **traceback_of(result.exc_string)}
    return at or stored_at or None, data


def raised(text: str) -> dict[str, str]:
    """Return type and message from the last line of a traceback's text that names an exception."""
    for line in reversed(text.strip().splitlines()[-20:]):
        found = _LAST_LINE.match(line)
        if found is not None:
            module, _, name = found[1].rpartition(".")
            error = {"type": name[:MAX_NAME], "message": (found[2] or "")[:MAX_MESSAGE]}
            return {**error, "module": module[:MAX_NAME]} if module else error
    return {"type": "Exception", "message": text.strip()[-MAX_MESSAGE:]}


def _told(more: str = "") -> dict[str, Any]:
    return {"reason": f"{TOLD_BY_REDIS} {more}".strip()}
