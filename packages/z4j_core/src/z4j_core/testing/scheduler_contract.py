"""The tests that every scheduler plugin must pass, against its real scheduler and store.

A plugin's test file subclasses `SchedulerContract` and provides one fixture:

    class TestContract(SchedulerContract):
        module = "my_plugin.plugin"
        library = "my_scheduler"

        @pytest.fixture
        def harness(self): yield MyHarness(...)

The harness makes schedules and looks into the store without the plugin's help.
"""

from __future__ import annotations

import re
import threading
import time
from typing import Any, Protocol

import msgspec

from z4j_core.capability import Target
from z4j_core.frames import MAX_FRAME_BYTES, Hello, SchedulerInfo
from z4j_core.plugins import Schedule, Scheduler
from z4j_core.redaction import Redactor
from z4j_core.schedule_to_wire import to_wire_schedule
from z4j_core.testing.importing import assert_library_stays_out
from z4j_core.testing.patience import Patient

SECRET = "hunter2-contract-secret"  # a planted value that must never be recorded


class SchedulerHarness(Protocol):
    """How the kit drives a scheduler. Nothing runs by itself while a test lasts."""

    scheduler: Scheduler

    def add(self, name: str, **arguments: str) -> str:
        """Make a schedule that will not be due soon, and its next run known, with these keyword
        arguments for its task; return its id.
        """

    def enabled(self, schedule: str) -> bool | None:
        """Tell by the store itself whether it will run; None when it is not there."""

    def published(self) -> int:
        """Tell how many tasks were really published since the harness was made."""

    def changed(self) -> dict[str, Any]:
        """Return parameters for `update` that change something, or nothing without `update`."""

    def creatable(self, name: str) -> dict[str, Any]:
        """Return parameters for `create`, or nothing without `create`."""


