"""argon2id: parameters, re-hashing, a bounded queue."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from z4j_brain.auth.passwords import QUEUE, BusyError, Passwords


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(time_cost=1, memory_kib=64, parallelism=1)
    yield made
    made.close()


def test_the_defaults_are_those_of_rfc_9106() -> None:
    made = Passwords()
    assert made.hash("correct horse").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    made.close()


def test_it_accepts_the_password_only(passwords: Passwords) -> None:
    stored = passwords.hash("correct horse")
    assert stored != passwords.hash("correct horse"), "salted"

    async def check() -> list[bool]:
        return [
            await passwords.check(stored, "correct horse"),
            await passwords.check(stored, "Correct horse"),
            await passwords.check("no hash at all", "correct horse"),
            await passwords.check(None, "nobody's password"),
        ]

    assert asyncio.run(check()) == [True, False, False, False]


def test_who_does_not_exist_takes_as_long(passwords: Passwords) -> None:
    real = passwords.hash("correct horse")
    assert passwords._decoy.rpartition("$")[0][:-22] == real.rpartition("$")[0][:-22]
    with pytest.raises(VerifyMismatchError):  # and not for its form, which would be quick
        PasswordHasher().verify(passwords._decoy, "nobody's password")


def test_a_weaker_hash_is_outdated(passwords: Passwords) -> None:
    weaker = Passwords(time_cost=1, memory_kib=32, parallelism=1)
    assert passwords.is_outdated(weaker.hash("x"))
    assert not passwords.is_outdated(passwords.hash("x"))
    weaker.close()


def test_a_flood_is_turned_away(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(passwords, "_check", lambda *_: gate.wait(60))

    async def flood() -> tuple[int, list[bool]]:
        waiting = [asyncio.create_task(passwords.check(None, "x")) for _ in range(QUEUE)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await passwords.check(None, "x")
        gate.set()
        results = await asyncio.gather(*waiting)
        return len(results), [await passwords.check(None, "x")]

    assert asyncio.run(flood()) == (QUEUE, [True])
