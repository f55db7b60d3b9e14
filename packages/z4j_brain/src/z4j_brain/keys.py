"""The two secrets of a server, and everything that is derived from them.

`Z4J_SECRET` is the master from which each project's signing secret is derived on every use;
`Z4J_SESSION_SECRET` signs what browsers hold. They come from the environment, or from
`secret.env` in `Z4J_HOME`, which is written on the first boot. `Z4J_SECRET_PREVIOUS` holds masters
that were in use before: with them something can be read, and nothing is made.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import stat
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from z4j_brain.settings import Settings
from z4j_core import credential

MASTER = "Z4J_SECRET"
PREVIOUS = "Z4J_SECRET_PREVIOUS"
SESSION = "Z4J_SESSION_SECRET"
FILE_NAME = "secret.env"
LEAST_CHARACTERS = 32


class SecretsError(ValueError):
    """A secret is missing or too weak; the message says how to make one and holds none."""


@dataclass(frozen=True)
class Keys:
    """The secrets of this server. Its `repr` shows none of them. Thread-safe."""

    master: bytes = field(repr=False)
    session: bytes = field(repr=False)
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    former: tuple[bytes, ...] = field(default=(), repr=False)

    def ring(self) -> tuple[Keys, ...]:
        """Return the present keys, and after them those of the former masters, to read with."""
        return (self, *(Keys(master, self.session) for master in self.former))

    def project_secret(self, project_id: uuid.UUID) -> bytes:
        """Derive the secret of a project."""
        return credential.project_secret(self.master, project_id)

    def signing_key(self, project_id: uuid.UUID, agent_id: uuid.UUID, token_id: uuid.UUID) -> bytes:
        """Derive the signing key of one token of an agent."""
        return credential.signing_key(self.project_secret(project_id), agent_id, token_id)

    def seal_key(self, project_id: uuid.UUID) -> bytes:
        """Derive the key with which a project's agents seal payloads for one another."""
        return credential.seal_key(self.project_secret(project_id))

    def audit_key(self, chain: uuid.UUID) -> bytes:
        """Derive the key of an audit chain: a project's, or the instance's, whose id is nil."""
        if not chain.int:
            return credential.hkdf(self.master, b"z4j audit instance")
        return credential.hkdf(self.project_secret(chain), b"z4j audit")

    def checkpoint_key(self) -> bytes:
        """Derive the key that signs checkpoints of the audit log."""
        return credential.hkdf(self.master, b"z4j audit checkpoint")

    def token_hash(self, secret: bytes) -> bytes:
        """Return what is stored of an agent's bearer secret."""
        return credential.secret_hash(self.master, secret)

    def api_key_hash(self, secret: bytes) -> bytes:
        """Return what is stored of the secret of an API key."""
        key = credential.hkdf(self.master, b"z4j api key hash")
        return hmac.digest(key, secret, "sha256")

    def session_hash(self, token: str) -> bytes:
        """Return what is stored of a session cookie."""
        return self._browser(b"z4j session", token)

    def csrf_token(self, token: str) -> str:
        """Return the token that a page sends back to prove that it can read our answers."""
        return self._browser(b"z4j csrf", token).hex()

    def one_time_hash(self, token: str) -> bytes:
        """Return what is stored of a token that works once: set-up, sign-in, invitation."""
        return self._browser(b"z4j one-time", token)

    def known_browser_proof(self, text: str) -> str:
        """Return the proof in the cookie of a browser that has signed in before."""
        return self._browser(b"z4j known browser", text).hex()

    def challenge_proof(self, text: str) -> bytes:
        """Return the proof that a passkey's challenge is ours, and for what it was made."""
        return self._browser(b"z4j passkey challenge", text)

    def totp_key(self) -> bytes:
        """Derive the key under which the secrets of authenticator apps are stored."""
        return credential.hkdf(self.master, b"z4j totp")

    def oidc_value(self, purpose: bytes, state: str, browser: str) -> bytes:
        """Derive what a sign-in at the identity provider needs, so that no replica stores it."""
        return self._browser(b"z4j oidc " + purpose, f"{state}\n{browser}")

    def subject_hash(self, subject: str) -> bytes:
        """Return the key under which failed sign-ins of an address or e-mail are counted."""
        return self._browser(b"z4j subject", subject)

    def _browser(self, purpose: bytes, text: str) -> bytes:
        key = credential.hkdf(self.session, purpose)
        return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")


def load_keys(settings: Settings, environ: Mapping[str, str], *, mint: bool = False) -> Keys:
    """Return the keys: the environment wins over `secret.env`.

    With `mint`, missing secrets are made and written first. Raises `SecretsError`.
    """
    path = settings.home / FILE_NAME
    found = _read(path)
    if mint and _missing(environ, found):
        _write(path, {name: secrets.token_hex(32) for name in (MASTER, SESSION)}, found)
        found = _read(path)
    values, sources = {}, {}
    for name in (MASTER, SESSION):
        from_env = environ.get(name, "").strip()
        values[name] = _checked(name, from_env or found.get(name, ""))
        sources[name] = "env" if from_env else "file"
    if values[MASTER] == values[SESSION]:
        raise SecretsError(f"{MASTER} and {SESSION} must differ: make one more secret.")
    former, sources[PREVIOUS] = _former(environ, found)
    if values[MASTER].encode() in former:
        raise SecretsError(
            f"{PREVIOUS} holds the present {MASTER}: it is for secrets that are no longer in use."
        )
    return Keys(values[MASTER].encode(), values[SESSION].encode(), sources, former)


def file_is_private(path: Path) -> bool:
    """Tell whether only the owner can read the file."""
    return not stat.S_IMODE(path.stat().st_mode) & 0o077


def _former(environ: Mapping[str, str], found: Mapping[str, str]) -> tuple[tuple[bytes, ...], str]:
    """Return the masters of before, separated by spaces, and where they came from.

    They are taken as they are: what they once were is not to be changed any more.
    """
    from_env = environ.get(PREVIOUS, "").split()
    parts = from_env or found.get(PREVIOUS, "").split()
    source = "env" if from_env else "file" if parts else "none"
    return tuple(dict.fromkeys(part.encode() for part in parts)), source


def _missing(environ: Mapping[str, str], found: Mapping[str, str]) -> bool:
    names = (MASTER, SESSION)
    return any(not environ.get(name, "").strip() and name not in found for name in names)


def _checked(name: str, value: str) -> str:
    advice = f"Make one with `openssl rand -hex 32`, set {name} to it and keep it."
    if not value:
        raise SecretsError(f"{name} is not set. {advice}")
    if len(value) < LEAST_CHARACTERS or len(set(value)) < 8:
        raise SecretsError(
            f"{name} is too weak: at least {LEAST_CHARACTERS} random characters. {advice}"
        )
    return value


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SecretsError(f"Cannot read {path}: {error.strerror}.") from None
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def _write(path: Path, minted: Mapping[str, str], found: Mapping[str, str]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{FILE_NAME}.{os.getpid()}.{secrets.token_hex(4)}")
    content = "".join(f"{name}={value}\n" for name, value in {**minted, **found}.items())
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if found:
            temporary.replace(path)
        else:
            # A link fails if the file is there: of two first boots at once, one wins for both.
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
