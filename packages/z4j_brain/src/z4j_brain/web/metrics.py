"""`/metrics`, for Prometheus: only with the token of the operator, and nothing at all without."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from z4j_brain.api import problems
from z4j_brain.api.problems import Problem

if TYPE_CHECKING:
    from z4j_brain.brain import Brain
    from z4j_brain.watch.readiness import Readiness
    from z4j_brain.watch.requests import RequestTimes

Endpoint = Callable[[Request], Awaitable[Response]]
_NO_STORE = {"Cache-Control": "no-store"}


def metrics_endpoint(brain: Brain, readiness: Readiness, requests: RequestTimes) -> Endpoint:
    """Return the endpoint; without `Z4J_METRICS_TOKEN` it is a 404 and the library stays out."""
    token = brain.settings.metrics_token.encode()
    if not token:
        return _absent
    from z4j_brain.watch.exposition import MEDIA_TYPE, Metrics

    metrics = Metrics(brain, readiness, requests)

    async def endpoint(request: Request) -> Response:
        if not hmac.compare_digest(_bearer(request), token):
            return _refusal().response()
        return Response(await metrics.text(), headers=_NO_STORE, media_type=MEDIA_TYPE)

    return endpoint


async def _absent(_request: Request) -> Response:
    return problems.not_found().response()


def _bearer(request: Request) -> bytes:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip().encode("latin-1") if scheme.lower() == "bearer" else b""


def _refusal() -> Problem:
    return Problem(
        401,
        "metrics-token-wrong",
        "Send Authorization: Bearer with the value of Z4J_METRICS_TOKEN.",
        headers={**_NO_STORE, "WWW-Authenticate": "Bearer"},
    )
