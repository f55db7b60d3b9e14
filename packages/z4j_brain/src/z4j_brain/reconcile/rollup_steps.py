"""The leader's work on rollups: summaries of what is stale, and the move to coarser buckets.

Minutes whose time is over (`Z4J_ROLLUP_MINUTE_RETENTION_DAYS`) are moved in two steps. The horizon
moves forward over whole hours in which nothing is stale; from then on these hours are never made
anew from their minutes, so the minutes can be removed one by one. Whatever a minute has counted
beyond its summary by then, or counts later, is added to the hour as it is removed. Hours end in
days in the same way.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable

from sqlalchemy import Connection

from z4j_brain.clock import now
from z4j_brain.reconcile.counters import Counters
from z4j_brain.reconcile.retention import DAY_US, KEPT_BY, longest
from z4j_brain.reconcile.summaries import add_late, summarise
from z4j_brain.settings import Settings
from z4j_brain.store import expiry, rollup_horizons, rollup_marks, rollups, summaries
from z4j_brain.store.database import Database
from z4j_brain.store.resolutions import COARSER, FINER, WIDTH_US, Resolution, start_of
from z4j_brain.store.summaries import Summary

log = logging.getLogger("z4j.reconcile")

STEP_S = 10.0
"""A step begins nothing further after this time."""
REST = 20
"""After the running minute was summarised, it rests for this many times what that took, so that it
costs a twentieth of a core at most."""
GAP_S = 0.005
"""Between two buckets, so that ingest has its turn."""
_AT_A_TIME = 200


class RollupSteps:
    """The steps and what they need. `may_go_on` is asked between transactions."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        counters: Counters,
        may_go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database = database
        self._settings = settings
        self._counters = counters
        self._may_go_on = may_go_on
        self._rest_until = 0.0

    async def summarise_minutes(self) -> bool:
        """Summarise the stale minutes, the newest first."""
        return await self._summarise("minute")

    async def summarise_hours_and_days(self) -> bool:
        """Summarise the stale hours, then the stale days."""
        is_done = await self._summarise("hour")
        return await self._summarise("day") and is_done

    async def move_horizons(self) -> bool:
        """Give up the minutes, then the hours, whose time is over and of which nothing is stale."""
        for project_id in await self._projects():
            for resolution in COARSER:
                await self._move_horizon(project_id, resolution)
        return True

    async def remove_minutes(self) -> bool:
        """Remove the minutes behind each project's horizon, one a transaction."""
        deadline, is_done = time.monotonic() + STEP_S, True
        for project_id in await self._projects():
            is_done = await self._remove(project_id, "minute", deadline) and is_done
        return is_done

    async def remove_hours(self) -> bool:
        """Remove the hours behind each project's horizon, one a transaction."""
        deadline, is_done = time.monotonic() + STEP_S, True
        for project_id in await self._projects():
            is_done = await self._remove(project_id, "hour", deadline) and is_done
        return is_done

    async def _projects(self) -> list[uuid.UUID]:
        return await self._database.run(expiry.project_ids)

    async def _summarise(self, resolution: Resolution) -> bool:
        """Summarise stale buckets until none is left or the time is over; tell which it was."""
        deadline = time.monotonic() + STEP_S
        tasks_since = self._tasks_since()
        stale = await self._database.run(rollup_marks.stale, resolution, _AT_A_TIME)
        for project_id, bucket in stale:
            if not self._may_go_on() or time.monotonic() > deadline:
                return False
            is_running = bucket + WIDTH_US[resolution] > now()
            if is_running and resolution == "minute" and time.monotonic() < self._rest_until:
                continue
            begun = time.monotonic()
            await asyncio.to_thread(
                summarise,
                self._database,
                project_id,
                resolution,
                bucket,
                tasks_since=tasks_since,
            )
            if is_running and resolution == "minute":
                ended = time.monotonic()
                self._rest_until = ended + REST * (ended - begun)
            self._counters.add_summarised(resolution)
            await asyncio.sleep(GAP_S)
        return len(stale) < _AT_A_TIME

    def _tasks_since(self) -> int:
        """Return the time after which no task that ended can have been removed."""
        days = longest(self._settings, ("task_retention_days",))
        return now() - days * DAY_US if days else 0

    async def _move_horizon(self, project_id: uuid.UUID, resolution: Resolution) -> None:
        days = longest(self._settings, KEPT_BY[resolution])
        if days:
            until = now() - days * DAY_US
            await self._database.run(move_horizon, project_id, resolution, until, write=True)

    async def _remove(self, project_id: uuid.UUID, resolution: Resolution, deadline: float) -> bool:
        until = await self._database.run(rollup_horizons.horizon, project_id, resolution)
        bucket = -1
        while self._may_go_on() and time.monotonic() < deadline:
            found = await self._database.run(_first_after, project_id, resolution, bucket)
            if found is None or found >= until:
                return True
            bucket = found
            remove = remove_minute if resolution == "minute" else _remove_hour
            removed = await self._database.run(remove, project_id, bucket, write=True)
            table = "rollups" if resolution == "minute" else "rollup_summaries"
            self._counters.add_deleted(table, removed)
        return False


def move_horizon(
    connection: Connection, project_id: uuid.UUID, resolution: Resolution, until: int
) -> bool:
    """Move a horizon to the whole coarser bucket before `until`; tell whether it is there now.

    What is stale has to be summarised first, or the coarser buckets would lack it; and hours are
    needed as long as there are minutes of theirs.
    """
    if resolution in FINER:
        until = min(until, rollup_horizons.horizon(connection, project_id, FINER[resolution]))
    until = start_of(COARSER[resolution], until)
    if rollup_horizons.horizon(connection, project_id, resolution) >= until:
        return True
    for stale in (resolution, COARSER[resolution]):
        if rollup_marks.any_before(connection, project_id, stale, until):
            return False
    rollup_horizons.advance(connection, project_id, resolution, until)
    return True


def remove_minute(connection: Connection, project_id: uuid.UUID, minute: int) -> int:
    """Remove a minute behind the horizon; return how many rows it had.

    What it counted beyond its summary came too late for the hour and is added to it here.
    """
    seen = rollup_marks.versions(connection, project_id, "minute", minute)
    rollup_marks.take_away(connection, project_id, "minute", minute, seen)
    counted = rollups.take(connection, project_id, minute)
    until = minute + WIDTH_US["minute"]
    known = summaries.merged(connection, project_id, "minute", minute, until)
    removed = summaries.delete_bucket(connection, project_id, "minute", minute)
    late = {
        key: [count - before for count, before in zip(counts, _known(known, key), strict=True)]
        for key, counts in counted.items()
    }
    if any(any(counts) for counts in late.values()):
        add_late(connection, project_id, minute, late)
    return len(counted) + removed


def _known(known: summaries.Summaries, key: rollups.Key) -> list[int]:
    return known.get(("name", *key), Summary()).counts


def _remove_hour(connection: Connection, project_id: uuid.UUID, hour: int) -> int:
    return summaries.delete_bucket(connection, project_id, "hour", hour)


def _first_after(
    connection: Connection, project_id: uuid.UUID, resolution: Resolution, bucket: int
) -> int | None:
    """Return the earliest bucket after one; of minutes also those that were only counted."""
    found = [summaries.first_bucket(connection, project_id, resolution, bucket)]
    if resolution == "minute":
        found.append(rollups.first_minute(connection, project_id, bucket))
    return min((one for one in found if one is not None), default=None)
