"""Reads the schedules that the server elected this process for, on the thread of their actions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import msgspec

from z4j_core.capability import ActionError
from z4j_core.frames import MAX_FRAME_BYTES, Schedules
from z4j_core.plugins import Schedule, Scheduler
from z4j_core.redaction import Redactor
from z4j_core.schedule_to_wire import to_wire_schedule
from z4j_core.schedules import MAX_SCHEDULES, WireSchedule

MAX_BYTES = MAX_FRAME_BYTES * 3 // 4
MAX_ERROR = 500

_log = logging.getLogger("z4j.agent")
_encode = msgspec.msgpack.Encoder().encode
Job = Callable[[], Callable[[], None]]
"""What runs on a thread; what it returns is called on the driver's thread."""


class ScheduleReader:
    """Reads schedulers, one at a time, on their own thread. Made for the driver's thread.

    `on_thread(name, job)` runs a job on the thread that also carries out the actions of the
    scheduler of that name, so that no scheduler is called twice at once.
    """

    def __init__(
        self,
        schedulers: Sequence[Scheduler],
        redactor: Redactor,
        on_thread: Callable[[str, Job], None],
    ) -> None:
        self._schedulers = {scheduler.name: scheduler for scheduler in schedulers}
        self._redactor = redactor
        self._on_thread = on_thread
        self._known: dict[str, dict[str, tuple[Schedule, WireSchedule]]] = {}
        self._complaints: set[str] = set()

    @property
    def names(self) -> frozenset[str]:
        """The schedulers of this process."""
        return frozenset(self._schedulers)

    def read(self, name: str, store: str, take: Callable[[Schedules], None]) -> None:
        """Read the schedules of a store soon; `take` gets them on the driver's thread."""

        def job() -> Callable[[], None]:
            found = self._read(name, store)
            return lambda: take(found)

        self._on_thread(name, job)

    def _read(self, name: str, store: str) -> Schedules:
        """Never raises: what goes wrong is told as `error`."""
        try:
            scheduler = self._schedulers[name]
            if scheduler.store() != store:
                raise ActionError("The process reads another store now. Restart it.")
            told = sorted(scheduler.schedules(), key=lambda one: (one.name, one.id))
            return self._fitting(name, store, told)
        except Exception as error:  # a stranger's plugin, or its database: the next round asks
            return Schedules(name, store, error=self._explained(name, error))

    def _fitting(self, name: str, store: str, told: list[Schedule]) -> Schedules:
        known = self._known.get(name, {})
        kept: dict[str, tuple[Schedule, WireSchedule]] = {}
        size, fitting = 0, []
        for one in told[:MAX_SCHEDULES]:
            # Most stay the same from one reading to the next, and redaction is the dear part.
            pair = known.get(one.id)
            if pair is None or pair[0] != one:
                try:
                    pair = (one, to_wire_schedule(one, self._redactor))
                except msgspec.ValidationError as error:  # the others can be told
                    self._complain(name, f"one of them breaks a limit: {error}")
                    continue
            kept[one.id] = pair
            size += len(_encode(pair[1]))
            if size > MAX_BYTES:
                break
            fitting.append(pair[1])
        self._known[name] = kept
        return Schedules(name, store, fitting, len(told))

    def _explained(self, name: str, error: Exception) -> str:
        kind = "" if isinstance(error, ActionError) else f"{type(error).__name__}: "
        try:
            text = self._redactor.text(f"{kind}{error}").replace("\0", "")
        except Exception:  # an exception of a stranger whose text cannot be made
            text = type(error).__name__
        self._complain(name, text[:200])
        return text if len(text) <= MAX_ERROR else text[: MAX_ERROR - 1] + "…"

    def _complain(self, name: str, text: str) -> None:
        if f"{name}: {text}" not in self._complaints and len(self._complaints) < 20:
            self._complaints.add(f"{name}: {text}")
            _log.warning("The schedules of %s cannot be read: %s", name, text)
