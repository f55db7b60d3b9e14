"""Passwords: argon2id with the second parameter set that RFC 9106 recommends (64 MiB, 3 passes).

Hashes are computed on one thread, one at a time, so that a flood of sign-ins costs 64 MiB and not
64 MiB each; more than `QUEUE` waiting callers are turned away.
"""

from __future__ import annotations

import asyncio
import secrets
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from z4j_brain.auth.password_rules import is_of_sensible_size, prepared

QUEUE = 16
T = TypeVar("T")


class BusyError(Exception):
    """Too many people sign in at this moment."""


class Passwords:
    """Makes and checks hashes. Its coroutines belong to one event loop; `hash` is thread-safe.

    Costs above the defaults of RFC 9106 raise what a sign-in takes; an older hash is made anew at
    the next sign-in of its owner.
    """

    def __init__(
        self, *, time_cost: int = 3, memory_kib: int = 65_536, parallelism: int = 4
    ) -> None:
        self._hasher = PasswordHasher(time_cost, memory_kib, parallelism)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="z4j-argon2")
        self._waiting = 0
        self._decoy = _decoy(self._hasher)

    def hash(self, password: str) -> str:
        """Hash a new password; takes about 0.1 s of a core."""
        return self._hasher.hash(prepared(password))

    async def hash_async(self, password: str) -> str:
        """Hash a new password off the event loop; raises `BusyError`."""
        return await self._run(lambda: self.hash(password))

    async def check(self, password_hash: str | None, password: str) -> bool:
        """Check a password; None, for an account that does not exist, takes the same time, and so
        does the empty text, for one without a password."""
        return await self._run(lambda: self._check(password_hash, password))

    def is_outdated(self, password_hash: str) -> bool:
        """Tell whether a hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=True)

    def _check(self, password_hash: str | None, password: str) -> bool:
        text = prepared(password)
        if not is_of_sensible_size(text):
            return False
        try:
            matches = self._hasher.verify(password_hash or self._decoy, text)
        except (VerificationError, InvalidHashError):
            return False
        return matches and bool(password_hash)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= QUEUE:
            raise BusyError
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1


def _decoy(hasher: PasswordHasher) -> str:
    """Return what looks like a hash and costs as much to check; to make a real one costs as much
    again, of the first person who signs in."""
    cost = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    sizes = (hasher.salt_len, hasher.hash_len)
    parts = (b64encode(secrets.token_bytes(size)).decode().rstrip("=") for size in sizes)
    return "$".join(["", "argon2id", "v=19", cost, *parts])
