"""Two fields of a job's hash in Redis that RQ keeps and does not look at.

`z4j` holds the job's relations, `z4j_runs` how often a run of it has begun. RQ counts no runs: a
job that is retried, requeued, repeated or enqueued again keeps its id, and only from this count
does each run get a number of its own, whoever enqueued it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from z4j_agent.facts import text_of
from z4j_core.events import MAX_ATTEMPT

FIELD = "z4j"
RUNS = "z4j_runs"
MAX_STAMP = 2_048
_STAMP, _COUNT = "_z4j_stamp", "_z4j_runs"


class Stamp(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a job comes from: the ids of its parent, of the root and of the task it repeats.

    `retries` is how many it was given; RQ counts them down.
    """

    parent: str | None = None
    root: str | None = None
    source: str | None = None
    retries: int | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Stamp).decode


def stamp_of(job: Any) -> Stamp | None:
    """Return the stamp, None if the job has none."""
    stamp = getattr(job, _STAMP, None)
    return stamp if isinstance(stamp, Stamp) else None


def put_stamp(job: Any, stamp: Stamp) -> None:
    """Have the job saved with this stamp."""
    setattr(job, _STAMP, stamp)


def runs_of(job: Any) -> int:
    """Return how many runs of the job have begun: the number of its next attempt."""
    runs = getattr(job, _COUNT, 0)
    return runs if isinstance(runs, int) else 0


def put_runs(job: Any, runs: int) -> None:
    """Note that so many runs have begun; `note_run` writes it down."""
    setattr(job, _COUNT, min(runs, MAX_ATTEMPT))


def read(job: Any, raw: Mapping[Any, Any]) -> None:
    """Take both from the job's hash as it came from Redis."""
    found = raw.get(FIELD.encode())
    if isinstance(found, bytes) and (stamp := decoded(found)) is not None:
        setattr(job, _STAMP, stamp)
    runs = raw.get(RUNS.encode())
    if isinstance(runs, bytes) and runs.isdigit() and len(runs) < 10:
        put_runs(job, int(runs))


def decoded(found: bytes) -> Stamp | None:
    """Return the stamp of these bytes; None if they are none."""
    if len(found) > MAX_STAMP:
        return None
    try:
        return _decode(found)
    except (msgspec.MsgspecError, UnicodeError):
        return None


def write(job: Any, mapping: dict[str, Any]) -> None:
    """Add the stamp to what RQ is about to save."""
    stamp = stamp_of(job)
    if stamp is not None:
        mapping[FIELD] = _encode(stamp)


def note_run(job: Any, connection: Any) -> None:
    """Write the count down, by a pipeline or at once."""
    if runs_of(job):
        connection.hset(job.key, RUNS, runs_of(job))


def relations(job: Any) -> dict[str, Any]:
    """Return the ids of parent, root, group and retried task as an event tells them."""
    stamp = stamp_of(job) or Stamp()
    found = {
        "parent_id": text_of(stamp.parent),
        "root_id": text_of(stamp.root) or job.id,
        "group_id": text_of(getattr(job, "group_id", None)),
        "retried_from": text_of(stamp.source),
    }
    return {key: value for key, value in found.items() if value is not None}
