"""RedBeat's entries as Redis holds them: one hash each, and a sorted set of their keys."""

from __future__ import annotations

from typing import Any, Self

from celery.schedules import crontab
from celery.schedules import schedule as interval
from redbeat.schedulers import RedBeatSchedulerEntry, ensure_conf, get_redis

from z4j_celery.brokers import identity_of
from z4j_celery.schedulers.entries import is_name, told
from z4j_celery.schedulers.forms import RedBeatCreate, RedBeatUpdate, crontab_of, the_one_of
from z4j_celery.schedulers.plugin import gone
from z4j_celery.schedulers.timing import SECOND, cron_text
from z4j_core.capability import ActionError
from z4j_core.schedules import MAX_SCHEDULES, Owner, Schedule, store_id

TIMEOUT_S = 5.0
MAX_KEYS = 20_000
MAX_DEFINITION = 65_536
"""Characters of a definition that is read; a longer one is told by its name alone."""
_RESAVED = (
    "Beat writes this entry of beat_schedule again, switched on and as the code has it, "
    "when it starts."
)
_UNREADABLE = "RedBeat could not read this entry; delete it, or write it anew."
_ACTIONS = ("run_now", "pause", "resume", "update")


class OwnConnection:
    """The app as RedBeat sees it, with a client for Redis that nobody else uses."""

    redbeat_sentinel = None

    def __init__(self, app: Any) -> None:
        self._app = app
        self.redbeat_redis: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._app, name)

    def connect(self) -> Any:
        """Return a client that waits for no more than a few seconds."""
        client = get_redis(self)
        # RedBeat may be told to try for ever.
        client = self.redbeat_redis = getattr(client, "wrapped_connection", client)
        options = getattr(getattr(client, "connection_pool", None), "connection_kwargs", {})
        for name in ("socket_timeout", "socket_connect_timeout"):
            if options.get(name) is None:
                options[name] = TIMEOUT_S
        return client


