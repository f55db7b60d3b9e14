"""Allowances that replicas share, and what a flood may cost."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event, select

from z4j_brain import clock
from z4j_brain.auth.places import place_of
from z4j_brain.auth.rate_limits import API_KEYS, ONE_TIME_TOKENS, Limit, RateLimits
from z4j_brain.auth.waits import MOST_KEPT, WaitError, Waits
from z4j_brain.keys import Keys
from z4j_brain.store import rate_limits
from z4j_brain.store.database import Database
from z4j_brain.store.schema import rate_limits as table

KEYS = Keys(b"m" * 40, b"s" * 40)
NOON, SECOND = 1_700_000_000_000_000, 1_000_000
SMALL = Limit("small", 3, 10 * SECOND, 30)
HOME = "192.0.2.1"


class WrongError(Exception):
    """What a caller sends that is wrong."""


class Time:
    now = NOON

    def pass_by(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(clock, "now", lambda: made.now)
    return made


@pytest.fixture
def databases(record_url: str) -> Iterator[list[Database]]:
    """The connections of two replicas to one database."""
    both = [Database(record_url), Database(record_url)]
    yield both
    for database in both:
        database.close()


def limits_of(database: Database, per_minute: int = 0) -> RateLimits:
    return RateLimits(database, KEYS, key_requests_per_minute=per_minute)


async def fails(limits: RateLimits, address: str = HOME, limit: Limit = SMALL) -> int:
    """Send something wrong; return the seconds to wait, 0 when it was looked at."""
    try:
        async with limits.counting(limit, address, WrongError):
            raise WrongError
    except WrongError:
        return 0
    except WaitError as wait:
        return wait.seconds


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(scenario())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:0201", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not an address", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_place_is_an_ipv4_address_or_a_64(address: str | None, place: str) -> None:
    assert place_of(address) == place


def test_an_allowance_is_used_up_and_comes_back(databases: list[Database]) -> None:
    def take(at: float, cost: int = 10) -> int:
        now = NOON + int(at * SECOND)
        with databases[0].write() as connection:
            left = rate_limits.take(connection, b"x", cost * SECOND, 30 * SECOND, now)
        return left

    assert [take(0), take(0), take(0)] == [0, 0, 0]
    assert take(0) == 10 * SECOND
    assert take(9) == 1 * SECOND, "a refused use takes nothing"
    assert take(10) == 0
    assert take(10) == 10 * SECOND
    assert take(15.000001, 20) == 15 * SECOND - 1
    assert take(1_000, 30) == 0, "an allowance is never more than whole"
    assert take(1_000) == 10 * SECOND


def test_both_replicas_count_in_one_row(databases: list[Database], time: Time) -> None:
    async def scenario() -> None:
        one, two = map(limits_of, databases)
        assert [await fails(each) for each in (one, two, one)] == [0, 0, 0]
        assert await fails(two) == SMALL.pause_s
        assert await fails(one) == SMALL.pause_s
        assert await fails(one, "192.0.2.2") == 0, "another address"
        assert await fails(one, limit=API_KEYS) == 0, "another limit"
        time.pass_by(SMALL.pause_s)
        assert [await fails(each) for each in (one, two, one)] == [0, 0, 0]
        assert await fails(two) > 0

    play(scenario)


def test_at_the_same_time_no_replica_lets_more_in(databases: list[Database], time: Time) -> None:
    async def scenario() -> None:
        both = [limits_of(database) for database in databases]
        answers = await asyncio.gather(*(fails(both[n % 2]) for n in range(12)))
        assert sum(wait == 0 for wait in answers) == SMALL.most

    play(scenario)


def test_addresses_of_one_64_share_an_allowance(databases: list[Database], time: Time) -> None:
    async def scenario() -> None:
        limits = limits_of(databases[0])
        answers = [await fails(limits, f"2001:db8:1:2::{n}") for n in range(4)]
        assert answers == [0, 0, 0, SMALL.pause_s]
        assert await fails(limits, "2001:db8:1:3::1") == 0

    play(scenario)


def test_a_flood_costs_no_database(databases: list[Database], time: Time) -> None:
    statements: list[str] = []
    limits = limits_of(databases[0])

    async def scenario() -> None:
        for _ in range(SMALL.most + 1):
            await fails(limits)
        event.listen(databases[0].engine, "before_cursor_execute", _collect(statements))
        for _ in range(1_000):
            assert await fails(limits) > 0

    play(scenario)
    assert statements == []


def test_what_is_right_writes_nothing_and_passes_where_it_is_known(
    databases: list[Database], time: Time
) -> None:
    async def scenario() -> None:
        limits, entered = limits_of(databases[0]), 0
        for _ in range(SMALL.most * 2):
            async with limits.counting(SMALL, HOME, WrongError):
                entered += 1
        assert entered == SMALL.most * 2
        with databases[0].read() as connection:
            assert connection.execute(select(table)).all() == []
        for _ in range(SMALL.most + 1):
            await fails(limits)
        with pytest.raises(WaitError):
            async with limits.counting(SMALL, HOME, WrongError, unless=_says(False)):
                entered += 1
        async with limits.counting(SMALL, HOME, WrongError, unless=_says(True)):
            entered += 1
        assert entered == SMALL.most * 2 + 1

    play(scenario)


def test_requests_of_a_key_are_shared_and_mostly_not_written(
    databases: list[Database], time: Time
) -> None:
    key, other = uuid.UUID(int=1), uuid.UUID(int=2)
    statements: list[str] = []

    async def scenario() -> None:
        both = [limits_of(database, per_minute=120) for database in databases]
        event.listen(databases[0].engine, "before_cursor_execute", _collect(statements))
        for number in range(120):
            await both[number % 2].request(key)
        with pytest.raises(WaitError) as caught:
            await both[0].request(key)
        assert caught.value.seconds == 1
        await both[0].request(other)
        time.pass_by(1)
        await both[0].request(key)
        await both[0].request(key)
        assert len([one for one in statements if "INSERT" in one]) < 40

    play(scenario)


def test_without_a_limit_nothing_is_counted(databases: list[Database]) -> None:
    async def scenario() -> None:
        limits = limits_of(databases[0])
        for _ in range(100):
            await limits.request(uuid.UUID(int=1))

    play(scenario)
    with databases[0].read() as connection:
        assert connection.execute(select(table)).all() == []


def test_nothing_readable_is_stored(databases: list[Database], time: Time) -> None:
    play(lambda: _ignore(fails(limits_of(databases[0]), limit=ONE_TIME_TOKENS)))
    with databases[0].read() as connection:
        [row] = connection.execute(select(table)).all()
    assert len(row.subject) == 32
    assert HOME.encode() not in bytes(row.subject)


def test_what_a_process_remembers_is_bounded() -> None:
    waits = Waits()
    for number in range(MOST_KEPT * 2):
        waits.note(number.to_bytes(8), 60, NOON)
    kept = sum(waits.left_s(number.to_bytes(8), NOON) > 0 for number in range(MOST_KEPT * 2))
    assert MOST_KEPT * 8 // 10 <= kept <= MOST_KEPT
    assert waits.left_s((MOST_KEPT * 2 - 1).to_bytes(8), NOON) == 60, "the newest stay"
    assert waits.left_s((MOST_KEPT * 2 - 1).to_bytes(8), NOON + 60 * SECOND) == 0


def _says(answer: bool) -> Callable[[], Awaitable[bool]]:
    async def say() -> bool:
        return answer

    return say


def _collect(statements: list[str]) -> Callable[..., None]:
    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    return note


async def _ignore(answer: Awaitable[int]) -> None:
    await answer
