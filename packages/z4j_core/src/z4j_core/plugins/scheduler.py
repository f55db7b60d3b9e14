"""The contract of a scheduler: which schedules there are, and what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from z4j_core.capability import NoParams, Target, action
from z4j_core.frames import SchedulerInfo
from z4j_core.plugins.offering import Offering
from z4j_core.schedules import Schedule


class RunResult(msgspec.Struct, frozen=True):
    """The id of the task that was published; None where the scheduler does not tell it."""

    task_id: str | None = None


class CreateResult(msgspec.Struct, frozen=True):
    """The id of the new schedule."""

    schedule: str


class Scheduler(Offering):
    """A scheduler whose schedules this process can read. Subclass it, set `name` and `engine`.

    `engine` is the name of the engine whose tasks it publishes; `name` is another than that of any
    engine, as commands call both by their names. Several processes may read the
    same schedules: `store` says whether they are the same, and the brain has one of them read.
    An action is offered only if its method is overridden, with a Struct of the scheduler's own for
    `params` where the base says Any; `absences` gives the reasons for the others. Actions run on
    the thread of the agent that reads, one at a time.
    """

    engine: ClassVar[str]
    lag_s: ClassVar[float] = 0.0
    """By how many seconds at most a run may stand in the store late, as with a scheduler that
    writes its last runs every three minutes. No run is called missed before."""

    def store(self) -> str | None:
        """Return which store of schedules this is (`z4j_core.schedules.store_id`). No I/O.

        None if this process cannot read any as it is now: the scheduler runs in another, or is not
        in use. It is asked whenever the process connects, and what gives None is not announced.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement store()")

    def schedules(self) -> Sequence[Schedule]:
        """Return all schedules as they are now.

        Called every few seconds on a thread of the agent that does nothing else: read with a
        connection of your own and time limits of a few seconds. Raise what goes wrong: what was
        last told stays, with its age.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement schedules()")

    @classmethod
    def declared(cls) -> type[Offering]:
        return Scheduler

    def info(self) -> SchedulerInfo | None:
        """Return what `hello` says of this scheduler; None without a store."""
        store = self.store()
        if store is None:
            return None
        return SchedulerInfo(
            name=self.name,
            engine=self.engine,
            store=store,
            version=self.version(),
            lag_s=self.lag_s,
            actions=self.announced(),
        )

    @action(
        target=Target.SCHEDULE,
        title="Run now",
        description="Publishes the schedule's task once, now. Its next runs stay as they are.",
    )
    def run_now(self, schedule: str, params: NoParams) -> RunResult:
        """Publish the task of a schedule once."""
        raise NotImplementedError

    @action(
        target=Target.SCHEDULE,
        title="Pause",
        description="The schedule stays and does not run until it is resumed.",
        destructive=True,
    )
    def pause(self, schedule: str, params: NoParams) -> None:
        """Keep a schedule from running."""
        raise NotImplementedError

    @action(
        target=Target.SCHEDULE,
        title="Resume",
        description="The schedule runs again, from its next time on.",
    )
    def resume(self, schedule: str, params: NoParams) -> None:
        """Let a paused schedule run."""
        raise NotImplementedError

    @action(
        target=Target.SCHEDULE,
        title="Change",
        description="Changes when the schedule runs and what it publishes.",
    )
    def update(self, schedule: str, params: Any) -> None:
        """Change a schedule; what `params` leaves out stays as it is."""
        raise NotImplementedError

    @action(
        target=Target.SCHEDULE,
        title="Delete",
        description="Removes the schedule. Tasks that it has published are not touched.",
        destructive=True,
    )
    def delete(self, schedule: str, params: NoParams) -> None:
        """Remove a schedule."""
        raise NotImplementedError

    @action(
        target=Target.SCHEDULER,
        title="New schedule",
        description="Adds a schedule to the store.",
    )
    def create(self, params: Any) -> CreateResult:
        """Add a schedule."""
        raise NotImplementedError
