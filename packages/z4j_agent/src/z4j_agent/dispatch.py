"""Commands become calls of actions: once per command, one at a time for an engine or scheduler."""

from __future__ import annotations

import contextlib
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Any

import msgspec

from z4j_agent.sampler import micros
from z4j_agent.schedules import Job
from z4j_core.capability import Action, ActionError, Target
from z4j_core.frames import Command, Result
from z4j_core.plugins import Offering
from z4j_core.redaction import Redactor

MAX_REMEMBERED = 1000
MAX_WAITING = 1000
MAX_WAITING_BYTES = 16 * 1_048_576
MAX_UNTOLD = 4 * MAX_WAITING
"""Results that the server has not acknowledged; beyond, commands are left for it to send again."""
MAX_RESULT_BYTES = 262_144
MAX_ERROR = 4000
MAX_DEFECT = 300

_log = logging.getLogger("z4j.agent")


class RefusedError(Exception):
    """The command cannot be carried out; the message is for the person who sent it."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a command; `result` is redacted JSON, `error` redacted text."""

    id: str
    ok: bool
    result: bytes = b"null"
    error: str | None = None
    finished_at: int = 0

    def frame(self, seq: int) -> Result:
        """Return the frame that reports it."""
        return Result(
            seq=seq,
            id=self.id,
            ok=self.ok,
            result=self.result,
            error=self.error,
            finished_at=self.finished_at,
        )


class Executor:
    """Carries out commands on the engines and schedulers of this process, by their names.

    Thread-safe if these are.
    """

    def __init__(self, engines: Sequence[Offering], redactor: Redactor) -> None:
        self._engines = {engine.name: engine for engine in engines}
        self._actions: dict[str, dict[str, Action]] = {}
        self._redactor = redactor

    @property
    def engine_names(self) -> frozenset[str]:
        """The engines and schedulers that this process has."""
        return frozenset(self._engines)

    def run(self, command: Command, clock_offset_us: int) -> Outcome:
        """Carry a command out; never raises.

        `clock_offset_us` is how far the server's clock is ahead of ours: the deadline is told in
        the server's time.
        """
        try:
            result = self._call(command, clock_offset_us)
            return Outcome(command.id, True, self._encode(result), None, micros())
        except (RefusedError, ActionError) as error:
            text = self._safe(str(error) or "The action gave no reason.", MAX_ERROR)
        except BaseException as error:  # some engines stop themselves by SystemExit
            _log.warning("The action %s of %s failed.", command.action, command.engine)
            text = self._safe(f"{type(error).__name__}: {_text_of(error)}", MAX_DEFECT)
        return Outcome(command.id, False, b"null", text, micros())

    def _call(self, command: Command, clock_offset_us: int) -> object:
        if command.deadline and micros() + clock_offset_us > command.deadline:
            raise RefusedError("Not carried out: its deadline had passed. Send it again.")
        engine = self._engines.get(command.engine)
        if engine is None:
            raise RefusedError(f"This process has no engine or scheduler {command.engine!r}.")
        action = self._action(engine, command.action)
        params = _params(action, command.params)
        method = getattr(engine, action.name)
        return method(*_subject(action, command), params)

    def _action(self, engine: Offering, name: str) -> Action:
        """Only what was announced can be called: a name never reaches `getattr` unchecked."""
        if engine.name not in self._actions:
            self._actions[engine.name] = type(engine).actions()
        action = self._actions[engine.name].get(name)
        if action is None:
            raise RefusedError(f"{engine.name} has no action {name[:64]!r} in this process.")
        reason = engine.absences().get(name)
        if reason is not None:
            raise RefusedError(reason)
        return action

    def _encode(self, result: object) -> bytes:
        encoded = msgspec.json.encode(self._redactor.value(msgspec.to_builtins(result)))
        return encoded if len(encoded) <= MAX_RESULT_BYTES else b'{"cut":["everything"]}'

    def _safe(self, text: str, limit: int) -> str:
        text = self._redactor.text(text)
        return text if len(text) <= limit else text[: limit - 1] + "…"


