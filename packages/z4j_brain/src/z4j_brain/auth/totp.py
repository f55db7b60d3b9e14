"""One-time codes by time: RFC 6238 with its defaults (SHA-1, 6 digits, 30 s), upon RFC 4226.

Every authenticator app knows these; other parameters are ignored by several.
"""

from __future__ import annotations

import base64
import hmac
from urllib.parse import quote

STEP_S = 30
DIGITS = 6
SECRET_BYTES = 20
"""As long as the hash's output: RFC 4226, section 4, R6."""
DRIFT = 1
"""Steps that a clock may be off, or a code be late: RFC 6238, section 5.2, recommends one."""


def code_at(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """Return the code of a step: RFC 4226, section 5.3."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_at(now: int) -> int:
    """Return the step of a time in microseconds."""
    return now // (STEP_S * 1_000_000)


def step_of(secret: bytes, code: str, now: int, after: int) -> int | None:
    """Return the step near `now` whose code this is; only one later than `after` counts.

    Store it as the next `after`: a code works once (RFC 6238, section 5.2).
    """
    if not (code.isascii() and code.isdigit()):
        return None
    present = step_at(now)
    steps = range(max(present - DRIFT, after + 1), present + DRIFT + 1)
    matching = [
        step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), code.encode())
    ]
    return matching[0] if matching else None


def written(secret: bytes) -> str:
    """Return the secret as people type it: base 32, without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, email: str, issuer: str) -> str:
    """Return what the QR code says: the `otpauth` URI that authenticator apps read."""
    label = f"{quote(issuer, safe='')}:{quote(email, safe='')}"
    return f"otpauth://totp/{label}?secret={written(secret)}&issuer={quote(issuer, safe='')}"
