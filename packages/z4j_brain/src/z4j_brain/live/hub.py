"""Tells dashboards what changed: collects keys from writers, reads rows once, sends to everyone.

`publish` may be called from any thread; everything else belongs to one event loop. A project that
nobody looks at costs a short ring of keys and no query.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from typing import Protocol
from uuid import UUID

import msgspec

from z4j_brain.live.changes import Changes
from z4j_brain.live.channel import Channel
from z4j_brain.live.feed import Feed
from z4j_brain.live.messages import Batch, Ready, Reset, Views
from z4j_brain.live.subscription import Subscription

logger = logging.getLogger("z4j.live")


class Pulse(msgspec.Struct, frozen=True):
    """The state of a project's feed in the database; `now` is the time as readers are shown it."""

    position: int
    now: str
    lag_ms: int | None


class Source(Protocol):
    """Where the hub reads what it sends."""

    async def pulse(self, project_id: UUID) -> Pulse:
        """Return the feed's offset and how far the record is behind."""

    async def views(self, project_id: UUID, changes: Changes) -> Views:
        """Return the current rows of these keys; keys without a row are left out."""


class Hub:
    """The feeds of all projects, and who reads them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._feeds: dict[UUID, Feed] = {}
        self._channels: dict[UUID, Channel] = {}
        self._is_stopping = False

    def publish(self, project_id: UUID, offset: int, changes: Changes) -> None:
        """Say that the transaction with this offset is committed. Thread-safe, never blocks long.

        `offset` is what `store.feeds.advance` returned in that transaction.
        """
        with self._lock:
            feed = self._feed(project_id)
            feed.add(offset, changes)
            channel = self._channels.get(project_id)
            if channel is None:
                feed.take()  # nobody reads: only the ring remembers
        if channel is not None:
            channel.wake()

    async def subscribe(
        self, source: Source, project_id: UUID, topics: frozenset[str], offset: int | None
    ) -> Subscription:
        """Join a project's feed; the subscription begins with `ready`.

        What changed after `offset` follows; when that is no longer known, a `reset`. None means
        from now on. End it with `unsubscribe`.
        """
        with self._lock:
            self._feed(project_id)
        pulse = await source.pulse(project_id)
        subscription = Subscription(topics)
        asked = pulse.position if offset is None else offset
        subscription.offer(msgspec.json.encode(Ready(asked, pulse.lag_ms)))
        with self._lock:
            feed = self._feed(project_id)
            feed.start(pulse.position)
            missed = feed.since(asked) if asked <= pulse.position else None
            settled = feed.settled
            channel = self._channels.get(project_id)
            if channel is None:
                channel = self._open_channel(project_id, source, feed)
            channel.subscriptions.add(subscription)
        if missed is None:
            subscription.offer(msgspec.json.encode(Reset(pulse.position)))
        elif missed.size:
            views = await source.views(project_id, missed.changes())
            batch = Batch(max(settled, asked), views, is_many=missed.is_many)
            subscription.offer(batch.encode(topics))
        if self._is_stopping:
            subscription.close_for_restart()
        return subscription

    def unsubscribe(self, project_id: UUID, subscription: Subscription) -> None:
        """Leave the feed. Harmless when repeated."""
        with self._lock:
            channel = self._channels.get(project_id)
            if channel is None:
                return
            channel.subscriptions.discard(subscription)
            if channel.subscriptions:
                return
            del self._channels[project_id]
        channel.cancel()

    async def stop(self) -> None:
        """Ask every reader to come back later, and end the work for them."""
        self._is_stopping = True
        with self._lock:
            channels = list(self._channels.values())
            self._channels.clear()
        for channel in channels:
            for subscription in tuple(channel.subscriptions):
                subscription.close_for_restart()
            with contextlib.suppress(asyncio.CancelledError):
                await channel.stop()

    @property
    def size(self) -> tuple[int, int]:
        """How many subscriptions there are, and of how many projects."""
        with self._lock:
            channels = list(self._channels.values())
        return sum(len(channel.subscriptions) for channel in channels), len(channels)

    def reader_count(self, project_id: UUID) -> int:
        """How many subscriptions a project has."""
        with self._lock:
            channel = self._channels.get(project_id)
            return len(channel.subscriptions) if channel else 0

    def _feed(self, project_id: UUID) -> Feed:
        return self._feeds.setdefault(project_id, Feed())

    def _open_channel(self, project_id: UUID, source: Source, feed: Feed) -> Channel:
        channel = Channel(project_id, source, feed, self._lock)
        self._channels[project_id] = channel
        channel.start()
        return channel
