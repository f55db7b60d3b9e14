"""The Starlette app: every address that the server answers, and what surrounds them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute

from z4j_brain.api import problems
from z4j_brain.api.live import live_endpoint
from z4j_brain.api.route import Route as ApiRoute
from z4j_brain.api.router import PREFIX, Router
from z4j_brain.api.table import all_routes
from z4j_brain.watch.readiness import Readiness
from z4j_brain.watch.requests import RequestTimes
from z4j_brain.web.address import AllowedHosts, Prefix
from z4j_brain.web.dashboard import Dashboard
from z4j_brain.web.drain import DrainBody
from z4j_brain.web.health import Health
from z4j_brain.web.metrics import metrics_endpoint
from z4j_brain.web.oidc import OidcCallback
from z4j_brain.web.once import OneTimeSignIn
from z4j_brain.web.proxies import TrustedProxies
from z4j_brain.web.request_ids import RequestIds
from z4j_brain.web.security import SecurityHeaders
from z4j_brain.web.timing import MeasureRequests

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from z4j_brain.brain import Brain

Ready = Callable[[], Awaitable[None]]


def create_app(
    brain: Brain, *, routes: Iterable[ApiRoute] | None = None, on_ready: Ready | None = None
) -> Starlette:
    """Make the app of a brain; it starts and closes the brain with its lifespan.

    `routes` default to all that `z4j_brain.api` declares. Raises `RouteError` when one is declared
    wrongly. `on_ready` is awaited once the brain has started.
    """
    settings = brain.settings
    router = Router(brain, all_routes() if routes is None else routes)
    times = RequestTimes()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await brain.start()
        if on_ready is not None:
            await on_ready()
        try:
            yield
        finally:
            await brain.stop()
            await brain.close()

    app = Starlette(
        routes=_addresses(brain, router, times),
        middleware=[
            Middleware(DrainBody),
            Middleware(TrustedProxies, settings.trusted_proxies),
            Middleware(SecurityHeaders),
            Middleware(RequestIds),
            Middleware(Prefix, settings.root_path),
            Middleware(MeasureRequests, times),
            Middleware(AllowedHosts, settings.allowed_hosts),
        ],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


def _addresses(brain: Brain, router: Router, times: RequestTimes) -> list[BaseRoute]:
    """List what is answered beside the declared routes; all of it is public by design.

    The two WebSockets authenticate by themselves: agents by bearer, browsers by session; so does
    `/metrics`, by its token.
    """
    dashboard = Dashboard(brain.settings.root_path)
    readiness = Readiness(brain.database, brain.writer)
    health = Health(readiness)
    return [
        Route("/healthz", health.healthz),
        Route("/readyz", health.readyz),
        Route("/metrics", metrics_endpoint(brain, readiness, times)),
        Route("/sign-in/once", OneTimeSignIn(brain).endpoint),
        Route("/sign-in/oidc/callback", OidcCallback(brain).endpoint),
        WebSocketRoute("/ws", brain.gateway.endpoint),
        WebSocketRoute("/ws/dashboard", live_endpoint(brain)),
        Mount(PREFIX, app=router),
        Route("/api/{rest:path}", _no_such_api, methods=None),
        Route("/assets/{name:path}", dashboard.asset),
        Route("/{path:path}", dashboard.page),
    ]


async def _no_such_api(_request: Request) -> Response:
    return problems.not_found().response()
