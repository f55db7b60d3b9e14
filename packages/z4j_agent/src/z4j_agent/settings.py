"""What the operator set, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from z4j_agent.spool.place import default_root
from z4j_core.credential import Credential, CredentialError, parse_token
from z4j_core.seal import SealKey, SealKeyError, parse_seal_keys

DEFAULT_SPOOL_BYTES = 256 * 1024 * 1024
SMALLEST_SPOOL_BYTES = 16 * 1024 * 1024
GREATEST_SPOOL_BYTES = 64 * 1024 * 1024 * 1024
DEFAULT_OUTBOX_BYTES = 16 * 1024 * 1024
SMALLEST_OUTBOX_BYTES = 1024 * 1024
GREATEST_OUTBOX_BYTES = 4 * 1024 * 1024 * 1024
_OUTBOX = (DEFAULT_OUTBOX_BYTES, SMALLEST_OUTBOX_BYTES, GREATEST_OUTBOX_BYTES)
_SPOOL = (DEFAULT_SPOOL_BYTES, SMALLEST_SPOOL_BYTES, GREATEST_SPOOL_BYTES)
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class SettingsError(ValueError):
    """A setting cannot be used; the message says how to mend it and holds no secret."""


class Settings(msgspec.Struct, frozen=True):
    """The agent's settings. `problem` says why the agent does nothing although `Z4J_URL` is set.

    `warnings` are settings that were ignored for their default. `spool_root` is None when
    `Z4J_SPOOL` is ``off``. `seal_problem` says why `Z4J_SEAL_KEY` cannot be used.
    """

    url: str | None = None
    credential: Credential | None = None
    problem: str | None = None
    warnings: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    disabled: frozenset[str] = frozenset()
    outbox_bytes: int = DEFAULT_OUTBOX_BYTES
    spool_root: Path | None = None
    spool_bytes: int = DEFAULT_SPOOL_BYTES
    redact_emails: bool = False
    seal_keys: tuple[SealKey, ...] = ()
    seal_problem: str | None = None
    log_level: str | None = None
    environment: Mapping[str, str] = {}

    @property
    def is_active(self) -> bool:
        """Tell whether the agent has what it needs to run."""
        return self.url is not None and self.credential is not None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; never raises.

        What plugins are given as `environment` leaves `Z4J_TOKEN` and `Z4J_SEAL_KEY` out: none
        needs them.
        """
        given = dict(os.environ if environment is None else environment)
        token = given.pop("Z4J_TOKEN", "")
        seal_keys, seal_problem = _seal_keys(given.pop("Z4J_SEAL_KEY", ""))
        warnings: list[str] = []
        url, credential, problem = _target(given.get("Z4J_URL", "").strip(), token.strip())
        return cls(
            url=url,
            credential=credential,
            problem=problem,
            only=_names(given.get("Z4J_PLUGINS")),
            disabled=_names(given.get("Z4J_DISABLE_PLUGINS")) or frozenset(),
            outbox_bytes=_bytes(given, "Z4J_OUTBOX_BYTES", _OUTBOX, warnings),
            spool_root=_spool_root(given, warnings),
            spool_bytes=_bytes(given, "Z4J_SPOOL_BYTES", _SPOOL, warnings),
            redact_emails=_switch(given, "Z4J_REDACT_EMAILS", warnings),
            seal_keys=seal_keys,
            seal_problem=seal_problem,
            log_level=_log_level(given.get("Z4J_LOG_LEVEL", "").strip().upper(), warnings),
            warnings=tuple(warnings),
            environment=given,
        )


def link_url(url: str) -> str:
    """Return the address of the link for a `Z4J_URL`; raise `SettingsError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SettingsError(f"Z4J_URL is not a URL ({error}): {_EXAMPLE}") from None
    if parts.scheme not in ("http", "https"):
        raise SettingsError(f"Z4J_URL must begin with http:// or https://: {_EXAMPLE}")
    if not parts.hostname or any(letter <= " " for letter in url):
        raise SettingsError(f"Z4J_URL names no server: {_EXAMPLE}")
    if parts.username is not None or parts.password is not None:
        raise SettingsError("Z4J_URL must not hold a user or password: only Z4J_TOKEN signs in.")
    if parts.query or parts.fragment:
        raise SettingsError(f"Z4J_URL must end with the path, without ? or #: {_EXAMPLE}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    where = host if port is None else f"{host}:{port}"
    scheme = "wss" if parts.scheme == "https" else "ws"
    return f"{scheme}://{where}{parts.path.rstrip('/')}/ws"


_EXAMPLE = "set it to the address of the dashboard, such as https://z4j.example.com."


def _target(url: str, token: str) -> tuple[str | None, Credential | None, str | None]:
    if not url:
        return None, None, None
    try:
        link_url(url)
    except SettingsError as error:
        return None, None, str(error)
    if not token:
        missing = "Z4J_URL is set, but Z4J_TOKEN is not: set it to the token of an agent."
        return url, None, missing
    try:
        return url, parse_token(token), None
    except CredentialError as error:
        return url, None, str(error)


def _seal_keys(text: str) -> tuple[tuple[SealKey, ...], str | None]:
    """Return the keys, or why they cannot be used; one wrong key is no reason to guess."""
    if not text.strip():
        return (), None
    try:
        return parse_seal_keys(text), None
    except SealKeyError as error:
        return (), str(error)


def _names(text: str | None) -> frozenset[str] | None:
    if text is None or not text.strip():
        return None
    return frozenset(name for name in text.replace(",", " ").split() if name)


def _bytes(
    given: Mapping[str, str], name: str, bounds: tuple[int, int, int], warnings: list[str]
) -> int:
    default, smallest, greatest = bounds
    text = given.get(name, "").strip()
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) < 12 and smallest <= int(text) <= greatest:
        return int(text)
    warnings.append(
        f"{name} is ignored: set it to a number of bytes from {smallest} to {greatest}; "
        f"{default} is used."
    )
    return default


def _spool_root(given: Mapping[str, str], warnings: list[str]) -> Path | None:
    """Return the folder of all spools; None if the operator wants none."""
    switch = given.get("Z4J_SPOOL", "").strip().lower()
    if switch == "off":
        return None
    if switch not in ("", "on"):
        warnings.append("Z4J_SPOOL is ignored: set it to on or off; on is used.")
    folder = given.get("Z4J_SPOOL_DIR", "").strip()
    if folder and not folder.startswith("/"):
        warnings.append("Z4J_SPOOL_DIR is ignored: set it to an absolute path.")
        folder = ""
    return Path(folder) if folder else default_root(given)


def _switch(given: Mapping[str, str], name: str, warnings: list[str]) -> bool:
    text = given.get(name, "").strip().lower()
    if text not in ("", "on", "off"):
        # Whoever sets it wants something hidden.
        warnings.append(f"{name} is not understood: set it to on or off; on is used.")
    return text not in ("", "off")


def _log_level(text: str, warnings: list[str]) -> str | None:
    if not text or text in LOG_LEVELS:
        return text or None
    warnings.append(f"Z4J_LOG_LEVEL is ignored: set it to one of {', '.join(LOG_LEVELS)}.")
    return None
