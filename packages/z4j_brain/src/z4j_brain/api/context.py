"""What a handler knows about the request it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from z4j_brain.api import problems
from z4j_brain.api.problems import Problem
from z4j_brain.audit.author import Author, by_key, person
from z4j_brain.auth.policy import INSTANCE, Role, permissions_of
from z4j_brain.logging import request_id

if TYPE_CHECKING:
    from z4j_brain.brain import Brain
    from z4j_brain.store.api_keys import ApiKey
    from z4j_brain.store.projects import ProjectAccess
    from z4j_brain.store.sessions import Session
    from z4j_brain.store.users import User


@dataclass(frozen=True)
class Call:
    """A request to a `PUBLIC` route. Somebody may be signed in."""

    brain: Brain
    request: Request
    session: Session | None
    finishers: list[Callable[[Response], None]] = field(default_factory=list)
    """Each is called with the response before it is sent: for cookies and headers."""
    request_id: str | None = field(default_factory=request_id.get)

    @property
    def address(self) -> str | None:
        """The caller's address, as the server or a trusted proxy sees it."""
        return self.request.client.host if self.request.client else None

    @property
    def is_https(self) -> bool:
        """Whether the browser talks TLS, to us or to a trusted proxy."""
        return self.request.url.scheme == "https"


@dataclass(frozen=True)
class UserCall(Call):
    """A request to a `SIGNED_IN` route."""

    session: Session

    @property
    def user(self) -> User:
        """Who is signed in."""
        return self.session.user

    @property
    def author(self) -> Author:
        """Who does what this request asks for, for the audit log."""
        return Author(self.brain.keys, person(self.user), self.address, self.request_id)


@dataclass(frozen=True, kw_only=True)
class PermittedCall(Call):
    """A request to a route with a permission, which the caller has.

    With an API key there is no session; `user` is the key's owner.
    """

    user: User
    key: ApiKey | None = None

    @property
    def author(self) -> Author:
        """Who does what this request asks for, for the audit log."""
        keys, owner = self.brain.keys, person(self.user)
        if self.key is None:
            return Author(keys, owner, self.address, self.request_id)
        return Author(keys, by_key(self.key), self.address, self.request_id, owner)

    @property
    def permissions(self) -> frozenset[str]:
        """Everything the caller may do here."""
        granted = self._granted()
        return granted if self.key is None else granted & self.key.scopes

    def require(self, permission: str) -> None:
        """Raise the 403 when the caller lacks a permission."""
        if permission not in self._granted():
            raise self._lacking(permission)
        if self.key is not None and permission not in self.key.scopes:
            raise problems.key_scope_missing(permission)

    def _granted(self) -> frozenset[str]:
        raise NotImplementedError

    def _lacking(self, permission: str) -> Problem:
        return problems.permission_missing(permission)


@dataclass(frozen=True, kw_only=True)
class ProjectCall(PermittedCall):
    """A request to a route of a project: the caller has the route's permission in it."""

    project: ProjectAccess

    def _granted(self) -> frozenset[str]:
        return permissions_of(Role(self.project.role))


@dataclass(frozen=True, kw_only=True)
class InstanceCall(PermittedCall):
    """A request to a route of the whole instance."""

    def _granted(self) -> frozenset[str]:
        return INSTANCE if self.user.is_admin else frozenset()

    def _lacking(self, permission: str) -> Problem:
        return problems.administrators_only()
