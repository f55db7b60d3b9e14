"""Schedules are read in the elected process, told when they change, and acted on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import msgspec
import pytest

from z4j_agent import schedule_talk, schedules
from z4j_agent.plugin_set import PluginSet
from z4j_agent.runtime import Agent
from z4j_agent.schedules import ScheduleReader
from z4j_agent.settings import Settings
from z4j_agent.testing import LoopbackBrain
from z4j_core import frames
from z4j_core.capability import ActionError, NoParams
from z4j_core.plugins import Engine, Owner, Schedule, Scheduler, hook, store_id
from z4j_core.redaction import Redactor

SECRET = "planted-schedule-password"
STORE = store_id("reeds")
WATCHED = frames.WatchedStore("reeds", STORE)


class Reeds(Scheduler):
    """A scheduler whose store is a dictionary of intervals; `fault` is raised."""

    name: ClassVar[str] = "reeds"
    engine: ClassVar[str] = "pond"

    def __init__(self) -> None:
        self.entries = {"nightly": 60.0}
        self.paused: set[str] = set()
        self.fault: Exception | None = None
        self.threads: set[str] = set()
        self.place = STORE

    def attach(self, host: Any) -> None: ...

    def detach(self) -> None: ...

    def store(self) -> str:
        return self.place

    def schedules(self) -> Sequence[Schedule]:
        self.threads.add(threading.current_thread().name)
        if self.fault is not None:
            raise self.fault
        return [
            Schedule(
                id=name,
                name=name,
                timing=f"every {every} s",
                owner=Owner.STORE,
                every_s=every,
                enabled=name not in self.paused,
                arguments={"kwargs": {"password": SECRET, "colour": "blue"}},
                values={"every_s": every, "kwargs": {"password": SECRET}},
            )
            for name, every in self.entries.items()
        ]

    def pause(self, schedule: str, params: NoParams) -> None:
        if schedule not in self.entries:
            raise ActionError("It is gone.")
        self.paused.add(schedule)


@pytest.fixture
def reeds() -> Reeds:
    return Reeds()


@pytest.fixture
def linked(
    brain: LoopbackBrain,
    new_agent: Callable[..., Agent],
    plugin: Callable[..., Any],
    reeds: Reeds,
) -> LoopbackBrain:
    @hook
    def z4j_scheduler(settings: Any) -> Scheduler:
        return reeds

    agent = new_agent(brain.environment(), [plugin("reeds", z4j_scheduler=z4j_scheduler)])
    agent.start("worker")
    assert brain.wait_for(lambda: brain.open_links)
    return brain


def last(brain: LoopbackBrain) -> frames.Schedules:
    return brain.schedules[-1]


def test_nobody_reads_before_the_election(linked: LoopbackBrain, reeds: Reeds) -> None:
    [info] = linked.hellos[0].schedulers
    assert (info.name, info.engine, info.store) == ("reeds", "pond", STORE)
    offered = {one.name: one.absent for one in info.actions}
    assert offered["pause"] is None
    assert offered["delete"] == "reeds has no such action."
    assert not reeds.threads
    linked.watch_schedules(frames.WatchedStore("others", STORE), WATCHED)
    assert linked.wait_for(lambda: linked.schedules)
    told = last(linked)
    assert (told.scheduler, told.store, told.total, told.error) == ("reeds", STORE, 1, None)
    assert reeds.threads == {"z4j-agent-reeds"}


def test_secrets_stay_in_the_process(linked: LoopbackBrain) -> None:
    linked.watch_schedules(WATCHED)
    assert linked.wait_for(lambda: linked.schedules)
    [told] = last(linked).schedules
    assert SECRET not in repr(told)
    assert msgspec.json.decode(told.arguments)["kwargs"]["colour"] == "blue"
    assert msgspec.json.decode(told.values) == {"every_s": 60.0}, "no mask for a form to save"
    assert told.hidden == ["kwargs"]


def test_only_changes_are_told(
    linked: LoopbackBrain, reeds: Reeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked.watch_schedules(WATCHED, every_s=0.1)
    assert linked.wait_for(lambda: linked.schedules)
    reeds.entries = {"hourly": 3600.0}
    assert linked.wait_for(lambda: [one.id for one in last(linked).schedules] == ["hourly"])
    assert len(linked.schedules) == 2
    monkeypatch.setattr(schedule_talk, "RESEND_S", 0.0)
    assert linked.wait_for(lambda: len(linked.schedules) > 3), "a sign of life"
    assert linked.schedules[-1] == linked.schedules[1]


def test_a_failure_is_told_and_passes(linked: LoopbackBrain, reeds: Reeds) -> None:
    linked.watch_schedules(WATCHED, every_s=0.1)
    assert linked.wait_for(lambda: linked.schedules)
    reeds.fault = OSError(f"no route to redis://user:{SECRET}@host/0")
    assert linked.wait_for(lambda: last(linked).error)
    assert "no route" in str(last(linked).error)
    assert SECRET not in repr(linked.schedules)
    reeds.fault = None
    assert linked.wait_for(lambda: last(linked).schedules)


def test_what_an_action_changed_is_told_at_once(linked: LoopbackBrain, reeds: Reeds) -> None:
    linked.watch_schedules(WATCHED, every_s=86_400.0)
    assert linked.wait_for(lambda: linked.schedules)
    linked.command(frames.Command("c1", "reeds", "pause", b"{}", schedule="nightly"))
    assert linked.wait_for(lambda: not last(linked).schedules[0].enabled)
    assert linked.results[0].ok
    assert reeds.threads == {"z4j-agent-reeds"}, "one thread for both"


@pytest.mark.parametrize(
    ("schedule", "action", "reason"),
    [
        (None, "pause", "names none"),
        ("gone", "pause", "It is gone."),
        ("nightly", "delete", "no action"),
        ("nightly", "store", "no action"),
    ],
)
def test_what_cannot_be_done_is_refused(
    linked: LoopbackBrain, schedule: str | None, action: str, reason: str
) -> None:
    linked.command(frames.Command("c1", "reeds", action, b"{}", schedule=schedule))
    assert linked.wait_for(lambda: linked.results)
    assert not linked.results[0].ok
    assert reason in str(linked.results[0].error)


def test_another_store_is_not_read(linked: LoopbackBrain, reeds: Reeds) -> None:
    reeds.place = store_id("elsewhere")
    linked.watch_schedules(WATCHED)
    assert linked.wait_for(lambda: linked.schedules)
    assert "another store" in str(last(linked).error)
    assert last(linked).store == STORE


def test_a_frame_holds_what_fits(reeds: Reeds, monkeypatch: pytest.MonkeyPatch) -> None:
    reeds.entries = {f"s{number:04}": 1.0 for number in range(1_200)}
    took: list[frames.Schedules] = []
    reader = ScheduleReader([reeds], Redactor(), lambda _name, job: job()())
    reader.read("reeds", STORE, took.append)
    assert (len(took[0].schedules), took[0].total) == (1_000, 1_200)
    assert took[0].schedules[0].id == "s0000"
    monkeypatch.setattr(schedules, "MAX_BYTES", 5_000)
    reader.read("reeds", STORE, took.append)
    assert 0 < len(took[1].schedules) < 100
    assert len(msgspec.msgpack.encode(took[1])) < 6_000


def test_one_that_breaks_a_limit_does_not_hide_the_others(reeds: Reeds) -> None:
    reeds.entries = {"x" * 300: 1.0, "good": 1.0, "never": 0.0}
    took: list[frames.Schedules] = []
    reader = ScheduleReader([reeds], Redactor(), lambda _name, job: job()())
    reader.read("reeds", STORE, took.append)
    assert [one.id for one in took[0].schedules] == ["good"]
    assert (took[0].total, took[0].error) == (3, None)


def test_a_scheduler_needs_a_name_of_its_own(reeds: Reeds, plugin: Callable[..., Any]) -> None:
    class Pond(Engine):
        name: ClassVar[str] = "reeds"

    @hook
    def z4j_engine(settings: Any) -> Engine:
        return Pond()

    @hook
    def z4j_scheduler(settings: Any) -> Scheduler:
        return reeds

    points = [plugin("both", z4j_engine=z4j_engine, z4j_scheduler=z4j_scheduler)]
    plugins = PluginSet(Settings.from_environment({}), points)
    assert plugins.schedulers == []
    assert "the name 'reeds'" in plugins.problems[0].detail
