"""The z4j plugin of Lantern's timetable. Found by an entry point of its own."""

import time
from typing import Annotated

import msgspec

from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import (
    CreateResult,
    Owner,
    RunResult,
    Schedule,
    Scheduler,
    hook,
    store_id,
)

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400, description="Time between two runs.")]


class NewEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
    job: Annotated[str, msgspec.Meta(description="The name of a job.")]
    every_s: Seconds


class ChangedEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    every_s: Seconds | None = None
    kwargs: dict[str, str] | None = None


class LanternScheduler(Scheduler):
    name, engine = "lantern-timetable", "lantern"

    def __init__(self, timetable):
        self._timetable = timetable

    def attach(self, host):
        pass

    def detach(self):
        pass

    def store(self):
        return store_id("lantern", self._timetable.number)

    def schedules(self):
        return [self._told(*item) for item in self._timetable.entries.items()]

    def _told(self, name, entry):
        return Schedule(
            id=name,
            name=name,
            timing=f"every {entry.every_s:g} s",
            owner=Owner.CODE,
            task=entry.job,
            queue="lantern",
            every_s=entry.every_s,
            arguments={"args": list(entry.args), "kwargs": entry.kwargs},
            enabled=entry.is_lit,
            last_run_at=None if entry.last is None else round(entry.last * 1e6),
            next_run_at=round(entry.next * 1e6) if entry.is_lit else None,
            runs=entry.runs,
            undone_by="The next start of the process brings it back as written in the code.",
            values={"every_s": entry.every_s, "kwargs": entry.kwargs},
        )

    def _entry(self, schedule):
        if schedule not in self._timetable.entries:
            raise ActionError("The timetable no longer has this entry. Look at the list again.")
        return self._timetable.entries[schedule]

    def run_now(self, schedule, params: NoParams) -> RunResult:
        self._entry(schedule)
        return RunResult(self._timetable.light(schedule))

    def pause(self, schedule, params: NoParams) -> None:
        self._entry(schedule).is_lit = False

    def resume(self, schedule, params: NoParams) -> None:
        entry = self._entry(schedule)
        entry.next, entry.is_lit = time.time() + entry.every_s, True

    def update(self, schedule, params: ChangedEntry) -> None:
        entry = self._entry(schedule)
        if params.every_s is not None:
            entry.every_s, entry.next = params.every_s, time.time() + params.every_s
        if params.kwargs is not None:
            entry.kwargs = params.kwargs

    def delete(self, schedule, params: NoParams) -> None:
        self._entry(schedule)
        del self._timetable.entries[schedule]

    def create(self, params: NewEntry) -> CreateResult:
        from lantern.timetable import Entry

        if params.name in self._timetable.entries or params.job not in self._timetable.jobs:
            raise ActionError("Give a name that is free, and a job that the timetable knows.")
        self._timetable.entries[params.name] = Entry(params.job, params.every_s)
        return CreateResult(params.name)


@hook
def z4j_scheduler(settings):
    from lantern.timetable import timetable

    return LanternScheduler(timetable) if timetable.jobs else None
