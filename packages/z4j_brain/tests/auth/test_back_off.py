"""The wait after failed sign-ins, without a clock."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from z4j_brain.auth.back_off import (
    ACCOUNT,
    ADDRESS,
    ALONE,
    FORGET_AFTER_US,
    FRESH,
    PAIR,
    Subjects,
    begin,
    subjects_of,
    subjects_of_session,
    succeed,
    wait_s,
)
from z4j_brain.keys import Keys
from z4j_brain.store.database import Database
from z4j_brain.store.sign_in_failures import Count, counts

SECOND = 1_000_000
NOON = 1_700_000_000 * SECOND
KEYS = Keys(b"m" * 32, b"s" * 32)


def test_the_wait_doubles_up_to_its_longest() -> None:
    waits = [wait_s(Count(PAIR.free + n, NOON), PAIR, NOON) for n in range(-1, 12)]
    assert waits == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert wait_s(Count(10**9, NOON), PAIR, NOON) == 300


def test_the_wait_passes() -> None:
    count = Count(PAIR.free + 3, NOON)
    assert [wait_s(count, PAIR, NOON + s * SECOND) for s in (0, 1, 7, 8, 9)] == [8, 7, 1, 0, 0]
    assert wait_s(count, PAIR, NOON + 8 * SECOND - 1) == 1


def test_an_owner_cannot_be_locked_out_for_long_by_strangers() -> None:
    assert wait_s(Count(10**6, NOON), ACCOUNT, NOON) <= 30


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("not an address", None, True),
    ],
)
def test_an_address_is_one_of_ipv4_or_a_network_of_ipv6(
    one: str, other: str | None, are_one: bool
) -> None:
    first, second = subjects_of(KEYS, "a@b", one), subjects_of(KEYS, "a@b", other)
    assert (first.address == second.address) is are_one
    assert (first.pair == second.pair) is are_one
    assert first.account == second.account


def test_the_case_of_an_email_gives_no_further_attempts() -> None:
    assert subjects_of(KEYS, " Ada@Example.org", None) == subjects_of(KEYS, "ada@example.org", None)


@pytest.fixture
def database(record_url: str) -> Database:
    made = Database(record_url)
    return made


def _attempt(database: Database, subjects: Subjects, now: int) -> int:
    with database.write() as connection:
        return begin(connection, subjects, now)


def test_attempts_are_counted_before_they_are_judged(database: Database) -> None:
    subjects = subjects_of(KEYS, "a@b", "192.0.2.1")
    answers = [_attempt(database, subjects, NOON) for _ in range(PAIR.free + 3)]
    assert answers == [0] * PAIR.free + [1, 1, 1], "an attempt that waits is not counted"
    elsewhere = subjects_of(KEYS, "a@b", "192.0.2.2")
    assert _attempt(database, elsewhere, NOON) == 0
    database.close()


def test_many_accounts_from_one_address_are_slowed(database: Database) -> None:
    answers = [
        _attempt(database, subjects_of(KEYS, f"{n}@b", "192.0.2.1"), NOON)
        for n in range(ADDRESS.free + 1)
    ]
    assert answers == [0] * ADDRESS.free + [1]
    database.close()


def test_success_forgives_the_pair_and_takes_back_its_own_attempt(database: Database) -> None:
    subjects = subjects_of(KEYS, "a@b", "192.0.2.1")
    for _ in range(3):
        _attempt(database, subjects, NOON)
    with database.write() as connection:
        succeed(connection, subjects)
        left = counts(connection, list(subjects.rules()))
    assert {subject: count.failures for subject, count in left.items()} == {
        subjects.address: 2,
        subjects.account: 2,
    }
    database.close()


def test_counts_are_forgotten(database: Database, tmp_path: Path) -> None:
    subjects = subjects_of(KEYS, "a@b", "192.0.2.1")
    for _ in range(PAIR.free + 1):
        _attempt(database, subjects, NOON)
    assert _attempt(database, subjects, NOON + FORGET_AFTER_US + SECOND) == 0
    with database.read() as connection:
        assert counts(connection, [subjects.pair])[subjects.pair].failures == 1
    database.close()


def _attack(database: Database, seconds: int) -> int:
    """Let 40 addresses ask every second, each as often as it may; return when it ends."""
    for second in range(seconds):
        for n in range(40):
            _attempt(database, subjects_of(KEYS, "a@b", f"198.51.100.{n}"), NOON + second * SECOND)
    return NOON + (seconds - 1) * SECOND


def test_an_owner_elsewhere_gets_in_at_once_during_an_attack(database: Database) -> None:
    now = _attack(database, 4)
    attacker = subjects_of(KEYS, "a@b", "198.51.100.1")
    assert _attempt(database, attacker, now) > 0, "the account is slowed for those who failed"
    owner = subjects_of(KEYS, "a@b", "192.0.2.1")
    assert [_attempt(database, owner, now) for _ in range(FRESH)] == [0] * FRESH
    assert _attempt(database, owner, now) > 0, "a third attempt waits as those of the others do"
    database.close()


def test_a_known_browser_gets_in_at_once_even_beside_the_attacker(database: Database) -> None:
    stranger = subjects_of(KEYS, "a@b", "192.0.2.1")
    while not _attempt(database, stranger, NOON):
        pass
    owner = subjects_of(KEYS, "a@b", "192.0.2.1", "f" * 32)
    assert _attempt(database, owner, NOON) == 0
    with database.write() as connection:
        succeed(connection, owner)
    assert _attempt(database, stranger, NOON) > 0, "the owner's success forgives no stranger"
    database.close()


def test_a_stolen_known_browser_and_a_stolen_session_are_slowed(database: Database) -> None:
    session_id = uuid.UUID(int=1)
    for thief in (
        subjects_of(KEYS, "a@b", "192.0.2.1", "f" * 32),
        subjects_of_session(KEYS, session_id),
    ):
        answers = [_attempt(database, thief, NOON) for _ in range(ALONE.free + 1)]
        assert answers == [0] * ALONE.free + [1]
    database.close()
