"""One's own account: its password and its sessions."""

from __future__ import annotations

import uuid

import msgspec
from starlette.responses import Response

from z4j_brain.api import problems
from z4j_brain.api.context import UserCall
from z4j_brain.api.refusals import refusals
from z4j_brain.api.route import SIGNED_IN, route
from z4j_brain.api.session import SessionView, enter, visitor_of
from z4j_brain.api.text import NewPassword, Password
from z4j_brain.api.times import Timestamp, now, rfc3339
from z4j_brain.auth import account, browser
from z4j_brain.store import sessions
from z4j_brain.store.sessions import Entry


class PasswordForm(msgspec.Struct, frozen=True):
    """The password that is, and the one that shall be."""

    current_password: Password
    new_password: NewPassword


class OwnSessionView(msgspec.Struct, frozen=True):
    """A browser in which the caller is signed in."""

    id: uuid.UUID
    is_current: bool
    created_at: Timestamp
    seen_at: Timestamp
    expires_at: Timestamp
    address: str | None
    user_agent: str | None


class OwnSessionList(msgspec.Struct, frozen=True):
    """All of them, the last used first; there are at most 100."""

    items: list[OwnSessionView]


class Ended(msgspec.Struct, frozen=True):
    """How many sessions were ended."""

    ended: int


@route("POST", "/account/password", permission=SIGNED_IN, max_body=8192)
async def change_own_password(call: UserCall, body: PasswordForm) -> SessionView:
    """Change one's password; signs out everywhere, and in again here."""
    with refusals(given="/current_password", chosen="/new_password"):
        signed_in = await account.change_password(
            call.brain,
            call.author,
            call.session,
            body.current_password,
            body.new_password,
            visitor_of(call),
        )
    return await enter(call, signed_in)


@route("GET", "/account/sessions", permission=SIGNED_IN)
async def list_own_sessions(call: UserCall) -> OwnSessionList:
    """List where one is signed in."""
    idle_us = call.brain.settings.session_idle_hours * browser.HOUR_US
    found = await call.brain.database.run(sessions.of_user, call.user.id, now(), idle_us)
    return OwnSessionList([_view(entry, call.session.id, idle_us) for entry in found])


@route("DELETE", "/account/sessions/{session_id}", permission=SIGNED_IN)
async def end_own_session(call: UserCall, session_id: uuid.UUID) -> None:
    """End one of one's sessions; its requests are refused and its live feeds closed at once."""
    if not await account.end_session(call.brain, call.author, call.session, session_id):
        raise problems.not_found("session")
    if session_id == call.session.id:
        call.finishers.append(lambda response: _forget(call, response))


@route("DELETE", "/account/sessions", permission=SIGNED_IN)
async def end_other_own_sessions(call: UserCall) -> Ended:
    """End all of one's sessions but this one."""
    return Ended(await account.end_other_sessions(call.brain, call.author, call.session))


def _forget(call: UserCall, response: Response) -> None:
    browser.clear_cookie(response, call.brain.settings, is_https=call.is_https)


def _view(entry: Entry, current: uuid.UUID, idle_us: int) -> OwnSessionView:
    return OwnSessionView(
        entry.id,
        entry.id == current,
        rfc3339(entry.created_at),
        rfc3339(entry.seen_at),
        rfc3339(min(entry.expires_at, entry.seen_at + idle_us)),
        entry.address,
        entry.user_agent,
    )
