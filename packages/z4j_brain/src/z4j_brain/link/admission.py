"""Who may open a link: sub-protocol, then bearer, both before the upgrade."""

from __future__ import annotations

from functools import partial
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket

from z4j_brain.auth.rate_limits import AGENT_TOKENS, RateLimits
from z4j_brain.auth.waits import WaitError
from z4j_brain.clock import now
from z4j_brain.link.codes import LIMITED, close_code
from z4j_brain.store.database import Database
from z4j_core.codec import CODECS, Codec
from z4j_core.credential import CredentialError, parse_bearer, signing_key
from z4j_core.link.errors import ADVICE, REVOKED

_SCHEME = "bearer "
_MAX_HEADER = 512
_TOO_MANY = (
    "Too many wrong tokens came from this address: set Z4J_TOKEN of its agents to tokens that work."
)


class TokenKeys(Protocol):
    """What admission needs of the server's keys."""

    def token_hash(self, secret: bytes) -> bytes:
        """Return what is stored of a bearer secret."""

    def project_secret(self, project_id: UUID) -> bytes:
        """Derive the secret of a project."""


class Admitted(msgspec.Struct, frozen=True):
    """An accepted token. Its `repr` shows no key."""

    token_id: UUID
    agent_id: UUID
    project_id: UUID
    project: str
    signing_key: bytes

    def __repr__(self) -> str:
        return f"Admitted(agent_id={self.agent_id}, token_id={self.token_id})"


class Refused(Exception):
    """The link is not opened: an HTTP status, a stable word and what to do."""

    def __init__(
        self, status: int, code: str, detail: str, retry_after_s: int | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


def choose_codec(websocket: WebSocket) -> Codec:
    """Return the first of the client's sub-protocols that we speak; raise `Refused`."""
    for name in websocket.scope.get("subprotocols", ()):
        if name in CODECS:
            return CODECS[name]
    spoken = ", ".join(CODECS)
    raise Refused(
        426, "version", f"Offer one of the sub-protocols {spoken}: upgrade agent or server."
    )


async def admit(
    websocket: WebSocket, database: Database, keys: TokenKeys, limits: RateLimits
) -> Admitted:
    """Return the project and agent that the bearer value stands for; raise `Refused`.

    Only wrong tokens are counted, so a thousand agents behind one address may come at once.
    """
    header = websocket.headers.get("authorization", "")
    if len(header) > _MAX_HEADER or not header.lower().startswith(_SCHEME):
        raise Refused(
            401, "unauthenticated", "Send the header Authorization: Bearer, from Z4J_TOKEN."
        )
    try:
        agent_id, secret = parse_bearer(header[len(_SCHEME) :])
    except CredentialError:
        raise _unknown() from None
    secret_hash = keys.token_hash(secret)
    address = websocket.client.host if websocket.client else None
    is_known = partial(limits.agent_tokens.has, secret_hash)
    try:
        async with limits.counting(AGENT_TOKENS, address, Refused, unless=is_known):
            token_id, project_id, project = await database.run(_find, agent_id, secret_hash)
    except WaitError as wait:
        raise Refused(429, LIMITED, _TOO_MANY, wait.seconds) from None
    key = signing_key(keys.project_secret(project_id), agent_id, token_id)
    return Admitted(token_id, agent_id, project_id, project, key)


async def deny(websocket: WebSocket, refused: Refused) -> None:
    """Answer instead of upgrading; a server without that extension closes after the upgrade."""
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(_denial(refused))
        return
    await websocket.accept()
    status_code = 4401 if refused.status == 401 else close_code(refused.code)
    await websocket.close(status_code, refused.code)


def _find(connection: Connection, agent_id: UUID, secret_hash: bytes) -> tuple[UUID, UUID, str]:
    from z4j_brain.store.agent_tokens import find_token

    token = find_token(connection, agent_id, secret_hash)
    if token is None:
        raise _unknown()
    if token.is_over(now()):
        raise Refused(401, REVOKED, ADVICE[REVOKED])
    return token.token_id, token.project_id, token.project_slug


def _denial(refused: Refused) -> Response:
    headers = {"cache-control": "no-store"}
    if refused.status == 401:
        headers["www-authenticate"] = "Bearer"
    if refused.retry_after_s is not None:
        headers["retry-after"] = str(refused.retry_after_s)
    body = {
        "type": f"/problems/{refused.code.replace('_', '-')}",
        "title": "The link is refused",
        "status": refused.status,
        "code": refused.code,
        "detail": refused.detail,
    }
    return JSONResponse(
        body, refused.status, headers=headers, media_type="application/problem+json"
    )


def _unknown() -> Refused:
    return Refused(
        401,
        "unauthenticated",
        "The token is not known here. Mint a new one for this agent and set Z4J_TOKEN to it.",
    )
