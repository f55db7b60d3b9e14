"""Names for things that several processes see and that have no name of their own."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256


def stable_id(domain: bytes, parts: Iterable[str | int | None]) -> str:
    """Return the same 16 hexadecimal digits for the same parts, in every process.

    `parts` tell the thing apart, such as host, port and database; never a user, a password or a
    URL that holds them. The first half of SHA-256 over `domain` and the parts, each preceded by
    its length, so that none runs into the next.
    """
    told = [b"" if part is None else str(part).encode() for part in parts]
    joined = b"".join(len(part).to_bytes(4, "big") + part for part in told)
    return sha256(domain + joined).hexdigest()[:16]
