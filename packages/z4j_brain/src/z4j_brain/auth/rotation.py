"""What a change of `Z4J_SECRET` leaves behind, and what is put right by itself.

When did it change? Each chain of the audit log tells: its rows name the key that signed them. What
was made no later than the last row under another key, and was not used since, was made under
another secret and works no more.
"""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import Connection

from z4j_brain import clock
from z4j_brain.audit.author import Target, from_server
from z4j_brain.audit.encoding import key_id
from z4j_brain.audit.recording import record
from z4j_brain.auth import totp_secrets
from z4j_brain.keys import Keys
from z4j_brain.store import audit, rotation, second_factors
from z4j_brain.store.audit import INSTANCE
from z4j_brain.store.rotation import Dependent

CHANGED = "secret.changed"


class Seals(msgspec.Struct, frozen=True):
    """How many secrets of authenticator apps are sealed under the present key, a former one that
    is known, and one that is not.
    """

    present: int = 0
    former: int = 0
    lost: int = 0


class Leftovers(msgspec.Struct, frozen=True):
    """What was made under another `Z4J_SECRET` and therefore works no more."""

    tokens: list[Dependent]
    keys: list[Dependent]


def settle(connection: Connection, keys: Keys) -> int:
    """Seal anew what a former key had sealed, and tell of a changed secret in the audit log.

    Returns how many secrets of apps were sealed anew. Does nothing when nothing has changed.
    """
    resealed = reseal(connection, keys) if keys.former else 0
    head = audit.head(connection, INSTANCE)
    is_new = head is not None and head.key_id != key_id(keys.audit_key(INSTANCE))
    if is_new or resealed:
        after = {"apps_sealed_anew": resealed, "former_given": bool(keys.former)}
        target = Target("instance", None, "Z4J_SECRET")
        record(connection, from_server(keys), CHANGED, target, after=after)
    return resealed


def reseal(connection: Connection, keys: Keys) -> int:
    """Seal the secrets of authenticator apps under the present key; count those that were not."""
    number = 0
    for user_id, stored in second_factors.sealed(connection):
        if totp_secrets.is_present(keys, user_id, stored):
            continue
        try:
            secret = totp_secrets.unseal(keys, user_id, stored)
        except totp_secrets.SecretLostError:
            continue
        fresh = totp_secrets.seal(keys, user_id, secret)
        number += second_factors.reseal(connection, user_id, stored, fresh)
    return number


def seals(connection: Connection, keys: Keys) -> Seals:
    """Count the secrets of apps by the key that opens them."""
    found = {"present": 0, "former": 0, "lost": 0}
    for user_id, stored in second_factors.sealed(connection):
        if totp_secrets.is_present(keys, user_id, stored):
            found["present"] += 1
            continue
        try:
            totp_secrets.unseal(keys, user_id, stored)
            found["former"] += 1
        except totp_secrets.SecretLostError:
            found["lost"] += 1
    return Seals(**found)


def leftovers(connection: Connection, keys: Keys) -> Leftovers:
    """Return the tokens of agents and API keys that were made under another secret."""
    until = _ends(connection, keys)
    now = clock.now()

    def is_left(one: Dependent) -> bool:
        end = until.get(one.chain)
        return end is not None and max(one.created_at, one.last_used_at or 0) <= end

    return Leftovers(
        [one for one in rotation.valid_tokens(connection, now) if is_left(one)],
        [one for one in rotation.valid_keys(connection, now) if is_left(one)],
    )


def unknown_keys(connection: Connection, keys: Keys) -> list[str]:
    """Return the names of chains with rows under a key that none of the given secrets makes."""
    found = []
    for chain, name in audit.chains(connection).items():
        own = [key_id(each.audit_key(chain)) for each in keys.ring()]
        if rotation.last_signed_otherwise(connection, chain, own) is not None:
            found.append(name)
    return found


def _ends(connection: Connection, keys: Keys) -> dict[uuid.UUID, int]:
    """Return when each chain was last signed under another key than the present one."""
    found = {}
    for chain in audit.chains(connection):
        at = rotation.last_signed_otherwise(connection, chain, [key_id(keys.audit_key(chain))])
        if at is not None:
            found[chain] = at
    return found