class Entries:
    """The entries of one app. A context: connected within it. For one thread."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self._conf = ensure_conf(app)
        self._own = OwnConnection(app)
        self._client: Any = None

    def __enter__(self) -> Self:
        self._client = self._own.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def store_id(self, scheduler: str) -> str:
        """Return a name for database and prefix; no I/O."""
        url = str(self._conf.redis_url)
        # RedBeat has schemes of its own for Sentinel and Cluster.
        _, separator, rest = url.partition("://")
        place: Any = self.app.connection_for_write(f"redis://{rest}" if separator else url)
        return store_id(scheduler, identity_of(place, "redis"), self._conf.key_prefix)

    def read(self) -> list[Schedule]:
        """Return all entries; those that will not be told anyway by their names only."""
        found = self._client.zrange(self._conf.schedule_key, 0, MAX_KEYS - 1, withscores=True)
        due = {self._name(key): score for key, score in found}
        names = sorted(name for name in due if is_name(name))
        static = self._client.smembers(self._conf.statics_key)
        kept = self._stored(names[:MAX_SCHEDULES])
        schedules = [self._told(name, *kept[name], due[name], name in static) for name in kept]
        bare = [_bare(name, name in static) for name in names[MAX_SCHEDULES:]]
        return [schedule for schedule in [*schedules, *bare] if schedule is not None]

    def get(self, name: str) -> Any:
        """Return the entry of that name. Raise `ActionError` if there is none."""
        key = self._key(name)
        # The key alone proves nothing: RedBeat's own keys have the same prefix.
        if self._client.zscore(self._conf.schedule_key, key) is None:
            raise gone(name)
        try:
            return RedBeatSchedulerEntry.from_key(key, app=self._own)
        except KeyError:
            raise gone(name) from None
        except (ValueError, TypeError, AttributeError):
            raise ActionError(_UNREADABLE) from None

    def switch(self, name: str, enabled: bool) -> None:
        """Switch an entry on or off."""
        entry = self.get(name)
        was_enabled, entry.enabled = entry.enabled, enabled
        entry.save()
        if enabled and not was_enabled:
            # Else it would run at once for the time that passed meanwhile. `reschedule` would do
            # the same and forget how often it ran.
            entry.next(only_update_last_run_at=True)

    def update(self, name: str, params: RedBeatUpdate) -> None:
        """Change what is given."""
        entry = self.get(name)
        schedule = _schedule_of(params)
        if schedule is not None:
            entry.schedule = schedule
            schedule.app = self._own
        for field in ("task", "args", "kwargs"):
            if getattr(params, field) is not None:
                setattr(entry, field, getattr(params, field))
        if params.queue is not None:
            entry.options = {**(entry.options or {}), "queue": params.queue}
            if not params.queue:
                del entry.options["queue"]
        entry.save()

    def create(self, params: RedBeatCreate) -> None:
        """Add an entry."""
        schedule = _schedule_of(params)
        if schedule is None:
            raise ActionError("Say when it runs: give every_s or crontab.")
        key = self._key(params.name)
        if key in self._own_keys() or self._client.exists(key):
            raise ActionError(f"There is a key {key!r} in Redis already; choose another name.")
        options = {"queue": params.queue} if params.queue else None
        RedBeatSchedulerEntry(
            params.name,
            params.task,
            schedule,
            args=params.args,
            kwargs=params.kwargs,
            enabled=params.enabled,
            options=options,
            app=self._own,
        ).save()

    def _stored(self, names: list[str]) -> dict[str, tuple[Any, Any]]:
        """Return definition and meta of each entry; empty for one that is too long."""
        keys = [self._key(name) for name in names]
        with self._client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hstrlen(key, "definition")
            sizes = pipe.execute(raise_on_error=False)
        fit = [size if isinstance(size, int) and size <= MAX_DEFINITION else 0 for size in sizes]
        with self._client.pipeline(transaction=False) as pipe:
            for key, size in zip(keys, fit, strict=True):
                pipe.hmget(key, "definition" if size else "", "meta" if size else "")
            values = pipe.execute(raise_on_error=False)
        pairs = [value if isinstance(value, list) else (None, None) for value in values]
        return {name: (pair[0], pair[1]) for name, pair in zip(names, pairs, strict=True)}

    def _told(
        self, name: str, definition: Any, meta: Any, score: float, is_static: bool
    ) -> Schedule | None:
        try:
            fields = RedBeatSchedulerEntry.decode_definition(definition)
            ran = RedBeatSchedulerEntry.decode_meta(meta)
            schedule, enabled = fields["schedule"], bool(fields.get("enabled", True))
            schedule.app = self._own
            is_interval = isinstance(schedule, interval)
            # Without a count the time is that of its creation, or of a `reschedule`.
            runs = ran.get("total_run_count")
            since = ran.get("last_run_at")
            found = told(
                name=name,
                schedule=schedule,
                owner=Owner.CODE if is_static else Owner.STORE,
                task=fields.get("task"),
                args=fields.get("args"),
                kwargs=fields.get("kwargs"),
                options=fields.get("options"),
                since=since if is_interval else None,
                last_run=since if runs else None,
                runs=runs,
                enabled=enabled,
                **({} if is_interval and since else _due(score, enabled)),
                undone_by=_RESAVED if is_static else None,
                values=_values(fields),
            )
        except Exception:  # noqa: BLE001 - anybody with access to Redis can write it
            return _bare(name, is_static, "cannot be read", dict.fromkeys(_ACTIONS, _UNREADABLE))
        return found

    def _key(self, name: str) -> str:
        return f"{self._conf.key_prefix}{name}"

    def _name(self, key: str) -> str:
        return key.removeprefix(self._conf.key_prefix)

    def _own_keys(self) -> tuple[str, ...]:
        conf = self._conf
        return (conf.schedule_key, conf.statics_key, str(conf.lock_key))


def _due(score: float, enabled: bool) -> dict[str, Any]:
    """Return when an entry is due by RedBeat's own reckoning, to the second."""
    return {"next_run_at": int(score) * SECOND if enabled and 0 < score < 1e10 else None}


def _bare(
    name: str, is_static: bool, timing: str = "", absent: dict[str, str] | None = None
) -> Schedule:
    owner = Owner.CODE if is_static else Owner.STORE
    return Schedule(id=name, name=name, timing=timing, owner=owner, absent=absent or {})


def _values(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what the form of `update` begins with."""
    schedule, options = fields["schedule"], fields.get("options") or {}
    values = {"task": fields.get("task"), "queue": options.get("queue")}
    values |= {"args": fields.get("args"), "kwargs": fields.get("kwargs")}
    if isinstance(schedule, interval):
        values["every_s"] = float(schedule.seconds)
    elif isinstance(schedule, crontab):
        values["crontab"] = cron_text(schedule)
    return {name: value for name, value in values.items() if value is not None}


def _schedule_of(params: RedBeatUpdate) -> Any:
    """Return the schedule that is asked for, or None."""
    match the_one_of(params, "every_s", "crontab"):
        case "every_s":
            return interval(params.every_s)
        case "crontab":
            return crontab_of(params.crontab or "")
    return None
