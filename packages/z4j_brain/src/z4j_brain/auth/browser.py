"""What a browser's request proves: its session cookie, its origin, its CSRF token.

The origin is compared with the scheme and host of the request; `web/proxies.py` has put there what
a trusted proxy says, and nothing else can.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from z4j_brain import clock
from z4j_brain.auth import second_factor_duty
from z4j_brain.auth.known_browser import VALID_DAYS
from z4j_brain.store import projects, sessions

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.auth.sign_in import SignedIn
    from z4j_brain.brain import Brain
    from z4j_brain.settings import Settings
    from z4j_brain.store.projects import ProjectAccess
    from z4j_brain.store.sessions import Session

COOKIE = "z4j_session"
KNOWN_COOKIE = "z4j_known"
OIDC_COOKIE = "z4j_oidc"
OIDC_PATH = "/sign-in/oidc"
CSRF_HEADER = "x-csrf-token"
HOUR_US = 3_600_000_000
_TOUCH_EVERY_US = 60_000_000
_LONGEST_TOKEN = 128
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SECURE = {"https", "wss"}


def session_token(connection: HTTPConnection) -> str | None:
    """Return the cookie's token, if there is one of a sensible length."""
    token = connection.cookies.get(COOKIE, "")
    return token if 0 < len(token) <= _LONGEST_TOKEN else None


async def find_session(brain: Brain, connection: HTTPConnection) -> Session | None:
    """Return the session of a request or a WebSocket, and note that it is in use."""
    session, _ = await find_access(brain, connection, None)
    return session


async def find_access(
    brain: Brain, connection: HTTPConnection, project: str | None
) -> tuple[Session | None, ProjectAccess | None]:
    """Return the session, and the project of that slug if its person may enter it."""
    token = session_token(connection)
    if token is None:
        return None, None
    now = clock.now()
    found = await brain.database.run(
        _look_up, brain.settings, brain.keys.session_hash(token), project, now
    )
    session = found[0]
    if session is not None and session.seen_at < now - _TOUCH_EVERY_US:
        await brain.database.run(sessions.touch, session.id, now, write=True)
    return found


def _look_up(
    connection: Connection, settings: Settings, token_hash: bytes, project: str | None, now: int
) -> tuple[Session | None, ProjectAccess | None]:
    session = sessions.find(connection, token_hash, now, settings.session_idle_hours * HOUR_US)
    if session is None:
        return None, None
    if second_factor_duty.is_owed(connection, settings, session.user):
        session = msgspec.structs.replace(session, owes_second_factor=True)
    if project is None:
        return session, None
    return session, projects.find_access(connection, session.user.id, project)


def is_same_origin(connection: HTTPConnection) -> bool:
    """Tell whether the `Origin` header is there and names this server."""
    origin = connection.headers.get("origin", "")
    scheme = "https" if connection.url.scheme in _SECURE else "http"
    host = connection.headers.get("host", "")
    try:
        return bool(host) and _origin(origin) == _origin(f"{scheme}://{host}")
    except ValueError:
        return False


def _origin(text: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(text)
    if parts.scheme not in _DEFAULT_PORTS or parts.path or parts.query or parts.username:
        raise ValueError(text)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS[parts.scheme]


def has_csrf_token(brain: Brain, connection: HTTPConnection) -> bool:
    """Tell whether the header holds the token of the cookie's session."""
    token = session_token(connection)
    given = connection.headers.get(CSRF_HEADER, "")
    if token is None:
        return False
    return hmac.compare_digest(brain.keys.csrf_token(token).encode(), given.encode())


def known_token(connection: HTTPConnection) -> str | None:
    """Return the cookie that says that the browser has signed in before, if it is there."""
    return connection.cookies.get(KNOWN_COOKIE)


def set_cookies(
    response: Response, settings: Settings, signed_in: SignedIn, *, is_https: bool
) -> None:
    """Give the browser its session token, and the proof that it has signed in."""
    path = settings.root_path or "/"
    for name, value, seconds in (
        (COOKIE, signed_in.token, settings.session_max_hours * 3_600),
        (KNOWN_COOKIE, signed_in.known, VALID_DAYS * 86_400),
    ):
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=path,
            secure=is_https,
            httponly=True,
            samesite="lax",
        )


def clear_cookie(response: Response, settings: Settings, *, is_https: bool) -> None:
    """Take the session token from the browser, which stays known."""
    response.delete_cookie(
        COOKIE,
        path=settings.root_path or "/",
        secure=is_https,
        httponly=True,
        samesite="lax",
    )


def oidc_return(connection: HTTPConnection, settings: Settings) -> str:
    """Return the address to which the identity provider sends this browser back.

    It is made of `Z4J_PUBLIC_URL`, or else of the host that the browser asks; the provider knows
    which ones are ours.
    """
    path = f"{settings.root_path}{OIDC_PATH}/callback"
    if settings.public_url:
        return settings.public_url + path
    return str(connection.url.replace(path=path, query="", fragment=""))


def oidc_cookie(connection: HTTPConnection) -> str:
    """Return what binds a sign-in under way to this browser; empty when it is not there."""
    return connection.cookies.get(OIDC_COOKIE, "")


def set_oidc_cookie(response: Response, settings: Settings, value: str, *, is_https: bool) -> None:
    """Give the browser what it shows on its way back: Lax, for it comes from another site."""
    response.set_cookie(
        OIDC_COOKIE,
        value,
        max_age=600,
        path=settings.root_path + OIDC_PATH,
        secure=is_https,
        httponly=True,
        samesite="lax",
    )


def clear_oidc_cookie(response: Response, settings: Settings, *, is_https: bool) -> None:
    """Take it away, whatever came of it."""
    response.delete_cookie(
        OIDC_COOKIE,
        path=settings.root_path + OIDC_PATH,
        secure=is_https,
        httponly=True,
        samesite="lax",
    )
