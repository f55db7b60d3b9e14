"""API keys of people and machines: making them, and telling what a request may do with one.

A key reaches never further than its owner does at the time of its use: its scopes are permissions,
and count only as far as the owner's role has them.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from z4j_brain import clock
from z4j_brain.audit.author import Target
from z4j_brain.audit.recording import moment, record
from z4j_brain.auth import key_text
from z4j_brain.auth.key_text import KeyText
from z4j_brain.auth.policy import EVERY_PERMISSION, INSTANCE, Role, permissions_of
from z4j_brain.auth.rate_limits import API_KEYS
from z4j_brain.store import api_keys, projects
from z4j_brain.store.api_keys import TOUCH_EVERY_US, ApiKey
from z4j_brain.store.types import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from z4j_brain.audit.author import Author
    from z4j_brain.brain import Brain
    from z4j_brain.keys import Keys
    from z4j_brain.store.projects import ProjectAccess
    from z4j_brain.store.users import User

MOST_KEYS = 100
DAY_US = 86_400_000_000


class KeyRefusedError(Exception):
    """The key does not let in; the message says why, to somebody who holds its secret."""


class KeyAddressError(Exception):
    """The key is good, but not from this address."""


class NoSuchProjectError(Exception):
    """The owner may not enter that project."""


class ScopeError(Exception):
    """The owner has not all of these permissions, or they do not exist; the message names them."""


class NetworkError(Exception):
    """A text is neither an address nor a network; the message names it."""


class TooManyKeysError(Exception):
    """Somebody has `MOST_KEYS` keys that are not revoked."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A key to be made. Without a project it works in all of its owner's."""

    name: str
    project: str | None
    scopes: Sequence[str]
    networks: Sequence[str]
    days: int | None


async def find_access(
    brain: Brain, text: str, address: str | None, project: str | None
) -> tuple[ApiKey, ProjectAccess | None]:
    """Return the key, and the project of that slug if it may enter it; note that it is in use.

    Raises `KeyRefusedError`, `KeyAddressError`, and `WaitError` of `auth.waits`.
    """
    parsed = key_text.parse(text)
    if parsed is None:
        raise KeyRefusedError("The API key is cut or has a typing error: copy the whole key again.")
    now, limits = clock.now(), brain.limits
    limits.check_request(parsed.key_id)
    is_known = partial(limits.api_keys.has, brain.keys.api_key_hash(parsed.secret))
    async with limits.counting(API_KEYS, address, KeyRefusedError, unless=is_known):
        key, access = await brain.database.run(_look_up, brain.keys, parsed, project, now)
    if not is_allowed_from(key.networks, address):
        raise KeyAddressError
    await limits.request(key.id)
    if key.last_used_at is None or key.last_used_at <= now - TOUCH_EVERY_US:
        await brain.database.run(api_keys.touch, key.id, now, address, write=True)
    return key, access


def is_allowed_from(networks: Sequence[str], address: str | None) -> bool:
    """Tell whether an address is in one of the networks; none of them is "from anywhere"."""
    if not networks:
        return True
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in ipaddress.ip_network(network) for network in networks)


def make(connection: Connection, by: Author, owner: User, wanted: Wanted, now: int) -> KeyText:
    """Store a key and return its text, which is shown once.

    Raises `NoSuchProjectError`, `ScopeError`, `NetworkError`, `TooManyKeysError`.
    """
    access = None
    if wanted.project is not None:
        access = projects.find_access(connection, owner.id, wanted.project)
        if access is None:
            raise NoSuchProjectError
    _check_scopes(owner, access, wanted.scopes)
    networks = [_network(text) for text in wanted.networks]
    if api_keys.count_of_user(connection, owner.id) >= MOST_KEYS:
        raise TooManyKeysError
    made = KeyText(new_id(), secrets.token_bytes(key_text.SECRET_BYTES))
    api_keys.create(
        connection,
        key_id=made.key_id,
        user_id=owner.id,
        project_id=access.id if access else None,
        name=wanted.name.strip(),
        secret_hash=by.keys.api_key_hash(made.secret),
        scopes=sorted(set(wanted.scopes)),
        networks=sorted(set(networks)),
        now=now,
        expires_at=None if wanted.days is None else now + wanted.days * DAY_US,
    )
    key = api_keys.find(connection, made.key_id)
    if key is not None:
        _tell(connection, by, "key.made", key, now, after=_told(key))
    return made


def _look_up(
    connection: Connection, keys: Keys, parsed: KeyText, project: str | None, now: int
) -> tuple[ApiKey, ProjectAccess | None]:
    key = api_keys.find(connection, parsed.key_id)
    given = keys.api_key_hash(parsed.secret)
    if key is None or not hmac.compare_digest(key.secret_hash, given):
        raise KeyRefusedError("The API key is not known here. Make a new one.")
    if key.revoked_at is not None or key.is_owner_disabled:
        raise KeyRefusedError("The API key was revoked. Make a new one.")
    if key.expires_at is not None and key.expires_at <= now:
        raise KeyRefusedError("The API key has expired. Make a new one.")
    if project is None:
        return key, None
    access = projects.find_access(connection, key.owner.id, project)
    if access is not None and key.project_id not in (None, access.id):
        access = None
    return key, access


def _check_scopes(owner: User, access: ProjectAccess | None, scopes: Sequence[str]) -> None:
    had: frozenset[str] = EVERY_PERMISSION
    if access is not None:
        had = permissions_of(Role(access.role))
    elif not owner.is_admin:
        had = EVERY_PERMISSION - INSTANCE
    if lacking := sorted(set(scopes) - had):
        raise ScopeError(", ".join(name[:50] for name in lacking[:5]))


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip()))
    except ValueError:
        raise NetworkError(text[:50]) from None


def revoke_own(connection: Connection, by: Author, user_id: uuid.UUID, key_id: uuid.UUID) -> bool:
    """Revoke one's own key; tell whether there was one."""
    key = api_keys.find(connection, key_id)
    return key is not None and key.owner.id == user_id and _revoke(connection, by, key)


def revoke_of_project(
    connection: Connection, by: Author, project_id: uuid.UUID, key_id: uuid.UUID
) -> bool:
    """Revoke a key that is bound to a project; tell whether there was one."""
    key = api_keys.find(connection, key_id)
    return key is not None and key.project_id == project_id and _revoke(connection, by, key)


def _revoke(connection: Connection, by: Author, key: ApiKey) -> bool:
    now = clock.now()
    if not api_keys.revoke(connection, key.id, now):
        return False
    _tell(connection, by, "key.revoked", key, now, before=_told(key))
    return True


def _tell(
    connection: Connection,
    by: Author,
    action: str,
    key: ApiKey,
    now: int,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Record in the chain of the key's project, or of the instance when it is bound to none."""
    target, chain = Target("key", str(key.id), key.name), key.project_id
    record(connection, by, action, target, project_id=chain, before=before, after=after, now=now)


def _told(key: ApiKey) -> dict[str, Any]:
    return {
        "made_by": key.owner.email,
        "expires_at": moment(key.expires_at),
        "networks": list(key.networks),
        "scopes": sorted(key.scopes),
    }
