"""The composition root: every long-lived part of a server, made and ended in one order."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from z4j_brain.auth.browser import HOUR_US
from z4j_brain.auth.passwords import Passwords
from z4j_brain.auth.rate_limits import RateLimits
from z4j_brain.auth.session_watch import SessionWatch
from z4j_brain.keys import Keys
from z4j_brain.settings import Settings
from z4j_brain.store.database import Database

if TYPE_CHECKING:
    from z4j_brain.auth.oidc.provider import Provider
    from z4j_brain.commands.bulk_runs import BulkRuns
    from z4j_brain.commands.service import Commands
    from z4j_brain.ingest.writer import Writer
    from z4j_brain.link.gateway import Gateway
    from z4j_brain.link.registry import Registry
    from z4j_brain.live.hub import Hub
    from z4j_brain.queues.sampling import Sampling
    from z4j_brain.reconcile.reconciler import Reconciler
    from z4j_brain.redaction.projects import ProjectCleaners
    from z4j_brain.schedules.polling import Polling


@dataclass
class Brain:
    """What a running server consists of. Made by `create`; used on one event loop."""

    settings: Settings
    keys: Keys
    database: Database
    passwords: Passwords
    limits: RateLimits
    session_watch: SessionWatch
    hub: Hub
    cleaners: ProjectCleaners
    registry: Registry
    commands: Commands
    bulk_runs: BulkRuns
    writer: Writer
    queues: Sampling
    schedules: Polling
    reconciler: Reconciler
    replica: str
    sources: Mapping[str, str]
    """Where each setting came from, as `settings.Loaded` says; nothing of one is a default."""
    provider: Provider | None = None
    gateway: Gateway = field(init=False)

    def __post_init__(self) -> None:
        """Make the gateway, which needs all the others."""
        from z4j_brain.link.gateway import Gateway

        self.gateway = Gateway(self)

    @classmethod
    def create(
        cls,
        settings: Settings,
        keys: Keys,
        passwords: Passwords | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> Brain:
        """Make every part; nothing runs before `start`. Raises `SettingsError`."""
        from z4j_brain.audit.command_ends import reported
        from z4j_brain.auth.oidc import config
        from z4j_brain.auth.oidc.provider import Provider
        from z4j_brain.commands.bulk_runs import BulkRuns
        from z4j_brain.commands.service import Commands
        from z4j_brain.ingest.writer import Writer
        from z4j_brain.link.registry import LocalRegistry
        from z4j_brain.live.hub import Hub
        from z4j_brain.queues.sampling import Sampling
        from z4j_brain.reconcile.reconciler import Reconciler
        from z4j_brain.redaction.projects import ProjectCleaners
        from z4j_brain.schedules.polling import Polling

        oidc = config.read(settings)
        database = open_database(settings)
        replica = secrets.token_hex(8)
        hub = Hub()
        registry = LocalRegistry()
        cleaners = ProjectCleaners(database, emails=settings.redact_emails == "on")
        commands = Commands(database, registry, hub, keys, cleaner_of=cleaners.of)
        return cls(
            settings=settings,
            keys=keys,
            database=database,
            passwords=passwords or Passwords(),
            limits=RateLimits(
                database, keys, key_requests_per_minute=settings.key_requests_per_minute
            ),
            session_watch=SessionWatch(database, settings.session_idle_hours * HOUR_US),
            hub=hub,
            cleaners=cleaners,
            registry=registry,
            commands=commands,
            bulk_runs=BulkRuns(database, hub, cleaner_of=cleaners.of),
            writer=Writer(
                database,
                hub,
                replica=replica,
                tell=partial(reported, keys=keys),
                cleaner_of=cleaners.of,
            ),
            queues=Sampling(database, registry, every_s=settings.queue_sample_s),
            schedules=Polling(database, registry, hub, cleaners.of),
            reconciler=Reconciler(
                database, settings, replica=replica, commands=commands, hub=hub, keys=keys
            ),
            replica=replica,
            sources=sources or {},
            provider=None if oidc is None else Provider(oidc),
        )

    async def start(self) -> None:
        """Start what runs by itself. The database has its tables already."""
        from z4j_brain.audit.recording import begin
        from z4j_brain.auth.rotation import settle

        await self.database.run_at_start(begin, self.keys, write=True)
        await self.database.run_at_start(settle, self.keys, write=True)
        await self.cleaners.start()
        await self.writer.start()
        await self.gateway.start()
        await self.commands.start()
        await self.queues.start()
        await self.schedules.start()
        await self.reconciler.start()

    async def stop(self) -> None:
        """Say goodbye to the agents and store what they sent; call it while they are connected.

        Requests are still answered. Idempotent.
        """
        await self.reconciler.stop()
        await self.queues.stop()
        await self.schedules.stop()
        await self.gateway.stop()
        await self.writer.stop()
        await self.commands.stop()
        await self.cleaners.stop()
        await self.hub.stop()
        await self.session_watch.stop()

    async def close(self) -> None:
        """Close the database, when nobody asks any more."""
        self.passwords.close()
        self.database.close()


def open_database(settings: Settings) -> Database:
    """Open the database that the settings name, with their limits."""
    return Database(
        settings.database_url,
        pool_size=settings.db_pool_size,
        statement_timeout_ms=settings.db_statement_timeout_ms,
    )
