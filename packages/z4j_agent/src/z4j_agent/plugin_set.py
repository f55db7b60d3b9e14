"""The plugins of this process, found, loaded and attached, each inside its own guard."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points

from z4j_agent.sealing import Sealing
from z4j_agent.settings import Settings
from z4j_core.events import TaskEvent
from z4j_core.plugins import (
    GROUP,
    Engine,
    EntryPoint,
    Framework,
    Host,
    PluginSettings,
    Problem,
    Scheduler,
    assemble,
)
from z4j_core.redaction import Redactor
from z4j_core.redaction.logs import redact_logs

_log = logging.getLogger("z4j.agent")
Part = Engine | Scheduler | Framework


class PluginSet:
    """Loaded plugins. Built once; `attach` and `detach` are not thread-safe."""

    def __init__(self, settings: Settings, points: Iterable[EntryPoint] | None = None) -> None:
        found = entry_points(group=GROUP) if points is None else points
        self._assembly = assemble(found, settings.only, settings.disabled)
        given = PluginSettings(environment=settings.environment)
        self.engines: list[Engine] = self._assembly.engines(given)
        self.schedulers: list[Scheduler] = self._with_names_of_their_own(
            self._assembly.schedulers(given)
        )
        self.frameworks: list[Framework] = self._assembly.frameworks(given)
        self.redactor = Redactor(
            extra_key=self._assembly.secret_key(),
            extra_rules=self._assembly.value_rules(time.thread_time),
            emails=settings.redact_emails,
        )
        names = (f"z4j.{part.name}" for part in self._parts())
        redact_logs(("z4j.agent", *names), self.redactor)
        self.event_filter: Callable[[TaskEvent], TaskEvent | None] | None = (
            self._assembly.event_filter()
        )
        self.sealing = Sealing.of(settings)
        self.seal = None if self.sealing.sealer is None else self.sealing.sealer.seal
        if self.sealing.problem is not None:
            self._assembly.problems.append(Problem("z4j-agent[seal]", self.sealing.problem))
        self._attached: list[Part] = []
        for problem in self._assembly.problems:
            self._warn(problem)

    @property
    def names(self) -> list[str]:
        """The plugins that could be loaded."""
        return self._assembly.names

    @property
    def problems(self) -> list[Problem]:
        """What went wrong, so far."""
        return self._assembly.problems

    @property
    def framework(self) -> str | None:
        """The web framework of this process, if a plugin found one."""
        return self.frameworks[0].name if self.frameworks else None

    def attach(self, host: Host) -> None:
        """Let every engine, scheduler and framework begin; one that cannot is left out."""
        for part in self._parts():
            try:
                part.attach(host)
            except Exception as error:  # one bad plugin must not harm the host
                self._fail(part, f"cannot be attached: {error!r}")
                self._leave_out(part)
            else:
                self._attached.append(part)

    def detach(self) -> None:
        """Undo `attach`, in the opposite order."""
        while self._attached:
            part = self._attached.pop()
            try:
                part.detach()
            except Exception as error:  # one bad plugin must not harm the host
                self._fail(part, f"cannot be detached: {error!r}")

    def _parts(self) -> list[Part]:
        return [*self.engines, *self.schedulers, *self.frameworks]

    def _with_names_of_their_own(self, found: list[Scheduler]) -> list[Scheduler]:
        """Commands call engines and schedulers by their names, so each has one of its own."""
        taken, kept = {engine.name for engine in self.engines}, []
        for scheduler in found:
            if scheduler.name in taken:
                detail = f"another engine or scheduler has the name {scheduler.name!r}"
                self._assembly.problems.append(Problem(type(scheduler).__name__, detail))
            else:
                taken.add(scheduler.name)
                kept.append(scheduler)
        return kept

    def _leave_out(self, part: Part) -> None:
        if isinstance(part, Engine):
            self.engines.remove(part)
        elif isinstance(part, Scheduler):
            self.schedulers.remove(part)
        else:
            self.frameworks.remove(part)

    def _fail(self, part: Part, detail: str) -> None:
        problem = Problem(str(getattr(part, "name", type(part).__name__)), detail)
        self._assembly.problems.append(problem)
        self._warn(problem)

    def _warn(self, problem: Problem) -> None:
        detail = self.redactor.text(problem.detail)[:500]
        _log.warning("The plugin %s is not in use: %s", problem.plugin, detail)
