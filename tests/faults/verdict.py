"""Whether the record equals the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from faults.record import Record
from faults.truth import Truth, states_after

_SHOWN = 5


class Verdict(msgspec.Struct):
    """What a run found. `troubles` is empty when everything held."""

    events: int = 0
    excused: int = 0
    declared: int = 0
    in_doubt: int = 0
    gaps: dict[str, int] = {}
    troubles: list[str] = []


def judge(truth: Truth, record: Record) -> Verdict:
    """Compare: none lost, none twice, none invented; states and counts follow from the events."""
    recorded = set(record.events)
    lost = truth.accepted.keys() - recorded
    excused = {event for event in lost if truth.is_excused(event)}
    verdict = Verdict(
        events=record.events.total(),
        excused=len(excused),
        declared=record.missing,
        gaps=record.gaps,
        in_doubt=len((truth.tried - truth.accepted.keys()) & recorded),
    )
    troubles = verdict.troubles
    unexplained = lost - excused
    if len(unexplained) > record.missing:
        troubles.append(f"lost {len(unexplained)}, declared {record.missing}: {_some(unexplained)}")
    elif len(unexplained) < record.missing and not truth.killed:
        troubles.append(
            f"declared {record.missing} as lost, but {len(unexplained)} are: {record.gaps}"
        )
    doubles = [event for event, count in record.events.items() if count > 1]
    if doubles:
        troubles.append(f"recorded twice: {_some(doubles)}")
    if invented := recorded - truth.tried:
        troubles.append(f"never happened: {_some(invented)}")
    if record.rejected:
        troubles.append(f"{record.rejected} events were rejected")
    troubles += _follows(record)
    return verdict


def _follows(record: Record) -> Iterable[str]:
    """Check what is derived from the events, against the events."""
    wanted = states_after(record.events)
    wrong = [
        (task_id, record.states.get(task_id), state)
        for task_id, state in wanted.items()
        if record.states.get(task_id) != state
    ]
    if wrong:
        yield f"tasks whose state is not the last event's: {_some(wrong)}"
    if extra := record.states.keys() - wanted.keys():
        yield f"tasks without events: {_some(extra)}"
    kinds = Counter[str]()
    for (kind, _, _), count in record.events.items():
        kinds[kind] += count
    counts = {kind: kinds[kind] for kind in record.counted}
    if counts != record.counted:
        yield f"rollups count {record.counted}, the events are {counts}"


def _some(things: Iterable[object]) -> str:
    listed = sorted(map(str, things))
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
