"""A cookie by which a browser shows that its owner has signed in with it before.

It opens nothing. Its attempts to sign in are counted apart from everybody else's, so that no
stranger can make the owner wait. After OWASP's "device cookies" (Slow Down Online
Guessing Attacks).
"""

from __future__ import annotations

import hmac
import re
import secrets
from typing import TYPE_CHECKING

from z4j_brain.store.users import normal_email

if TYPE_CHECKING:
    from z4j_brain.keys import Keys

VALID_DAYS = 180
_VALID_US = VALID_DAYS * 86_400_000_000
_FORM = re.compile(r"(?P<number>[0-9a-f]{32})\.(?P<made>[0-9]{1,17})\.(?P<proof>[0-9a-f]{64})")


def make(keys: Keys, email: str, now: int) -> str:
    """Make the cookie's value for a browser in which somebody has just signed in."""
    number = secrets.token_hex(16)
    return f"{number}.{now}.{_proof(keys, number, now, email)}"


def number_of(keys: Keys, value: str | None, email: str, now: int) -> str | None:
    """Return the browser's number; None unless it is known to this account and not too old."""
    found = _FORM.fullmatch(value or "")
    if found is None:
        return None
    made = int(found["made"])
    proof = _proof(keys, found["number"], made, email)
    is_right = hmac.compare_digest(proof, found["proof"])
    return found["number"] if is_right and now - _VALID_US < made <= now else None


def _proof(keys: Keys, number: str, made: int, email: str) -> str:
    return keys.known_browser_proof(f"{number}\n{made}\n{normal_email(email)}")
