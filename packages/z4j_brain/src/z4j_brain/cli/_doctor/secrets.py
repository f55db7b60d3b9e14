"""The secrets: there, strong, private, and what a change of them has left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from z4j_brain import clock
from z4j_brain.cli._doctor.finding import Finding, bad, good, look
from z4j_brain.keys import (
    FILE_NAME,
    MASTER,
    PREVIOUS,
    SESSION,
    Keys,
    SecretsError,
    file_is_private,
    load_keys,
)
from z4j_brain.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.auth.rotation import Seals

_COPIED = ("change", "example", "password", "secret", "default", "insecure", "your", "z4j", "dummy")
_MOST_NAMED = 20


def look_at_secrets(settings: Settings) -> Iterator[Finding]:
    """Look at the secrets and at the file that holds them."""
    try:
        keys = load_keys(settings, os.environ)
    except SecretsError as error:
        hint = " `z4j serve` makes both on its first start."
        missing = not any(os.environ.get(name) for name in (MASTER, SESSION))
        yield bad(f"secrets: {error}{hint if missing else ''}")
        return
    sources = sorted({keys.sources[name] for name in (MASTER, SESSION)})
    yield good(f"secrets: strong enough, from {', '.join(sources)}")
    for name, value in ((MASTER, keys.master), (SESSION, keys.session)):
        if looks_made_up(value.decode(errors="replace")):
            yield look(
                f"{name} looks like a text somebody made up or copied. Make another with"
                " `openssl rand -hex 32`: see docs/secrets.md."
            )
    path = settings.home / FILE_NAME
    if path.exists() and not file_is_private(path):
        yield bad(f"{path} can be read by others: run `chmod 600 {path}`.")
    if not settings.is_sqlite and "file" in sources:
        yield look(
            f"secrets: they lie in {path}. With PostgreSQL set them in the environment: every"
            " replica needs the same ones."
        )


def looks_made_up(value: str) -> bool:
    """Tell whether a secret holds a word of examples, or says the same thing again and again."""
    half = len(value) // 2
    repeats = any(value == (value[:n] * len(value))[: len(value)] for n in range(1, half + 1))
    return repeats or any(word in value.lower() for word in _COPIED)


def look_at_rotation(connection: Connection, keys: Keys) -> Iterator[Finding]:
    """Say what depends on the secrets, and what a changed one has left behind."""
    from z4j_brain.auth import rotation

    left, seals = rotation.leftovers(connection, keys), rotation.seals(connection, keys)
    yield _stakes(connection, seals)
    if left.tokens:
        names = _names([f"{one.owner} ({one.project})" for one in left.tokens])
        yield bad(
            f"agents: {len(left.tokens)} token(s) were made under another {MASTER} and open"
            f" nothing: {names}. Give each a new one: `z4j token mint --project P --agent A`."
        )
    if left.keys:
        names = _names([f"{one.name} of {one.owner}" for one in left.keys])
        yield bad(
            f"API keys: {len(left.keys)} were made under another {MASTER} and are refused: {names}."
            " Their owners make new ones on the page Keys."
        )
    yield from _apps(seals)
    yield from _chain(connection, keys)


def _stakes(connection: Connection, seals: Seals) -> Finding:
    from z4j_brain.store import rotation

    now = clock.now()
    tokens, keys = rotation.valid_tokens(connection, now), rotation.valid_keys(connection, now)
    return good(
        f"secrets: {len(tokens)} token(s) of agents, {len(keys)} API key(s) and {_sum(seals)}"
        f" authenticator app(s) depend on {MASTER};"
        f" {rotation.open_sessions(connection, now)} session(s) and"
        f" {rotation.open_invitations(connection, now)} invitation(s) on {SESSION}"
    )


def _apps(seals: Seals) -> Iterator[Finding]:
    if seals.former:
        yield look(
            f"authenticator apps: {seals.former} are sealed under a former {MASTER}. The next start"
            f" of the server seals them anew; keep {PREVIOUS} until then."
        )
    if seals.lost:
        yield bad(
            f"authenticator apps: {seals.lost} cannot be opened: give the former {MASTER} as"
            f" {PREVIOUS} and start the server, or run `z4j reset-mfa EMAIL`. Recovery codes work."
        )


def _chain(connection: Connection, keys: Keys) -> Iterator[Finding]:
    from z4j_brain.auth.rotation import unknown_keys

    unknown = unknown_keys(connection, keys)
    if unknown:
        yield bad(
            f"audit log: {_names(unknown)} has rows signed under a {MASTER} that was not given, or"
            f" that somebody has changed: set the former one as {PREVIOUS} and run"
            " `z4j audit verify`."
        )
    elif keys.former:
        yield good(
            f"audit log: all its keys are known. Keep {PREVIOUS} as long as rows under it shall be"
            " verified."
        )


def _names(names: list[str]) -> str:
    shown = sorted(set(names))
    more = len(shown) - _MOST_NAMED
    return ", ".join(shown[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _sum(seals: Seals) -> int:
    return seals.present + seals.former + seals.lost
