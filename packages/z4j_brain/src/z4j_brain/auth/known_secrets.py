"""The hashes of all secrets that work, for the time in which an address is refused.

Agents and programs share addresses: behind one NAT the wrong token of one must not shut out the
others. So while an address has to wait, whoever comes with a secret that works goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.store.database import Database

FRESH_S = 5.0
"""A secret that was made since the last look is taken for wrong for this long at most."""


class KnownSecrets:
    """Asks the database once in `FRESH_S` at most, whatever comes. Belongs to one event loop."""

    def __init__(self, database: Database, load: Callable[[Connection], Iterable[bytes]]) -> None:
        self._database = database
        self._load = load
        self._hashes: frozenset[bytes] = frozenset()
        self._read_at = -FRESH_S
        self._reading = asyncio.Lock()

    async def has(self, secret_hash: bytes) -> bool:
        """Tell whether a secret worked at the last look; the caller checks it as always."""
        async with self._reading:
            if time.monotonic() - self._read_at > FRESH_S:
                self._hashes = frozenset(await self._database.run(self._load))
                self._read_at = time.monotonic()
        return secret_hash in self._hashes