class Dispatcher:
    """Takes commands on the driver's thread, runs them on one thread per engine or scheduler.

    `push` numbers and keeps a result frame and returns its number; `acknowledged` tells up to
    which number the server has them. Both are called on the driver's thread only, and so is
    `on_acted`, with the name of the engine or scheduler that has carried out a command.
    """

    def __init__(
        self,
        executor: Executor,
        push: Callable[[Outcome], int],
        acknowledged: Callable[[], int],
    ) -> None:
        self.clock_offset_us = 0
        self.on_driver: Callable[[Callable[[], None]], None] | None = None
        self.on_acted: Callable[[str], None] | None = None
        self._executor = executor
        self._push = push
        self._acknowledged = acknowledged
        self._waiting: dict[str, int] = {}
        self._waiting_bytes = 0
        self._untold: deque[int] = deque()
        self._remembered: OrderedDict[str, tuple[Outcome, int]] = OrderedDict()
        self._queues: dict[str, SimpleQueue[Job]] = {}

    def submit(self, command: Command) -> None:
        """Carry out a command, unless that was done or is being done. Driver's thread only.

        Memory is bounded whatever the server does: a command is dropped without a word while too
        many results wait for their acknowledgement, as the server sends it again.
        """
        if command.id in self._waiting or not self._has_room():
            return
        if command.id in self._remembered:
            self._repeat(command.id)
        elif command.engine not in self._executor.engine_names:
            self._finish(self._executor.run(command, self.clock_offset_us))
        elif self._is_too_much(command):
            error = "This worker has too many commands waiting. Send it again later."
            self._finish(Outcome(command.id, False, b"null", error, micros()))
        else:
            self._waiting[command.id] = size = _size(command)
            self._waiting_bytes += size
            self.on_thread(command.engine, partial(self._carry_out, command))

    def on_thread(self, engine: str, job: Job) -> None:
        """Run a job on the thread of this engine or scheduler, after those before it.

        It must not raise. What it returns is called on the driver's thread. Driver's thread only.
        """
        self._queue(engine).put(job)

    def _has_room(self) -> bool:
        """Tell whether one more result may be kept for the server."""
        acknowledged = self._acknowledged()
        while self._untold and self._untold[0] <= acknowledged:
            self._untold.popleft()
        return len(self._untold) + len(self._waiting) < MAX_UNTOLD

    def _is_too_much(self, command: Command) -> bool:
        is_too_large = self._waiting_bytes + _size(command) > MAX_WAITING_BYTES
        return len(self._waiting) >= MAX_WAITING or (is_too_large and bool(self._waiting))

    def _repeat(self, command_id: str) -> None:
        """Answer again, unless the first answer is still on its way."""
        outcome, seq = self._remembered[command_id]
        if seq <= self._acknowledged():
            self._remembered[command_id] = (outcome, self._tell(outcome))

    def _finish(self, outcome: Outcome) -> None:
        self._waiting_bytes -= self._waiting.pop(outcome.id, 0)
        self._remembered[outcome.id] = (outcome, self._tell(outcome))
        while len(self._remembered) > MAX_REMEMBERED:
            self._remembered.popitem(last=False)

    def _tell(self, outcome: Outcome) -> int:
        seq = self._push(outcome)
        self._untold.append(seq)
        return seq

    def _carry_out(self, command: Command) -> Callable[[], None]:
        outcome = self._executor.run(command, self.clock_offset_us)

        def finish() -> None:
            self._finish(outcome)
            if self.on_acted is not None:
                self.on_acted(command.engine)

        return finish

    def _queue(self, engine: str) -> SimpleQueue[Job]:
        queue = self._queues.get(engine)
        if queue is None:
            queue = self._queues[engine] = SimpleQueue()
            name = f"z4j-agent-{engine}"
            Thread(target=self._work, args=(queue,), name=name, daemon=True).start()
        return queue

    def _work(self, queue: SimpleQueue[Job]) -> None:
        while True:
            done = queue.get()()
            deliver = self.on_driver
            if deliver is not None:
                with contextlib.suppress(RuntimeError):  # the driver has ended meanwhile
                    deliver(done)


def _size(command: Command) -> int:
    """Return about how much memory a command holds, in bytes."""
    task = command.task
    texts = () if task is None else (task.args, task.kwargs)
    return len(command.params) + sum(len(text or "") for text in texts)


def _params(action: Action, encoded: bytes) -> Any:
    try:
        return msgspec.json.decode(encoded or b"{}", type=action.params, strict=True)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        why = str(error)[:MAX_DEFECT]
        raise RefusedError(f"The parameters of {action.name} are not valid: {why}") from None


def _subject(action: Action, command: Command) -> tuple[Any, ...]:
    """Return what the action acts on, as its signature wants it."""
    if action.mark.target is Target.TASK:
        if command.task is None:
            raise RefusedError(f"{action.name} acts on a task, and the command names none.")
        return (command.task,)
    if action.mark.target is Target.QUEUE:
        if command.queue is None:
            raise RefusedError(f"{action.name} acts on a queue, and the command names none.")
        return (command.queue,)
    if action.mark.target is Target.SCHEDULE:
        if command.schedule is None:
            raise RefusedError(f"{action.name} acts on a schedule, and the command names none.")
        return (command.schedule,)
    return ()


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # an exception of a stranger whose text cannot be made
        return "(no text)"