class SchedulerContract(Patient):
    """Subclass it as ``Test…``. Each test gets a fresh harness with the scheduler attached."""

    module: str
    library: str
    has_arguments = True
    """False of a scheduler that calls every task without any."""

    def test_import_does_not_import_the_scheduler(self) -> None:
        """The plugin's module is found and imported without its scheduler's library."""
        assert_library_stays_out(self.module, self.library)

    def test_a_schedule_is_told_whole(self, harness: SchedulerHarness) -> None:
        """Id, timing and next run are told, and the same id in the next reading."""
        schedule = harness.add("contract", colour="blue")
        told = self.told(harness, schedule)
        assert told is not None
        assert told.name
        assert told.timing
        assert told.task
        assert told.enabled
        assert told.next_run_at is not None
        assert abs(told.next_run_at - time.time() * 1e6) < 400 * 86_400e6, "microseconds"
        assert ("blue" in repr(told.arguments)) is self.has_arguments
        assert self.told(harness, schedule) == told
        assert told.undone_by is None or told.undone_by.endswith("."), "a sentence"

    def test_the_store_has_a_stable_name(self, harness: SchedulerHarness) -> None:
        """`store` is 16 hexadecimal digits and the same whenever it is asked."""
        store = harness.scheduler.store()
        assert store is not None
        assert re.fullmatch("[0-9a-f]{16}", store)
        assert harness.scheduler.store() == store

    def test_run_now_publishes(self, harness: SchedulerHarness) -> None:
        """A real task is published once, and the schedule stays as it was."""
        schedule = harness.add("contract")
        if not self.offers(harness, "run_now", schedule):
            return
        before = harness.published()
        self.call(harness, "run_now", schedule)
        self.until(lambda: harness.published() == before + 1)
        assert harness.enabled(schedule) is True

    def test_pause_and_resume_reach_the_store(self, harness: SchedulerHarness) -> None:
        """A paused schedule is seen as such in the store and in the next reading; it comes back."""
        schedule = harness.add("contract")
        if not self.offers(harness, "pause", schedule):
            return
        for name, is_enabled in (("pause", False), ("pause", False), ("resume", True)):
            self.call(harness, name, schedule)
            assert bool(harness.enabled(schedule)) is is_enabled
            told = self.told(harness, schedule)
            assert told is not None, "a paused schedule is still told"
            assert told.enabled is is_enabled

    def test_update_is_seen(self, harness: SchedulerHarness) -> None:
        """A change is told in the next reading; one without parameters changes nothing."""
        schedule = harness.add("contract", colour="blue")
        if not self.offers(harness, "update", schedule):
            return
        before = self.told(harness, schedule)
        assert before is not None
        self.call(harness, "update", schedule, **harness.changed())
        after = self.told(harness, schedule)
        assert after is not None
        assert (after.timing, after.values) != (before.timing, before.values)
        assert after.arguments == before.arguments, "what it is not told stays"

    def test_delete_removes(self, harness: SchedulerHarness) -> None:
        """A deleted schedule is gone from the store and from the next reading."""
        schedule, other = harness.add("contract"), harness.add("stays")
        if not self.offers(harness, "delete", schedule):
            return
        self.call(harness, "delete", schedule)
        assert harness.enabled(schedule) is None
        assert self.told(harness, schedule) is None
        assert self.told(harness, other) is not None

    def test_create_adds(self, harness: SchedulerHarness) -> None:
        """A new schedule is in the store and in the next reading, under the id that is returned."""
        if not self.offers(harness, "create"):
            return
        created = self.call(harness, "create", **harness.creatable("contract-new"))
        assert harness.enabled(created.schedule) is True
        assert self.told(harness, created.schedule) is not None

    def test_the_actions_describe_themselves(self, harness: SchedulerHarness) -> None:
        """Each offered action has a title and schemas; what is absent has a reason."""
        info = msgspec.json.decode(
            msgspec.json.encode(harness.scheduler.info()), type=SchedulerInfo
        )
        hello = Hello([1], bytes(16), "worker", "epoch", schedulers=[info])
        assert len(msgspec.msgpack.encode(hello)) < MAX_FRAME_BYTES
        assert info.name != info.engine, "commands call both by their names"
        for offered in info.actions:
            if offered.absent is not None:
                assert offered.absent.endswith("."), "a reason is a sentence"
                continue
            assert offered.title
            assert offered.target in (Target.SCHEDULE, Target.SCHEDULER)
            assert isinstance(msgspec.json.decode(offered.params_schema), dict)

    def test_secrets_do_not_leave(self, harness: SchedulerHarness) -> None:
        """A secret among the arguments leaves neither as such nor in what a form begins with."""
        schedule = harness.add("contract", password=SECRET)
        told = self.told(harness, schedule)
        assert told is not None
        assert SECRET not in repr(to_wire_schedule(told, Redactor()))

    def test_nothing_is_left_behind(self, harness: SchedulerHarness) -> None:
        """Readings start no thread, and neither do `detach` and `attach`."""
        harness.scheduler.schedules()  # what is opened once stays open, such as a pool
        before = set(threading.enumerate())
        harness.scheduler.schedules()
        harness.scheduler.detach()
        assert not [thread for thread in threading.enumerate() if thread not in before]

    def told(self, harness: SchedulerHarness, schedule: str) -> Schedule | None:
        """Return a schedule as the plugin tells it, held to the limits of its type."""
        found = [one for one in harness.scheduler.schedules() if one.id == schedule]
        assert len(found) <= 1, "an id stands for one schedule"
        for one in found:
            to_wire_schedule(one, Redactor())
        return found[0] if found else None

    def offers(self, harness: SchedulerHarness, action: str, schedule: str | None = None) -> bool:
        """Tell whether the scheduler offers an action, on this schedule."""
        infos = {one.name: one for one in harness.scheduler.announced()}
        if infos[action].absent is not None:
            return False
        if schedule is None:
            return True
        told = self.told(harness, schedule)
        assert told is not None
        reason = told.absent.get(action)
        assert reason is None or reason.endswith("."), "a reason is a sentence"
        return reason is None

    def call(self, harness: SchedulerHarness, action: str, *target: str, **params: Any) -> Any:
        """Call an action the way the agent does: parameters through their Struct."""
        offered = harness.scheduler.actions()[action]
        checked = msgspec.json.decode(msgspec.json.encode(params), type=offered.params)
        return getattr(harness.scheduler, action)(*target, checked)


__all__ = ["SECRET", "SchedulerContract", "SchedulerHarness"]
