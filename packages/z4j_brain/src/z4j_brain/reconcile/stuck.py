"""Asks agents what became of tasks that seem stuck, and records that nobody knows when so it is.

Two steps of a round. `take_answers` reads the ends of questions asked before; `look` walks the open
tasks and asks about those that are due, one question to one agent of an engine at a time. What was
asked is remembered in the database, so another leader goes on where this one stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import msgspec
from sqlalchemy import Connection

from z4j_brain.clock import now
from z4j_brain.commands.catalogue import Catalogue, Offer
from z4j_brain.commands.request import CommandError, CommandRequest
from z4j_brain.live.changes import Changes
from z4j_brain.reconcile import answers, doubts
from z4j_brain.reconcile.counters import Counters
from z4j_brain.reconcile.suspicion import Patience, Situation, next_at
from z4j_brain.settings import Settings
from z4j_brain.store import actions, expiry, open_tasks, task_probes
from z4j_brain.store.database import Database
from z4j_brain.store.open_tasks import OpenTask, Page
from z4j_brain.store.task_probes import Asked
from z4j_core.plugins.probing import MAX_PROBED, ProbedTask, ProbeParams

if TYPE_CHECKING:
    from z4j_brain.commands.service import Commands

log = logging.getLogger("z4j.reconcile")

ACTION = "probe"
LOOK_S = 5.0
"""A look turns no further page after this time; the next round goes on there."""
QUEUED_EVERY_S = 600.0
"""A backlog is no emergency, and may be long: so often is asked about tasks that merely wait."""
MAX_FOUND = 10 * MAX_PROBED
"""Suspects of a project in one look; more are found again."""


class Feed(Protocol):
    """Where changes are announced: the hub."""

    def publish(self, project_id: UUID, offset: int, changes: Changes) -> None:
        """Announce what a committed transaction changed."""


class StuckTasks:
    """Belongs to the leader's event loop. `may_go_on` is asked between transactions."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        counters: Counters,
        commands: Commands,
        hub: Feed,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database = database
        self._patience = Patience.of(settings)
        self._counters = counters
        self._commands = commands
        self._hub = hub
        self._may_go_on = may_go_on
        self._after: dict[UUID, int] = {}
        self._queued_asked_s: dict[UUID, float] = {}

    async def take_answers(self) -> bool:
        """Draw the conclusions of the questions that have ended; tell whether none is left."""
        found = await self._database.run(task_probes.answers)
        for answer in found:
            if not self._may_go_on():
                return True
            concluded = await self._database.run(
                answers.conclude, answer, self._patience, now(), write=True
            )
            if concluded is not None:
                self._announce(*concluded)
        return len(found) < task_probes.MAX_ANSWERS

    async def look(self) -> bool:
        """Walk open tasks and ask about suspects; tell whether nothing is left to do soon."""
        is_done = True
        deadline = time.monotonic() + LOOK_S
        for project_id in await self._database.run(expiry.project_ids):
            suspects = await self._suspects(project_id, deadline)
            is_done = await self._ask(project_id, suspects) and is_done
        return is_done

    async def _suspects(self, project_id: UUID, deadline: float) -> list[OpenTask]:
        at, found = now(), list[OpenTask]()
        situation: Situation | None = None
        while self._may_go_on() and time.monotonic() < deadline and len(found) < MAX_FOUND:
            page: Page = await self._database.run(
                open_tasks.page,
                project_id,
                self._after.get(project_id, 0),
                at,
                at - self._patience.silence_us,
            )
            if page.tasks:
                situation = situation or await self._situation(project_id, at)
                found += filter(situation.is_suspect, page.tasks)
            self._after[project_id] = page.next or 0
            if page.next is None:
                break
        return self._without_backlog(project_id, found)

    def _without_backlog(self, project_id: UUID, found: list[OpenTask]) -> list[OpenTask]:
        """Leave out queued tasks, unless it is their turn."""
        if not any(task.state == "queued" for task in found):
            return found
        asked_s = self._queued_asked_s.get(project_id)
        if asked_s is None or time.monotonic() - asked_s >= QUEUED_EVERY_S:
            self._queued_asked_s[project_id] = time.monotonic()
            return found
        return [task for task in found if task.state != "queued"]

    async def _situation(self, project_id: UUID, at: int) -> Situation:
        workers = await self._database.run(open_tasks.presence, project_id)
        return Situation(at, workers, self._patience)

    async def _ask(self, project_id: UUID, suspects: list[OpenTask]) -> bool:
        """Ask each engine one question; tell whether that was all there is to ask."""
        if not suspects:
            return True
        catalogue = Catalogue(await self._database.run(actions.online_workers, project_id))
        is_done = True
        for engine in sorted({task.engine for task in suspects}):
            chosen = [task for task in suspects if task.engine == engine]
            offer = catalogue.find(engine, ACTION)
            if offer is None or not offer.info.internal:
                await self._doubt(project_id, engine, chosen)
            elif await self._database.run(task_probes.is_awaited, project_id, engine):
                is_done = False
            else:
                await self._question(project_id, offer, chosen)
                is_done = False
        return is_done

    async def _question(self, project_id: UUID, offer: Offer, suspects: list[OpenTask]) -> None:
        """Ask one agent: the worker that had the tasks, if it is there, else any."""
        names = {worker.worker_id: worker for worker in offer.workers}
        first = suspects[0].worker if suspects[0].worker in names else None
        batch = [
            task
            for task in suspects
            if (task.worker == first if first else task.worker not in names)
        ][:MAX_PROBED]
        request = CommandRequest(
            project_id=project_id,
            user_id=None,
            engine=offer.engine,
            action=ACTION,
            params=_params(batch),
            worker=str(names[first].id) if first else None,
        )
        try:
            command = await self._commands.create(request)
        except CommandError as error:
            log.info("no agent can be asked about stuck tasks now: %s", error.detail)
            return
        self._counters.probes += 1
        self._counters.probed_tasks += len(batch)
        asked = _asked(project_id, batch, command.id)
        await self._database.run(task_probes.remember, asked, write=True)
        log.info("asked %s about %d tasks that seem stuck", command.worker, len(batch))

    async def _doubt(self, project_id: UUID, engine: str, suspects: list[OpenTask]) -> None:
        """Nobody can be asked: record it for the tasks whose worker is gone."""
        situation = await self._situation(project_id, now())
        lost = [task for task in suspects if situation.may_be_unknown(task)]
        because = f"No agent that could be asked about tasks of {engine} was online then."
        found = [doubts.Doubt(task, situation.reason(task, because)) for task in lost]
        offset = await self._database.run(
            _record_alone, project_id, found, _asked(project_id, suspects, None), write=True
        )
        if found and offset is not None:
            self._announce(project_id, offset, found)

    def _announce(self, project_id: UUID, offset: int, found: Iterable[doubts.Doubt]) -> None:
        keys = [(doubt.task.engine, doubt.task.task_id) for doubt in found]
        self._counters.unknown_tasks += len(keys)
        log.info("the state of %d tasks is unknown", len(keys))
        self._hub.publish(project_id, offset, Changes(task_keys=keys))


def _record_alone(
    connection: Connection, project_id: UUID, found: list[doubts.Doubt], asked: list[Asked]
) -> int | None:
    task_probes.remember(connection, asked)
    return doubts.record(connection, project_id, found, now()) if found else None


def _params(batch: list[OpenTask]) -> bytes:
    return msgspec.json.encode(
        ProbeParams(
            tasks=[
                ProbedTask(
                    task_id=task.task_id,
                    name=task.name,
                    attempt=task.attempt,
                    state=task.state,
                    worker=task.worker,
                )
                for task in batch
            ]
        )
    )


def _asked(project_id: UUID, batch: list[OpenTask], command_id: UUID | None) -> list[Asked]:
    """Return what to remember. Without a command it is no try: there may soon be an agent."""
    at = now()
    return [
        Asked(
            project_id=project_id,
            engine=task.engine,
            task_id=task.task_id,
            life_at=task.last_at,
            tries=(tries := task.asked + (command_id is not None)),
            asked_at=at,
            next_at=next_at(at, tries, is_alive=False),
            command_id=command_id,
            place=None if command_id is None else place,
        )
        for place, task in enumerate(batch)
    ]
