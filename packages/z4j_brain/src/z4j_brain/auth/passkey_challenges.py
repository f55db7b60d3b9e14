"""What a passkey signs, once, within five minutes.

A challenge proves itself: random bits, the time, and a keyed proof of both and of what it is for.
So nothing is stored for strangers who only ask for one, and any replica can judge it. What is
stored is the hash of one that was used.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from z4j_brain.store import one_time_tokens

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.keys import Keys

VALID_US = 300_000_000
_AHEAD_US = 30_000_000
"""So much may the clock of the replica that made it be ahead of ours."""
_RANDOM, _TIME, _PROOF = 32, 8, 32
LENGTH = _RANDOM + _TIME + _PROOF


def make(keys: Keys, purpose: str, now: int) -> bytes:
    """Make a challenge; `now` is in microseconds."""
    body = secrets.token_bytes(_RANDOM) + now.to_bytes(_TIME, "big")
    return body + _proof(keys, purpose, body)


def is_good(keys: Keys, purpose: str, challenge: bytes, now: int) -> bool:
    """Tell whether a challenge was made here for this purpose, and not too long ago."""
    body, proof = challenge[:-_PROOF], challenge[-_PROOF:]
    if len(challenge) != LENGTH or not hmac.compare_digest(_proof(keys, purpose, body), proof):
        return False
    return now - VALID_US < _made(challenge) <= now + _AHEAD_US


def use_up(connection: Connection, keys: Keys, challenge: bytes, now: int) -> bool:
    """Note in a write transaction that a good challenge was used; False when it was before."""
    return one_time_tokens.spend(
        connection,
        keys.one_time_hash(challenge.hex()),
        one_time_tokens.USED_CHALLENGE,
        now,
        _made(challenge) + VALID_US + 2 * _AHEAD_US,
    )


def _made(challenge: bytes) -> int:
    return int.from_bytes(challenge[_RANDOM : _RANDOM + _TIME], "big")


def _proof(keys: Keys, purpose: str, body: bytes) -> bytes:
    return keys.challenge_proof(f"{purpose}\n{body.hex()}")
