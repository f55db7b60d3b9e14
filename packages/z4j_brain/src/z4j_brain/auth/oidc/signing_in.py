"""The way to the identity provider and back, for signing in and for linking."""

from __future__ import annotations

import logging
import re
import uuid
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy.exc import IntegrityError

from z4j_brain import clock
from z4j_brain.audit.author import SERVER, from_request, user_target
from z4j_brain.audit.recording import record
from z4j_brain.auth import account
from z4j_brain.auth.invitations import InvitationError
from z4j_brain.auth.oidc import accounts, claims, round_trip
from z4j_brain.auth.oidc.accounts import OidcRefusedError, Refusal
from z4j_brain.auth.oidc.fetching import ProviderError
from z4j_brain.auth.rate_limits import DEPARTURES, ONE_TIME_TOKENS
from z4j_brain.auth.waits import WaitError
from z4j_brain.store import oidc_identities, users

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.audit.author import Author
    from z4j_brain.auth.oidc.claims import ToldPerson
    from z4j_brain.auth.oidc.provider import Attempt, Provider
    from z4j_brain.auth.oidc.round_trip import Way
    from z4j_brain.auth.sign_in import SecondStep, SignedIn, Visitor
    from z4j_brain.brain import Brain
    from z4j_brain.store.oidc_identities import Identity
    from z4j_brain.store.sessions import Session

logger = logging.getLogger("z4j.auth")
LONGEST_CODE = 4_096
_ERROR = re.compile(r"[a-z_]{1,60}")


class Departure(msgspec.Struct, frozen=True):
    """Where the browser goes, and the cookie that it takes along."""

    url: str
    cookie: str

    def __repr__(self) -> str:
        return "Departure()"


class Arrival(msgspec.Struct, frozen=True):
    """What the browser brings back from the provider, and to which address."""

    state: str
    cookie: str
    redirect_uri: str
    code: str
    error: str
    iss: str | None

    def __repr__(self) -> str:
        return "Arrival()"


class _LateError(OidcRefusedError):
    """The way back is unknown, used, of another browser, or too old: counted as a wrong token."""

    def __init__(self) -> None:
        super().__init__(Refusal.LATE)


async def begin(
    brain: Brain, provider: Provider, redirect_uri: str, address: str | None
) -> Departure:
    """Begin to sign in; raises `ProviderError`, and `WaitError` after many of one address."""
    await brain.limits.take(DEPARTURES, address)
    return await _begin(brain, provider, redirect_uri, None)


async def _begin(
    brain: Brain, provider: Provider, redirect_uri: str, user_id: uuid.UUID | None
) -> Departure:
    def work(connection: Connection) -> round_trip.Begun:
        return round_trip.begin(connection, brain.keys, redirect_uri, clock.now(), user_id)

    begun = await brain.database.run(work, write=True)
    url = await provider.authorization_url(begun.attempt, round_trip.challenge(begun.attempt))
    return Departure(url, begun.cookie)


async def begin_link(
    brain: Brain,
    author: Author,
    provider: Provider,
    redirect_uri: str,
    session: Session,
    password: str,
) -> Departure:
    """Begin to link; raises `ProviderError` and what `confirm_password` raises.

    Where nobody has a password to sign in with, none is asked for; then the provider must have
    verified the account's own e-mail address.
    """
    if not provider.config.is_only_way:
        await account.confirm_password(brain, author, session, password)
    return await _begin(brain, provider, redirect_uri, session.user.id)


async def finish(
    brain: Brain,
    provider: Provider,
    arrival: Arrival,
    visitor: Visitor,
    session: Session | None,
) -> SignedIn | SecondStep | None:
    """Sign in, or link (None); raises `OidcRefusedError`."""
    try:
        return await _finish(brain, provider, arrival, visitor, session)
    except ProviderError as error:
        logger.warning("sign-in by the identity provider failed: %s", error)
        raise OidcRefusedError(Refusal.PROVIDER) from None
    except WaitError:
        raise OidcRefusedError(Refusal.WAIT) from None
    except OidcRefusedError as refused:
        logger.info("sign-in by the identity provider was refused: %s", refused.reason.value)
        raise


async def _finish(
    brain: Brain,
    provider: Provider,
    arrival: Arrival,
    visitor: Visitor,
    session: Session | None,
) -> SignedIn | SecondStep | None:
    async with brain.limits.counting(ONE_TIME_TOKENS, visitor.address, _LateError):
        way = await _end(brain, arrival)
    await provider.check_sender(arrival.iss)
    if arrival.error or not 0 < len(arrival.code) <= LONGEST_CODE:
        shown = arrival.error if _ERROR.fullmatch(arrival.error) else "no code"
        logger.warning("the identity provider answers: %s", shown)
        raise OidcRefusedError(Refusal.REFUSED)
    if way.user_id is not None and (session is None or session.user.id != way.user_id):
        raise OidcRefusedError(Refusal.SIGNED_OUT)
    told = await _ask(provider, arrival.code, way.attempt)
    stranger = from_request(brain.keys, SERVER, visitor.address)
    config = provider.config

    def work(connection: Connection) -> SignedIn | SecondStep | None:
        if way.user_id is None:
            return accounts.enter(connection, brain, told, config.roles, visitor, stranger)
        must = config.is_only_way
        accounts.link(connection, told, way.user_id, stranger, must_share_email=must)
        return None

    try:
        return await brain.database.run(work, write=True)
    except InvitationError:  # it was used, or withdrawn, at the same moment
        raise OidcRefusedError(Refusal.NOT_INVITED) from None
    except IntegrityError:  # somebody else took the address or the identity at the same moment
        raise OidcRefusedError(Refusal.TAKEN) from None


async def _end(brain: Brain, arrival: Arrival) -> Way:
    def work(connection: Connection) -> Way | None:
        return round_trip.end(
            connection,
            brain.keys,
            arrival.state,
            arrival.cookie,
            arrival.redirect_uri,
            clock.now(),
        )

    way = await brain.database.run(work, write=True)
    if way is None:
        raise _LateError
    return way


async def _ask(provider: Provider, code: str, attempt: Attempt) -> ToldPerson:
    """Redeem the code and read who it is; the ID token's word counts more than the user info's."""
    claim = provider.config.groups_claim
    tokens = await provider.redeem(code, attempt)
    said = await provider.claims(tokens, attempt.nonce)
    if not claims.is_whole(said, claim):
        said = {**await provider.user_info(tokens, said["sub"]), **said}
    return claims.read_person(said, claim)


async def unlink(brain: Brain, author: Author, session: Session, password: str) -> bool:
    """Take every identity from the account; False without one. Raises as `confirm_password`."""
    await account.confirm_password(brain, author, session, password)

    def work(connection: Connection) -> bool:
        users.lock_account(connection, session.user.id)
        former = oidc_identities.of_user(connection, session.user.id)
        if not oidc_identities.remove_of_user(connection, session.user.id):
            return False
        before = {"issuers": [each.issuer for each in former]}
        record(connection, author, "identity.unlinked", user_target(session.user), before=before)
        return True

    return await brain.database.run(work, write=True)


async def identity_of(brain: Brain, provider: Provider, user_id: uuid.UUID) -> Identity | None:
    """Return the identity of this provider that an account is linked to."""
    found = await brain.database.run(oidc_identities.of_user, user_id)
    return next((each for each in found if each.issuer == provider.config.issuer), None)
