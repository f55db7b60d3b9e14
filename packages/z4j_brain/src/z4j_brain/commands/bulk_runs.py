"""Bulk runs as people see them: estimated, made, paused, resumed, approved, aborted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from z4j_brain import clock
from z4j_brain.audit.author import Author, Target
from z4j_brain.audit.recording import record
from z4j_brain.commands.bulk_request import (
    MAX_OPEN,
    BulkRequest,
    Count,
    Estimate,
    Step,
    taken,
)
from z4j_brain.commands.catalogue import Catalogue, Offer
from z4j_brain.commands.request import CommandError, Refusal, invalid, shown_params
from z4j_brain.commands.schema_check import check_fit
from z4j_brain.filters import Filter, parse_filter
from z4j_brain.live.changes import Changes
from z4j_brain.redaction.cleaner import BUILT_IN, Cleaner
from z4j_brain.store import actions, bulk_estimate, bulk_members, bulk_runs, feeds, task_filter
from z4j_brain.store.bulk_estimate import MAX_MEMBERS
from z4j_brain.store.bulk_runs import BulkRun
from z4j_brain.store.database import Database
from z4j_brain.store.schema import tasks
from z4j_brain.store.types import new_id

if TYPE_CHECKING:
    from z4j_brain.live.hub import Hub

_NOTHING = "No task meets this filter and is in a state that “{action}” is for: {states}."
_TOO_MANY = (
    f"More than {MAX_MEMBERS:,} tasks meet this filter. Narrow it, for example by name: or since:,"
    " and make a run for each part."
)
_NO_SECRETS = (
    "The parameters of a bulk run are stored, so they cannot hold a secret. Leave out what looks"
    " like one, or act on single tasks."
)


class BulkRuns:
    """What people do with bulk runs. Every method belongs to the event loop.

    The work itself is the leader's: `reconcile/bulk.py`.
    """

    def __init__(
        self,
        database: Database,
        hub: Hub,
        *,
        cleaner_of: Callable[[UUID], Cleaner] = lambda _: BUILT_IN,
        now: Callable[[], int] = clock.now,
    ) -> None:
        self._database = database
        self._hub = hub
        self._cleaner_of = cleaner_of
        self._now = now

    async def estimate(
        self, project_id: UUID, engine: str, action: str, filter: Filter
    ) -> Estimate:
        """Tell what a run would act on now. Raises CommandError."""
        return await self._database.run(_estimate, project_id, engine, action, filter, self._now())

    async def create(self, request: BulkRequest) -> BulkRun:
        """Store a run, which begins within a second. Raises CommandError and FilterError.

        The same idempotency key with the same request returns the run that there is. The caller
        has checked `catalogue.permission_of(request.action)`.
        """
        filter = parse_filter(request.filter)
        if not shown_params(request.params, self._cleaner_of(request.project_id)).is_exact:
            raise invalid("/params", _NO_SECRETS)
        known = await self._database.run(_known, request)
        if known is not None:
            return known
        run = await self._database.run(_frozen, request, filter, self._now())
        try:
            offset = await self._database.run(_add, request.author, run, write=True)
        except IntegrityError:
            known = await self._database.run(_known, request)
            if known is None:
                raise
            return known
        self._publish(run, offset)
        return await self._database.run(bulk_runs.find, run.project_id, run.id) or run

    async def take(
        self, project_id: UUID, run_id: UUID, step: Step, author: Author
    ) -> BulkRun | None:
        """Take a step with a run; return it, or None when there is none. Raises CommandError."""
        taken_at = self._now()
        done = await self._database.run(
            _take, project_id, run_id, step, author, taken_at, write=True
        )
        if done is None:
            return None
        self._publish(*done)
        return await self._database.run(bulk_runs.find, project_id, run_id)

    def _publish(self, run: BulkRun, offset: int) -> None:
        self._hub.publish(run.project_id, offset, Changes(bulk_runs=[run.id]))


def target_of(run: BulkRun) -> Target:
    """Return a run as a target of the audit log."""
    return Target("bulk_run", str(run.id), f"{run.action}: {run.filter or 'every task'}")


def find_offer(connection: Connection, project_id: UUID, engine: str, action: str) -> Offer:
    """Return an action on tasks that people can ask for. Raises CommandError."""
    catalogue = Catalogue(actions.online_workers(connection, project_id))
    offer = catalogue.find(engine, action)
    if offer is None:
        raise CommandError(Refusal.CONFLICT, catalogue.reason_for_absence(engine, action))
    if offer.info.internal or offer.info.target != "task":
        raise invalid("/action", f"“{action}” is no action on a task; a bulk run takes only those.")
    return offer


def _estimate(
    connection: Connection, project_id: UUID, engine: str, action: str, filter: Filter, now: int
) -> Estimate:
    offer = find_offer(connection, project_id, engine, action)
    matching = task_filter.where(connection, project_id, filter, now) & (tasks.c.engine == engine)
    eligible = bulk_members.eligible(
        connection, project_id, filter, engine=engine, states=offer.info.states, at=now
    )
    return Estimate(
        matching=_count(connection, matching),
        by_state=bulk_estimate.by_state(connection, matching),
        eligible=_count(connection, eligible),
        looked=bulk_estimate.look(connection, eligible),
    )


def _count(connection: Connection, where: task_filter.Where) -> Count:
    number = bulk_estimate.count(connection, where)
    return Count(min(number, MAX_MEMBERS), number > MAX_MEMBERS)


def _known(connection: Connection, request: BulkRequest) -> BulkRun | None:
    if request.idempotency_key is None:
        return None
    run = bulk_runs.find_by_key(connection, request.project_id, request.idempotency_key)
    if run is not None and not request.is_asked_by(run):
        raise CommandError(
            Refusal.CONFLICT, "This Idempotency-Key belongs to another run. Use a new one."
        )
    return run


def _frozen(connection: Connection, request: BulkRequest, filter: Filter, now: int) -> BulkRun:
    """Check a request and return the run that it makes; nothing is written."""
    offer = find_offer(connection, request.project_id, request.engine, request.action)
    check_fit(request.params, offer.info, offer.workers[0])
    states = offer.info.states
    where = bulk_members.eligible(
        connection, request.project_id, filter, engine=request.engine, states=states, at=now
    )
    matching = bulk_estimate.count(connection, where)
    if not matching:
        said = ", ".join(states) if states is not None else "any"
        raise invalid("/filter", _NOTHING.format(action=request.action, states=said))
    if matching > MAX_MEMBERS:
        raise invalid("/filter", _TOO_MANY)
    return BulkRun(
        id=new_id(),
        project_id=request.project_id,
        idempotency_key=request.idempotency_key,
        engine=request.engine,
        action=request.action,
        params=request.params.decode(),
        filter=request.filter,
        states=states,
        matching=matching,
        created_at=now,
        created_by=request.user_id,
        key_id=request.key_id,
        **msgspec.structs.asdict(request.options),
    )


def _add(connection: Connection, author: Author, run: BulkRun) -> int:
    if bulk_runs.open_count(connection, run.project_id) >= MAX_OPEN:
        raise CommandError(
            Refusal.CONFLICT,
            f"{MAX_OPEN} bulk runs of this project have not ended. Abort one, or wait.",
        )
    bulk_runs.add(connection, run)
    told = ("engine", "action", "filter", "states", "matching", "rate", "skip_retried")
    canary = [name for name in BulkRun.__struct_fields__ if name.startswith("canary_")][:4]
    after = {name: getattr(run, name) for name in (*told, *canary)}
    record(
        connection,
        author,
        "bulk_run.made",
        target_of(run),
        project_id=run.project_id,
        after=after | {"params": msgspec.json.decode(run.params)},
        now=run.created_at,
    )
    return feeds.advance(connection, run.project_id)


def _take(
    connection: Connection, project_id: UUID, run_id: UUID, step: Step, author: Author, now: int
) -> tuple[BulkRun, int] | None:
    run = bulk_runs.lock(connection, run_id)
    if run is None or run.project_id != project_id:
        return None
    values = taken(step, run)
    if values is None:
        raise CommandError(Refusal.CONFLICT, f"The run is {run.state}; it cannot {step} now.")
    bulk_runs.change(connection, run_id, **values)
    record(
        connection,
        author,
        f"bulk_run.{step}",
        target_of(run),
        project_id=project_id,
        before={"state": run.state},
        after={"state": values["state"]},
        now=now,
    )
    return run, feeds.advance(connection, project_id)
