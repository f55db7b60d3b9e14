"""What a handler knows about the request it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from z4j_brain.api import problems
from z4j_brain.audit.author import Author, person
from z4j_brain.auth.policy import Role, permissions_of
from z4j_brain.logging import request_id

if TYPE_CHECKING:
    from z4j_brain.brain import Brain
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
class ProjectCall(UserCall):
    """A request to a route of a project: the caller has the route's permission in it."""

    project: ProjectAccess

    @property
    def permissions(self) -> frozenset[str]:
        """Everything the caller may do in this project."""
        return permissions_of(Role(self.project.role))

    def require(self, permission: str) -> None:
        """Raise the 403 when the caller lacks a permission beyond the route's own."""
        if permission not in self.permissions:
            raise problems.permission_missing(permission)
