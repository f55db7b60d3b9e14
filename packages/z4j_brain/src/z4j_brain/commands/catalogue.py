"""Which actions can be asked for now: what the online workers announced, merged."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from z4j_brain.store.actions import OnlineWorker
from z4j_core.frames import ActionInfo

_OWN_PERMISSION = frozenset({"retry", "retry_edited", "cancel", "terminate", "purge"})


_OF_SCHEDULES = frozenset({"run_now", "pause", "resume", "update", "delete", "create"})


def permission_of(action: str, *, of_scheduler: bool = False) -> str:
    """Return the permission that an action needs; a stranger's action needs the general one."""
    if of_scheduler:
        return "command.schedule" if action in _OF_SCHEDULES else "command.custom"
    return f"command.{action}" if action in _OWN_PERMISSION else "command.custom"


class Offer(msgspec.Struct, frozen=True):
    """An action of an engine, or of a scheduler with this store, and the workers that offer it."""

    engine: str
    info: ActionInfo
    workers: list[OnlineWorker]
    store: str | None = None

    @property
    def permission(self) -> str:
        """What somebody needs to ask for it."""
        return permission_of(self.info.name, of_scheduler=self.store is not None)

    def reason_against(self, state: str, permissions: frozenset[str]) -> str | None:
        """Return why it cannot be asked for on a task in this state, None when it can."""
        if self.permission not in permissions:
            return f"Your role lacks the permission {self.permission}."
        return state_reason(self.info, state)


class Absence(msgspec.Struct, frozen=True):
    """An action that no online worker offers, with the reason that one of them gave."""

    engine: str
    name: str
    reason: str
    store: str | None = None


_OF_SCHEDULERS = ("schedule", "scheduler")
StoreName = tuple[str, str]
"""A scheduler and its store."""
Key = tuple[str, str, str]
"""Engine or scheduler, its store or "", action."""


class Catalogue:
    """The actions of a project's online workers. Of unlike announcements the first one is shown;
    a command is checked against that of the worker that will run it. Actions of schedulers are
    told apart by their stores; `store` is None for those of engines.
    """

    def __init__(self, workers: Iterable[OnlineWorker]) -> None:
        self._offers: dict[Key, Offer] = {}
        self._absences: dict[Key, Absence] = {}
        for worker in workers:
            for engine in worker.engines:
                for info in engine.actions:
                    self._add(worker, engine.name, None, info)
            for scheduler in worker.schedulers:
                for info in scheduler.actions:
                    self._add(worker, scheduler.name, scheduler.store, info)

    def _add(self, worker: OnlineWorker, engine: str, store: str | None, info: ActionInfo) -> None:
        if store is not None and info.absent is None and info.target not in _OF_SCHEDULERS:
            return  # an agent that says so cannot mean it: nothing is acted on in this way
        key = (engine, store or "", info.name)
        if info.absent is not None:
            self._absences.setdefault(key, Absence(engine, info.name, info.absent, store))
        elif key in self._offers:
            self._offers[key].workers.append(worker)
        else:
            self._offers[key] = Offer(engine, info, [worker], store)

    def offered(self, of: StoreName | None = None) -> list[Offer]:
        """Return every action that people can ask for, by engine and name: those of engines, or
        those of this scheduler's store.
        """
        found = [self._offers[key] for key in sorted(self._offers) if _is_of(key, of)]
        return [offer for offer in found if not offer.info.internal]

    def absent(self, of: StoreName | None = None) -> list[Absence]:
        """Return the actions that are announced as absent and that nobody offers, as `offered`."""
        keys = sorted(self._absences.keys() - self._offers.keys())
        return [self._absences[key] for key in keys if _is_of(key, of)]

    def find(self, engine: str, action: str, store: str | None = None) -> Offer | None:
        """Return an offered action."""
        return self._offers.get((engine, store or "", action))

    def reason_for_absence(self, engine: str, action: str, store: str | None = None) -> str:
        """Return, in a sentence, why nobody offers an action."""
        absence = self._absences.get((engine, store or "", action))
        if absence is not None:
            return absence.reason
        return f"No online worker offers “{action}” for {engine}. Start one, or see Workers."


def _is_of(key: Key, of: StoreName | None) -> bool:
    return not key[1] if of is None else key[:2] == of


def state_reason(info: ActionInfo, state: str) -> str | None:
    """Return why a task in this state cannot be the target of an action, None when it can."""
    if info.states is None or state in info.states:
        return None
    return f"The task is {state}; “{info.name}” is for tasks that are {_words(info.states)}."


def _words(states: list[str]) -> str:
    if len(states) < 2:
        return "".join(states) or "in no state"
    return f"{', '.join(states[:-1])} or {states[-1]}"
