"""Seals what a retry needs with the operator's key, and opens it again (`docs/sealed.md`).

`cryptography`, which the extra ``seal`` brings, is imported only when a key is set.

The cipher's key is derived from the operator's with a random salt of its own for each process, and
nonces are random. NIST SP 800-38D, section 8.3, allows 2^32 of these under one key; here a process
takes a new salt after 2^20 messages, and a forked child a new one at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from z4j_agent.settings import Settings
from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef
from z4j_core.seal import (
    Envelope,
    EnvelopeError,
    SealKey,
    associated_data,
    message_key,
    project_tag,
    unpack,
)

MAX_MESSAGES = 1 << 20
"""How many payloads one process seals under one salt."""
EXTRA = "pip install 'z4j-agent[seal]'"
_SALT_BYTES, _NONCE_BYTES = 16, 12
_INSTEAD = "Or use the edited retry and give the arguments."
_NOTHING_DONE = "Nothing was done."


class Sealing:
    """What this program can seal and open. `problem` says why nothing, although a key is set."""

    def __init__(self, sealer: Sealer | None = None, problem: str | None = None) -> None:
        self.sealer = sealer
        self.problem = problem

    @classmethod
    def of(cls, settings: Settings) -> Sealing:
        """Make what the settings ask for; never raises."""
        if settings.seal_problem is not None:
            return cls(problem=f"{settings.seal_problem} Until then nothing is sealed.")
        if not settings.seal_keys or settings.credential is None:
            return cls()
        try:
            tag = project_tag(settings.credential.seal_key)
            return cls(Sealer(settings.seal_keys, tag, _cipher(), os.urandom))
        except Exception as error:  # a broken library must not stop the host
            return cls(
                problem=f"Z4J_SEAL_KEY is set, but `cryptography` cannot be used here "
                f"({type(error).__name__}): {EXTRA}. Until then nothing is sealed."
            )

    @property
    def key_ids(self) -> list[str]:
        """The keys that can be opened here; the first one seals."""
        return [] if self.sealer is None else self.sealer.key_ids

    def open(self, engine: str, task: TaskRef) -> bytes | None:
        """Return what was sealed with a task, None if nothing was; raise `ActionError`."""
        if task.sealed is None:
            return None
        try:
            envelope = unpack(task.sealed)
        except EnvelopeError as error:
            raise ActionError(
                f"What the server handed out as sealed arguments is damaged: {error}. "
                f"{_NOTHING_DONE} {_INSTEAD}"
            ) from None
        if self.sealer is None:
            raise ActionError(_no_sealer(envelope, self.problem))
        return self.sealer.open(envelope, engine, task.task_id)


class Sealer:
    """Encrypts and decrypts under the operator's keys. Thread-safe, and safe after a fork.

    `cipher` makes an AES-GCM of a key, as `cryptography` has it; `random` gives random bytes.
    """

    def __init__(
        self,
        keys: tuple[SealKey, ...],
        tag: bytes,
        cipher: Callable[[bytes], Any],
        random: Callable[[int], bytes],
    ) -> None:
        self._keys = {key.id: key for key in keys}
        self._first = keys[0]
        self._tag = tag
        self._cipher = cipher
        self._random = random
        self._epoch = self._new_epoch()

    @property
    def key_ids(self) -> list[str]:
        """The ids of the keys, the one that seals first."""
        return [key_id.hex() for key_id in self._keys]

    def seal(self, engine: str, task_id: str, original: bytes) -> bytes:
        """Return the envelope that opens for this task only: see `z4j_core.seal.Seal`."""
        epoch = self._epoch
        if epoch.left <= 0 or epoch.pid != os.getpid():
            epoch = self._epoch = self._new_epoch()
        # Two threads may count as one: there is room for it, 4,096 times over.
        epoch.left -= 1
        head = Envelope(epoch.key_id, self._tag, epoch.salt, self._random(_NONCE_BYTES), b"")
        bound = associated_data(head, engine, task_id)
        return head.pack() + bytes(epoch.cipher.encrypt(head.nonce, original, bound))

    def open(self, envelope: Envelope, engine: str, task_id: str) -> bytes:
        """Return what an envelope holds; raise `ActionError`, which says what to do."""
        key = self._keys.get(envelope.key_id)
        if key is None:
            raise ActionError(_unknown_key(envelope, self.key_ids))
        if envelope.project_tag != self._tag:
            raise ActionError(
                "The arguments were sealed by an agent of another project, or before the server's "
                f"Z4J_SECRET was changed, and do not open here. {_NOTHING_DONE} {_INSTEAD}"
            )
        cipher = self._cipher(message_key(key.secret, envelope.salt))
        bound = associated_data(envelope, engine, task_id)
        try:
            return bytes(cipher.decrypt(envelope.nonce, envelope.sealed, bound))
        except Exception:  # the library's own `InvalidTag`, which is not imported here
            raise ActionError(
                f"The sealed arguments do not open, although the key {envelope.key_id.hex()} is "
                "here: they were changed, or belong to another task. Find out who can write to "
                f"the server's database. {_NOTHING_DONE} {_INSTEAD}"
            ) from None

    def _new_epoch(self) -> _Epoch:
        salt = self._random(_SALT_BYTES)
        cipher = self._cipher(message_key(self._first.secret, salt))
        return _Epoch(self._first.id, salt, cipher)


class _Epoch:
    """One salt, with its cipher: for one process, and so many messages."""

    __slots__ = ("cipher", "key_id", "left", "pid", "salt")

    def __init__(self, key_id: bytes, salt: bytes, cipher: Any) -> None:
        self.pid = os.getpid()
        self.left = MAX_MESSAGES
        self.key_id = key_id
        self.salt = salt
        self.cipher = cipher


def new_key() -> SealKey:
    """Mint a key of 32 random bytes."""
    return SealKey(os.urandom(32))


def _cipher() -> Callable[[bytes], Any]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    AESGCM(bytes(32)).encrypt(bytes(12), b"", None)  # a library that loads and cannot work
    return AESGCM


def _no_sealer(envelope: Envelope, problem: str | None) -> str:
    why = problem or (
        f"Z4J_SEAL_KEY is not set in this process: set it there, {EXTRA}, and restart it."
    )
    sealed_with = f"The arguments are sealed with the key {envelope.key_id.hex()}."
    return f"{sealed_with} {why} {_NOTHING_DONE} {_INSTEAD}"


def _unknown_key(envelope: Envelope, known: list[str]) -> str:
    return (
        f"The arguments are sealed with the key {envelope.key_id.hex()}, which this process does "
        f"not have (it has {', '.join(known)}). Append that key to its Z4J_SEAL_KEY, behind a "
        f"comma, and restart it. If the key is gone, so are these arguments. "
        f"{_NOTHING_DONE} {_INSTEAD}"
    )
