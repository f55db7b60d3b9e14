"""What a provider says of a person, in the forms that this server takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from z4j_brain.auth.oidc.fetching import ProviderError
from z4j_brain.store.users import normal_email

MOST_GROUPS = 5_000
_LONGEST_GROUP = 500
_LONGEST_NAME = 100
_EMAIL = re.compile(r"[!-?A-~]+@[!-?A-~]+")


class ToldPerson(msgspec.Struct, frozen=True):
    """Somebody of a provider. `email` is there only when the provider has verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str
    groups: frozenset[str]


def is_whole(claims: Mapping[str, Any], groups_claim: str) -> bool:
    """Tell whether the ID token says all that can be asked for, so that nothing else has to."""
    return {"email", "email_verified", "name", groups_claim} <= claims.keys()


def read_person(claims: Mapping[str, Any], groups_claim: str) -> ToldPerson:
    """Read checked claims; raises `ProviderError` for groups that are no list of texts."""
    email = _email(claims)
    return ToldPerson(
        issuer=claims["iss"],
        subject=claims["sub"],
        email=email,
        name=_name(claims, email),
        groups=_groups(claims.get(groups_claim), groups_claim),
    )


def _email(claims: Mapping[str, Any]) -> str | None:
    """Return a verified address. Only ASCII: other letters may look, or fold, like each other."""
    email, verified = claims.get("email"), claims.get("email_verified")
    if verified is not True and verified != "true":  # some providers write it as text
        return None
    if not isinstance(email, str) or len(email) > 254 or not _EMAIL.fullmatch(email):
        return None
    return normal_email(email)


def _name(claims: Mapping[str, Any], email: str | None) -> str:
    for told in (claims.get("name"), claims.get("preferred_username"), email, claims["sub"]):
        if isinstance(told, str):
            text = " ".join("".join(c if c.isprintable() else " " for c in told).split())
            if text:
                return text[:_LONGEST_NAME].rstrip()
    return "unnamed"


def _groups(told: Any, claim: str) -> frozenset[str]:
    if told is None:
        return frozenset()
    groups = [told] if isinstance(told, str) else told
    if not isinstance(groups, list) or not all(isinstance(each, str) for each in groups):
        raise ProviderError(f"the claim {claim!r} is no list of groups; see Z4J_OIDC_GROUPS_CLAIM")
    if len(groups) > MOST_GROUPS or any(len(each) > _LONGEST_GROUP for each in groups):
        raise ProviderError(f"the claim {claim!r} holds too many or too long groups")
    return frozenset(groups)
