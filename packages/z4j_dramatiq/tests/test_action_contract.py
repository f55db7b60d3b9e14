"""Each action that a Dramatiq worker offers has its effect, in Redis and in what runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from dramatiq import Message
from dramatiq_forks import DramatiqForks, forked
from dramatiq_stand import wait

from z4j_core.frames import TaskRef
from z4j_core.testing.action_contract import ActionContract, Scene, WorkerStage

QUEUE = {"queue": "default"}


class DramatiqStage(WorkerStage):
    """A worker with one thread: while it is held, what is published waits."""

    def __init__(self, forks: DramatiqForks) -> None:
        super().__init__(forks.server, "dramatiq")
        self.forks = forks

    def act(self, scene: Scene) -> None:
        """Let what is held go on after the action: its effect may stand behind it."""
        super().act(scene)
        self.forks.let_go()

    def scenes(self) -> Iterator[Scene]:
        yield from self.of_a_task_that_waits_or_runs()
        yield from self.of_a_task_that_ended()
        yield from self.of_a_queue()

    def of_a_task_that_waits_or_runs(self) -> Iterator[Scene]:
        self.hold()
        waiting, ran = self.forks.run(), self.forks.ran_in
        yield Scene(
            "cancel",
            lambda: waiting not in self.messages("default") and not ran(waiting),
            task=self.known(waiting, "queued"),
        )
        held = self.hold()
        yield Scene(
            "terminate", lambda: self.messages("default.XQ") == {held}, self.known(held, "running")
        )
        # What only looks has its answer for an effect: it says what Redis has.
        listing = lambda: self.messages("default.XQ") in self.listed()  # noqa: E731
        yield Scene("list_dead_letters", listing, queue="default")
        self.forget(held)
        yield Scene(
            "requeue_dead_letters",
            lambda: ran(held) and not self.messages("default.XQ"),
            queue="default",
            params={"task_ids": [held]},
        )

    def of_a_task_that_ended(self) -> Iterator[Scene]:
        ended, ran = self.forks.run(), self.forks.ran_in
        wait(lambda: ran(ended) and not self.messages("default"))
        self.forget(ended)
        task = self.known(ended, "succeeded")
        yield Scene("retry", lambda: ran(ended), task)
        edited = {"args": self.forks.args("edited"), "kwargs": {}}
        yield Scene("retry_edited", lambda: ran("edited"), task, params=edited)

    def of_a_queue(self) -> Iterator[Scene]:
        yield Scene("pause_queue", self.is_resting, params=QUEUE)
        self.forks.run()
        delayed = Message("default", "marked", (), {}, {})
        self.forks.broker.enqueue(delayed, delay=3_600_000)
        yield Scene(
            "purge",
            lambda: not self.messages("default") and not self.messages("default.DQ"),
            queue="default",
        )
        waiting = self.forks.run()
        yield Scene("resume_queue", lambda: self.forks.ran_in(waiting), params=QUEUE)

    def hold(self) -> str:
        """Have a task run until it is let go."""
        held = self.forks.hold()
        wait(lambda: self.forks.ran_in(held))
        return held

    def forget(self, task_id: str) -> None:
        """Have the next run of a task seen, and not the last."""
        (self.forks.marked / task_id).unlink()

    def known(self, task_id: str, state: str) -> TaskRef:
        """Return a task as the record would name it."""
        args = msgspec.json.encode(self.forks.args(task_id)).decode()
        return TaskRef(task_id, "marked", "default", state, args=args, kwargs="{}", exact=True)

    def messages(self, queue: str) -> set[str]:
        """Return what Redis has of a queue, also what runs and is not confirmed."""
        found = self.forks.broker.client.hvals(f"dramatiq:{queue}.msgs")
        return {msgspec.json.decode(one)["message_id"] for one in found}

    def listed(self) -> list[set[str]]:
        """Return the dead letters that answers have told."""
        answers = [msgspec.json.decode(one.result) for one in [*self.server.results] if one.ok]
        return [{one["task_id"] for one in told.get("letters", ())} for told in answers]

    def is_resting(self) -> bool:
        """Tell whether Dramatiq's consumers say so, that of delayed messages too."""
        log = self.forks.log.read_text()
        names = ("default", "default.DQ")
        return all(f"ConsumerThread({one})] [DEBUG] Consumer is paused" in log for one in names)


class TestDramatiqActions(ActionContract):
    @pytest.fixture
    def stage(self, tmp_path: Path, redis_url: str) -> Iterator[DramatiqStage]:
        with forked(tmp_path, redis_url, processes=1, threads=1) as forks:
            stage = DramatiqStage(forks)
            wait(stage.offered, forks.log.read_text)
            yield stage
