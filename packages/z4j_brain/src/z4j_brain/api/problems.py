"""The one shape of an error: problem details of RFC 9457.

`type` is a stable path, `/problems/<slug>`. A `pointer` in `errors` is a JSON Pointer into the
body (`/email`), or `?name` for a parameter of the query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import msgspec
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong at one place of the input."""

    pointer: str
    detail: str


class ProblemDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of every answer of 400 and above."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []


class Problem(Exception):
    """Raise it anywhere below a route; the router turns it into the answer."""

    titles: ClassVar[dict[str, str]] = {
        "sign-in-required": "Sign in first",
        "sign-in-failed": "Sign-in failed",
        "second-step-too-late": "Sign-in took too long",
        "second-factor-required": "A second step is required",
        "passkeys-unavailable": "No passkeys here",
        "passkey-refused": "Passkey refused",
        "password-sign-in-off": "No sign-in by password here",
        "provider-unavailable": "Identity provider unavailable",
        "permission-missing": "Permission missing",
        "origin-refused": "Request from another origin",
        "csrf-token-invalid": "CSRF token missing or wrong",
        "host-refused": "Host not allowed",
        "not-found": "Not found",
        "method-not-allowed": "Method not allowed",
        "conflict": "Conflict",
        "setup-token-invalid": "Set-up link does not work",
        "invitation-invalid": "Invitation does not work",
        "key-invalid": "API key not valid",
        "key-address-refused": "API key not allowed from this address",
        "key-in-url": "API key in the address",
        "key-scope-missing": "The API key lacks a scope",
        "session-needed": "Not with an API key",
        "too-large": "Body too large",
        "unsupported-media-type": "Unsupported media type",
        "invalid-input": "Invalid input",
        "too-many-requests": "Too many requests",
        "redaction-too-slow": "Rules of redaction too slow",
        "internal-error": "Internal error",
        "database-unavailable": "Database unavailable",
        "migrations-pending": "Migrations pending",
        "ingest-stuck": "Events cannot be stored",
        "metrics-token-wrong": "Metrics token missing or wrong",
    }

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.details = ProblemDetails(
            f"/problems/{slug}", self.titles[slug], status, detail, list(errors)
        )
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the answer."""
        return Response(
            msgspec.json.encode(self.details),
            self.details.status,
            self.headers,
            MEDIA_TYPE,
        )


def sign_in_required() -> Problem:
    """401: nobody is signed in, or the session has ended."""
    return Problem(401, "sign-in-required", "You are not signed in, or your session has ended.")


def second_factor_required() -> Problem:
    """403: whoever is signed in has to set up a second step before anything else."""
    return Problem(
        403,
        "second-factor-required",
        "This server asks for a second step of sign-in. Set up an authenticator app or a passkey on"
        " your Account page first.",
    )


def permission_missing(permission: str) -> Problem:
    """403, for people who can read the project; others get `not_found`."""
    return Problem(
        403,
        "permission-missing",
        f"This needs the permission {permission}. Ask an admin of the project for it.",
    )


def key_scope_missing(permission: str) -> Problem:
    """403, for an API key whose owner has the permission."""
    return Problem(
        403,
        "key-scope-missing",
        f"This API key lacks the scope {permission}. Make one that has it.",
    )


def administrators_only() -> Problem:
    """403, for what concerns the whole instance."""
    return Problem(
        403,
        "permission-missing",
        "This is for administrators of the instance. Ask one of them.",
    )


def not_found(what: str = "page") -> Problem:
    """404, also for what the caller may not know of."""
    return Problem(404, "not-found", f"There is no such {what}.")


def conflict(detail: str) -> Problem:
    """409: the request contradicts the state of things."""
    return Problem(409, "conflict", detail)


def too_large(limit: int) -> Problem:
    """413: the body has more than `limit` bytes."""
    return Problem(413, "too-large", f"The body may have at most {limit:,} bytes.")


def unsupported_media_type() -> Problem:
    """415: the body is not JSON."""
    return Problem(
        415,
        "unsupported-media-type",
        "Send the body as JSON, not compressed, with Content-Type: application/json.",
    )


def invalid_input(pointer: str, detail: str, *more: FieldError) -> Problem:
    """422: one or more places of the input are wrong."""
    return Problem(422, "invalid-input", detail, errors=[FieldError(pointer, detail), *more])


def too_many_requests(retry_after_s: int) -> Problem:
    """429: try again after that many seconds."""
    return Problem(
        429,
        "too-many-requests",
        f"Too many attempts. Try again in {retry_after_s} s.",
        headers={"Retry-After": str(retry_after_s)},
    )
