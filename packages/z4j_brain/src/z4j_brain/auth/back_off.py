"""How long somebody waits after failed sign-ins, so that passwords cannot be tried in numbers,
and no stranger can keep the owner of an account out.

Attempts are counted by account and address together, by address, and by account. Two ways in stay
open to the owner whatever strangers do: from an address that has not failed for this account within
the hour, and from a browser that has signed in before, which is counted by itself alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from z4j_brain.auth.places import place_of
from z4j_brain.auth.waits import SECOND_US, WaitError, whole_seconds
from z4j_brain.store import sign_in_failures
from z4j_brain.store.users import normal_email

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from z4j_brain.brain import Brain
    from z4j_brain.keys import Keys
    from z4j_brain.store.sign_in_failures import Count

FORGET_AFTER_US = 3_600 * SECOND_US


class Rule(msgspec.Struct, frozen=True):
    """`free` failures cost nothing; each further one doubles the wait from 1 s to `longest_s`."""

    free: int
    longest_s: int


PAIR = Rule(5, 300)
ADDRESS = Rule(20, 300)
ACCOUNT = Rule(50, 30)
ALONE = Rule(10, 300)
FRESH = 2
"""So many attempts of an address are let in though others have used up the account's."""


class Subjects(msgspec.Struct, frozen=True):
    """The keyed hashes under which the attempts of one caller are counted.

    `alone` is there for a browser or a session that is known; the others do not count then.
    """

    pair: bytes
    address: bytes
    account: bytes
    alone: bytes | None = None

    def rules(self) -> dict[bytes, Rule]:
        """Return the rule of each that counts."""
        if self.alone is not None:
            return {self.alone: ALONE}
        return {self.pair: PAIR, self.address: ADDRESS, self.account: ACCOUNT}


def subjects_of(
    keys: Keys, email: str, address: str | None, browser: str | None = None
) -> Subjects:
    """Hash e-mail and address; of an IPv6 address only the /64 counts.

    `browser` is the number of a known one, see `auth/known_browser.py`.
    """
    account, place = normal_email(email), place_of(address)
    return Subjects(
        keys.subject_hash(f"pair\n{place}\n{account}"),
        keys.subject_hash(f"address\n{place}"),
        keys.subject_hash(f"account\n{account}"),
        None if browser is None else keys.subject_hash(f"browser\n{browser}\n{account}"),
    )


def subjects_of_session(keys: Keys, session_id: UUID) -> Subjects:
    """Count what a signed-in browser tries by its session alone."""
    return Subjects(b"", b"", b"", keys.subject_hash(f"session\n{session_id}"))


async def attempt(brain: Brain, subjects: Subjects, now: int) -> None:
    """Count an attempt, or raise `WaitError`.

    Who has to wait is remembered in this process, so that the next attempts ask no database.
    """
    known = [subjects.alone] if subjects.alone is not None else [subjects.pair, subjects.address]
    waits = brain.limits.waits
    if wait := max(waits.left_s(subject, now) for subject in known):
        raise WaitError(wait)
    found = await brain.database.run(_begin, subjects, now, write=True)
    if not found:
        return
    wait = max(found.values())
    waits.note(known[0], wait, now)
    if subjects.address in found:  # not so the account: from elsewhere its owner gets in
        waits.note(subjects.address, found[subjects.address], now)
    raise WaitError(wait)


def _begin(connection: Connection, subjects: Subjects, now: int) -> dict[bytes, int]:
    return _waits(connection, subjects, now) if begin(connection, subjects, now) else {}


def begin(connection: Connection, subjects: Subjects, now: int) -> int:
    """Count an attempt and return 0, or return the seconds to wait, uncounted.

    It is counted before the password is checked, so that attempts at the same time count too.
    """
    sign_in_failures.forget_before(connection, now - FORGET_AFTER_US)
    wait = wait_of(connection, subjects, now)
    if not wait:
        for subject in sorted(subjects.rules()):
            sign_in_failures.add(connection, subject, now)
    return wait


def wait_of(connection: Connection, subjects: Subjects, now: int) -> int:
    """Return the seconds to wait before the next attempt, from what was counted so far."""
    return max(_waits(connection, subjects, now).values(), default=0)


def _waits(connection: Connection, subjects: Subjects, now: int) -> dict[bytes, int]:
    rules = subjects.rules()
    found = sign_in_failures.counts(connection, list(rules))
    if subjects.pair not in found or found[subjects.pair].failures < FRESH:
        found.pop(subjects.account, None)
    waits = {subject: wait_s(count, rules[subject], now) for subject, count in found.items()}
    return {subject: wait for subject, wait in waits.items() if wait}


def succeed(connection: Connection, subjects: Subjects) -> None:
    """Undo what `begin` counted, and forgive the pair, or what is counted alone."""
    if subjects.alone is not None:
        sign_in_failures.forget(connection, subjects.alone)
        return
    sign_in_failures.take_back(connection, sorted([subjects.address, subjects.account]))
    sign_in_failures.forget(connection, subjects.pair)


def wait_s(count: Count, rule: Rule, now: int) -> int:
    """Return the whole seconds until the next attempt is let in."""
    if count.failures < rule.free:
        return 0
    delay_s = min(rule.longest_s, 1 << min(count.failures - rule.free, 30))
    left_us = count.last_at + delay_s * SECOND_US - now
    return whole_seconds(left_us)
