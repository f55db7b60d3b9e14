"""Every action that an engine offers does in the engine what it says.

A plugin's test file subclasses `ActionContract` and provides one fixture, a stage: the engine in
this process (`EngineStage`) or in a real worker with the real agent (`WorkerStage`). Its scenes are
written one after the other, each set up by what stands before it:

    class MyStage(WorkerStage):
        def scenes(self):
            task = self.hold()
            yield Scene("terminate", lambda: not is_alive(task), task=task)
            yield Scene("grow", lambda: self.count_threads() == 3, params={"by": 1})

What is seen is asked of the engine, its broker or the system, never of z4j or of the answer.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

from z4j_core.capability import ActionError
from z4j_core.frames import ActionInfo, Command, Hello, Result, TaskRef
from z4j_core.plugins import Engine
from z4j_core.testing.patience import Patient

ANSWER_S = 60.0


class Scene(NamedTuple):
    """An action with what it is to act on; `seen` tells whether its effect is there."""

    action: str
    seen: Callable[[], object]
    task: TaskRef | None = None
    queue: str | None = None
    params: Mapping[str, Any] = {}


class Stage(Protocol):
    """Where an engine's actions are tried."""

    def offered(self) -> Collection[str]:
        """Return the names of what people are offered."""

    def scenes(self) -> Iterator[Scene]:
        """Yield at least one scene for each of them."""

    def act(self, scene: Scene) -> None:
        """Carry it out as the agent does; raise `ActionError` when it is refused."""


class ActionContract(Patient):
    """Subclass it as ``Test…``, with a fixture `stage`."""

    def test_every_offered_action_has_its_effect(self, stage: Stage) -> None:
        """Each action is offered, its effect is not there before it and is there after it.

        What is offered and has no scene does not pass: then it must not be offered, and `absences`
        gives the reason.
        """
        shown = set()
        for scene in stage.scenes():
            assert scene.action in stage.offered(), f"{scene.action} is not offered"
            assert not scene.seen(), f"{scene.action}: there before it was asked for"
            stage.act(scene)
            self.until(scene.seen, f"the effect of {scene.action}")
            shown.add(scene.action)
        assert shown == set(stage.offered()), "an action has no scene"


class EngineStage:
    """An engine that is attached in this process."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def offered(self) -> Collection[str]:
        """Return the names of what the engine offers now."""
        return _names(self.engine.info().actions)

    def act(self, scene: Scene) -> None:
        """Call the engine: with the target first, and parameters through their Struct."""
        asked = msgspec.convert(dict(scene.params), self.engine.actions()[scene.action].params)
        targets = [target for target in (scene.task, scene.queue) if target is not None]
        getattr(self.engine, scene.action)(*targets, asked)


class Server(Protocol):
    """What the worker's agent is connected to; `z4j_agent.testing.LoopbackBrain` is one."""

    hellos: list[Hello]
    results: list[Result]

    @property
    def open_links(self) -> int:
        """How many processes are connected."""

    def command(self, command: Command) -> None:
        """Send a command to every agent."""


class WorkerStage:
    """An engine in a worker process, or in several: one of them has to carry an action out."""

    def __init__(self, server: Server, engine: str) -> None:
        self.server = server
        self.engine = engine

    def offered(self) -> Collection[str]:
        """Return the names of what any of the workers that have connected offers."""
        workers = [hello for hello in [*self.server.hellos] if hello.role == "worker"]
        engines = [engine for worker in workers for engine in worker.engines]
        return {
            name
            for engine in engines
            if engine.name == self.engine
            for name in _names(engine.actions)
        }

    def act(self, scene: Scene) -> None:
        """Send a command and wait for its results."""
        command = Command(
            id=uuid.uuid4().hex,
            engine=self.engine,
            action=scene.action,
            params=msgspec.json.encode(scene.params),
            task=scene.task,
            queue=scene.queue,
        )
        asked = self.server.open_links
        self.server.command(command)
        deadline = time.monotonic() + ANSWER_S
        while len(answers := self._answers(command.id)) < asked and time.monotonic() < deadline:
            if any(answer.ok for answer in answers):
                return
            time.sleep(0.01)
        if not any(answer.ok for answer in answers):
            raise ActionError("; ".join(answer.error or "" for answer in answers) or "No answer.")

    def _answers(self, command_id: str) -> list[Result]:
        return [result for result in [*self.server.results] if result.id == command_id]


def _names(actions: Sequence[ActionInfo]) -> set[str]:
    return {one.name for one in actions if one.absent is None and not one.internal}


__all__ = ["ActionContract", "EngineStage", "Scene", "Stage", "WorkerStage"]
