"""How a link's end looks from outside: WebSocket close codes for the codes of `LinkError`."""

from __future__ import annotations

from z4j_core.link import errors

UNAVAILABLE = "unavailable"
INTERNAL = "internal"
LIMITED = "too_many_attempts"

BAD_REQUEST = 4400
_CLOSE_CODES = {
    errors.REVOKED: 4401,
    errors.BAD_SIGNATURE: 4403,
    errors.SILENCE: 4408,
    errors.REPLACED: 4409,
    errors.TOO_LARGE: 4413,
    errors.VERSION: 4426,
    errors.SHUTDOWN: 1012,
    LIMITED: 4429,
    UNAVAILABLE: 1013,
    INTERNAL: 1011,
}


def close_code(code: str) -> int:
    """Return the WebSocket close code; everything else is a fault of the frames: 4400."""
    return _CLOSE_CODES.get(code, BAD_REQUEST)
