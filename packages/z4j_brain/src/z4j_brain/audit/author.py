"""Who does something, from where, and to what."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Literal

import msgspec

from z4j_brain.logging import request_id

if TYPE_CHECKING:
    from z4j_brain.keys import Keys
    from z4j_brain.store.api_keys import ApiKey
    from z4j_brain.store.users import User

Kind = Literal["person", "key", "agent", "system"]


class Actor(msgspec.Struct, frozen=True):
    """Who acts: a person, an API key, an agent, or the server itself and its command line."""

    kind: Kind
    id: uuid.UUID | None
    name: str


SERVER = Actor("system", None, "z4j")


class Author(msgspec.Struct, frozen=True):
    """An actor with the keys that sign what it did; its `repr` shows none of them."""

    keys: Keys
    actor: Actor
    address: str | None = None
    request: str | None = None
    owner: Actor | None = None
    """Whose API key it is, when the actor is one."""

    def __repr__(self) -> str:
        return f"Author({self.actor})"


class Target(msgspec.Struct, frozen=True):
    """What is acted upon: a kind such as `agent`, an id, and the name that people know."""

    kind: str
    id: str | None
    name: str


def person(user: User) -> Actor:
    """Return somebody with an account as an actor, by the e-mail address."""
    return Actor("person", user.id, user.email)


def by_key(key: ApiKey) -> Actor:
    """Return an API key as an actor, by its name."""
    return Actor("key", key.id, key.name)


def from_request(keys: Keys, actor: Actor, address: str | None) -> Author:
    """Return the author of the request that is being served; call it on the event loop."""
    return Author(keys, actor, address, request_id.get())


def from_server(keys: Keys) -> Author:
    """Return the server itself."""
    return Author(keys, SERVER)


def user_target(user: User) -> Target:
    """Return somebody's account as a target."""
    return Target("user", str(user.id), user.email)
