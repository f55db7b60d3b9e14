"""Limits that all replicas share through the database: wrong tokens, keys and links by address,
requests by API key.

Wrong passwords and codes are slowed down by `auth/back_off.py`, whose waits grow and are forgiven.
Here an allowance is used up and comes back. Failures are counted after the fact, so nobody who
sends what is right writes anything; what writes by itself is counted before.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from z4j_brain import clock
from z4j_brain.auth.known_secrets import KnownSecrets
from z4j_brain.auth.places import place_of
from z4j_brain.auth.waits import SECOND_US, WaitError, Waits, whole_seconds
from z4j_brain.store import agent_tokens, api_keys, rate_limits

if TYPE_CHECKING:
    from uuid import UUID

    from z4j_brain.keys import Keys
    from z4j_brain.store.database import Database

logger = logging.getLogger("z4j.limits")
_MINUTE_US = 60 * SECOND_US


class Limit(msgspec.Struct, frozen=True):
    """`most` at once and one more every `every_us`; who goes beyond waits `pause_s` at least."""

    name: str
    most: int
    every_us: int
    pause_s: int = 1


AGENT_TOKENS = Limit("wrong agent tokens", 60, 2 * SECOND_US, 30)
API_KEYS = Limit("wrong API keys", 30, 6 * SECOND_US, 10)
ONE_TIME_TOKENS = Limit("wrong one-time tokens", 20, 6 * SECOND_US, 10)
"""Of set-up, invitations, sign-in links, second steps and ways back from the identity provider, and
passkeys that are refused."""
DEPARTURES = Limit("sign-ins begun at the identity provider", 60, 2 * SECOND_US, 10)
"""Each leaves a row until it is used or ten minutes old, so those that are right count too."""


class RateLimits:
    """What this process knows of the shared allowances. Belongs to one event loop."""

    def __init__(self, database: Database, keys: Keys, *, key_requests_per_minute: int) -> None:
        self.waits = Waits()
        self.agent_tokens = KnownSecrets(database, agent_tokens.working_hashes)
        self.api_keys = KnownSecrets(database, api_keys.working_hashes)
        self._database = database
        self._keys = keys
        self._allowed: dict[UUID, int] = {}
        self._requests: Limit | None = None
        if key_requests_per_minute:
            every_us = max(1, _MINUTE_US // key_requests_per_minute)
            self._requests = Limit("requests by API key", key_requests_per_minute, every_us)

    @asynccontextmanager
    async def counting(
        self,
        limit: Limit,
        address: str | None,
        failure: type[Exception] | tuple[type[Exception], ...],
        *,
        unless: Callable[[], Awaitable[bool]] | None = None,
    ) -> AsyncIterator[None]:
        """Count when the block raises `failure`; raise `WaitError` beyond the limit.

        While the address has to wait, the block is entered only if `unless` says so.
        """
        place = place_of(address)
        wait_s = self._left_s(limit, place)
        if wait_s and (unless is None or not await unless()):
            raise WaitError(wait_s)
        try:
            yield
        except failure:
            await self._take(limit, place)
            raise

    async def take(self, limit: Limit, address: str | None) -> None:
        """Count a request whatever comes of it; raise `WaitError` beyond the limit."""
        place = place_of(address)
        if wait_s := self._left_s(limit, place):
            raise WaitError(wait_s)
        await self._take(limit, place)

    async def request(self, key_id: UUID) -> None:
        """Count a request of an API key; raise `WaitError` beyond the limit.

        A second's worth is taken from the database at once, so most requests write nothing.
        """
        if self._requests is None:
            return
        if self._allowed.get(key_id, 0) > 0:
            self._allowed[key_id] -= 1
            return
        self.check_request(key_id)
        portion = max(1, self._requests.most // 60)
        await self._take(self._requests, str(key_id), portion)
        self._allowed[key_id] = self._allowed.get(key_id, 0) + portion - 1

    def check_request(self, key_id: UUID) -> None:
        """Raise `WaitError` when this process has refused the key and the time is not up."""
        if self._requests is not None and (wait_s := self._left_s(self._requests, str(key_id))):
            raise WaitError(wait_s)

    def _left_s(self, limit: Limit, who: str) -> int:
        return self.waits.left_s(self._subject(limit, who), clock.now())

    async def _take(self, limit: Limit, who: str, portion: int = 1) -> None:
        now, every_us, subject = clock.now(), limit.every_us, self._subject(limit, who)
        left_us = await self._database.run(
            rate_limits.take, subject, portion * every_us, limit.most * every_us, now, write=True
        )
        if left_us:
            wait_s = max(limit.pause_s, whole_seconds(left_us))
            self.waits.note(subject, wait_s, now)
            logger.warning("Too many %s from %s: refused for %d s", limit.name, who, wait_s)
            raise WaitError(wait_s)

    def _subject(self, limit: Limit, who: str) -> bytes:
        return self._keys.subject_hash(f"limit\n{limit.name}\n{who}")
