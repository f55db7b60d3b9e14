"""The stranger's scheduler passes the contract kit, and worse ones do not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from lantern.timetable import Entry, Timetable
from lantern.timetable_plugin import LanternScheduler, z4j_scheduler
from lantern.work import lantern

from z4j_core.plugins import PluginSettings, Schedule
from z4j_core.testing import RecordingHost
from z4j_core.testing.scheduler_contract import SchedulerContract

LONG = 3_600


def shine(**colours: str) -> int:
    return len(colours)


class TimetableHarness:
    def __init__(self, kind: type[LanternScheduler] = LanternScheduler) -> None:
        self.timetable = Timetable()
        self.timetable.jobs["shine"] = shine
        self.scheduler = kind(self.timetable)
        self.scheduler.attach(RecordingHost())
        self.lit = 0
        lantern.listeners.append(self._count)

    def _count(self, what: str, *_: Any) -> None:
        self.lit += what == "published"

    def add(self, name: str, **arguments: str) -> str:
        self.timetable.entries[name] = Entry("shine", LONG, **arguments)
        return name

    def enabled(self, schedule: str) -> bool | None:
        entry = self.timetable.entries.get(schedule)
        return None if entry is None else entry.is_lit

    def published(self) -> int:
        return self.lit

    def changed(self) -> dict[str, Any]:
        return {"every_s": 60}

    def creatable(self, name: str) -> dict[str, Any]:
        return {"name": name, "job": "shine", "every_s": LONG}

    def close(self) -> None:
        self.scheduler.detach()
        lantern.listeners.remove(self._count)


class TestTimetable(SchedulerContract):
    module = "lantern.timetable_plugin"
    library = "lantern.timetable"

    @pytest.fixture
    def harness(self) -> Iterator[TimetableHarness]:
        harness = TimetableHarness()
        yield harness
        harness.close()

    def test_a_timetable_that_nobody_uses_has_no_scheduler(self) -> None:
        assert z4j_scheduler(PluginSettings()) is None

    @pytest.mark.parametrize(
        ("test", "method", "wrong"),
        [
            ("test_run_now_publishes", "run_now", None),
            ("test_pause_and_resume_reach_the_store", "pause", None),
            ("test_update_is_seen", "update", None),
            ("test_delete_removes", "delete", None),
            ("test_a_schedule_is_told_whole", "schedules", []),
            ("test_the_store_has_a_stable_name", "store", "redis://:secret@host"),
        ],
    )
    def test_one_that_only_pretends_does_not_pass(
        self,
        harness: TimetableHarness,
        monkeypatch: pytest.MonkeyPatch,
        test: str,
        method: str,
        wrong: Any,
    ) -> None:
        def pretend(*_: Any) -> Any:
            return wrong

        monkeypatch.setattr(harness.scheduler, method, pretend)
        monkeypatch.setattr(self, "until", lambda condition: _holds(condition()))
        with pytest.raises(AssertionError):
            getattr(self, test)(harness)

    def test_one_that_hides_its_secrets_badly_does_not_pass(
        self, harness: TimetableHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def leaky(name: str, entry: Entry) -> Schedule:
            told = LanternScheduler._told(harness.scheduler, name, entry)
            return msgspec.structs.replace(told, timing=repr(entry.kwargs.get("password")))

        monkeypatch.setattr(harness.scheduler, "_told", leaky)
        with pytest.raises(AssertionError):
            self.test_secrets_do_not_leave(harness)


def _holds(condition: bool) -> None:
    assert condition
