"""Checkpoints: a signed text that tells where every chain ended at some moment.

It is kept where the owner of the database cannot write. A log that was taken back to an older
state, or written anew by somebody who has the key as well, does not hold the row that the
checkpoint names. One line each: ``z4j audit checkpoint 1``, ``at TIME``, then ``chain UUID NUMBER
MAC`` for each chain, and ``signature MAC``: HMAC-SHA256 over all that stands before it.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterable, Sequence

import msgspec

from z4j_brain.audit.encoding import MAC_BYTES
from z4j_brain.audit.pruned import Position
from z4j_brain.audit.verifying import Break
from z4j_brain.keys import Keys
from z4j_brain.store.audit import Head
from z4j_brain.store.types import to_datetime

_TITLE = "z4j audit checkpoint 1"
_SIGNATURE = "signature "
MAX_CHARACTERS = 4 * 1024 * 1024


class CheckpointError(ValueError):
    """A text is no checkpoint, or not one that this instance has signed; the message says which."""


class Checkpoint(msgspec.Struct, frozen=True):
    """Where each chain ended; `at` is text, as people read it."""

    at: str
    ends: dict[uuid.UUID, Position]


def write(keys: Keys, ends: Iterable[Head], at: int) -> str:
    """Return the signed text; `at` is in microseconds."""
    lines = [_TITLE, f"at {to_datetime(at).isoformat()}"]
    lines += [f"chain {head.chain} {head.number} {head.last.hex()}" for head in ends]
    body = "".join(f"{line}\n" for line in lines)
    return f"{body}{_SIGNATURE}{_sign(keys, body)}\n"


def read(text: str, keyring: Sequence[Keys]) -> Checkpoint:
    """Check the signature and take the text apart. Raises `CheckpointError`."""
    text = text.replace("\r\n", "\n")
    body, separator, signature = text.rpartition(_SIGNATURE)
    if len(text) > MAX_CHARACTERS or not separator or not body.startswith(f"{_TITLE}\n"):
        raise CheckpointError(
            "This is no checkpoint: give a file that `z4j audit checkpoint` made."
        )
    given = signature.strip().encode(errors="replace")
    if not any(hmac.compare_digest(_sign(keys, body).encode(), given) for keys in keyring):
        raise CheckpointError(
            "This checkpoint was changed, or signed under another Z4J_SECRET: give the former one"
            " with --old-secret-file."
        )
    return _parse(body.splitlines())


def fault(
    checkpoint: Checkpoint, chain: uuid.UUID, found: bytes | None, pruned: Position | None = None
) -> Break | None:
    """Compare a chain with the checkpoint; `found` is the MAC that it has at the number there.

    Rows up to `pruned` were removed because of their age: of those nothing is known any more.
    """
    end = checkpoint.ends.get(chain)
    if end is None or not end.number:
        return None
    if found is None and pruned is not None:
        if end.number < pruned.number:
            return None
        if end.number == pruned.number:
            found = pruned.mac
    if found is None:
        return Break(
            end.number,
            f"the checkpoint of {checkpoint.at} knows this row, the chain does not: it was taken"
            " back to an older state",
        )
    if not hmac.compare_digest(found, end.mac):
        return Break(
            end.number,
            f"the checkpoint of {checkpoint.at} knows another row in this place: the chain was"
            " taken back to an older state, or written anew",
        )
    return None


def _parse(lines: list[str]) -> Checkpoint:
    ends: dict[uuid.UUID, Position] = {}
    try:
        for line in lines[2:]:
            _word, chain, number, mac = line.split(" ")
            ends[uuid.UUID(chain)] = Position(int(number), bytes.fromhex(mac))
    except ValueError:
        raise CheckpointError("This checkpoint cannot be read.") from None
    if any(len(end.mac) != MAC_BYTES for end in ends.values()):
        raise CheckpointError("This checkpoint cannot be read.")
    return Checkpoint(lines[1].removeprefix("at "), ends)


def _sign(keys: Keys, body: str) -> str:
    return hmac.digest(keys.checkpoint_key(), body.encode(errors="replace"), "sha256").hex()
