"""The whole instance, for its administrators."""

from __future__ import annotations

import msgspec

from z4j_brain import __version__
from z4j_brain.api.context import InstanceCall
from z4j_brain.api.route import route
from z4j_brain.api.times import Timestamp, now, rfc3339
from z4j_brain.configuration import describe, secret_states
from z4j_brain.reconcile.status import InstanceStatus, TableStatus, instance_status
from z4j_brain.store.sizes import Accuracy


class TableView(msgspec.Struct, frozen=True):
    """A table of the database with its indexes.

    `bytes` is null where telling them would mean to read too much. `kept_days`: rows are removed
    when they are older; 0 is as soon as they have run out, null is never.
    """

    name: str
    rows: int
    accuracy: Accuracy
    bytes: int | None
    kept_days: int | None


class LeaderView(msgspec.Struct, frozen=True):
    """The replica that does the periodic work, and since when its session is open."""

    replica: str
    since: Timestamp


class InstanceView(msgspec.Struct, frozen=True):
    """An instance now. `leader` is null on SQLite, where the only server leads.

    `oldest_event_at` is when about the oldest event was received.
    """

    generated_at: Timestamp
    version: str
    database: str
    migration: str | None
    newest_migration: str
    bytes: int
    tables: list[TableView]
    oldest_event_at: Timestamp | None
    workers_online: int
    leader: LeaderView | None
    is_this_replica_leader: bool


class SettingView(msgspec.Struct, frozen=True):
    """A setting, by its environment variable. Secrets and passwords are never shown.

    `source`: `env`, `flag` of the command line, `file` secret.env, `default`, or `none`.
    """

    name: str
    value: str
    source: str
    default: str
    help: str


class SettingList(msgspec.Struct, frozen=True):
    """All settings of the replica that answers, as `z4j config` lists them."""

    items: list[SettingView]


@route("GET", "/instance/status", permission="instance.read")
async def read_instance_status(call: InstanceCall) -> InstanceView:
    """Read sizes, retention and leadership; for administrators of the instance."""
    brain = call.brain
    found = await brain.database.run(instance_status, brain.settings)
    return _view(found, is_leader=brain.reconciler.counters.is_leader)


@route("GET", "/instance/settings", permission="instance.read")
async def read_instance_settings(call: InstanceCall) -> SettingList:
    """List the settings; they change by their variables and a restart of the server."""
    brain = call.brain
    rows = describe(brain.settings, brain.sources, secret_states(brain.keys))
    return SettingList(
        [SettingView(row.name, row.value, row.source, row.default, row.help) for row in rows]
    )


def _view(found: InstanceStatus, *, is_leader: bool) -> InstanceView:
    leader = found.leader
    return InstanceView(
        generated_at=rfc3339(now()),
        version=__version__,
        database=found.database,
        migration=found.step,
        newest_migration=found.newest_step,
        bytes=found.bytes,
        tables=[_table(table) for table in found.tables],
        oldest_event_at=rfc3339(found.oldest_event_at),
        workers_online=found.workers_online,
        leader=LeaderView(leader.replica, rfc3339(leader.since)) if leader else None,
        is_this_replica_leader=is_leader,
    )


def _table(table: TableStatus) -> TableView:
    size = table.size
    return TableView(size.name, size.rows, size.accuracy, size.bytes, table.kept_days)
