"""An application's lifespan begins and ends in the process that serves it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette

import z4j_agent


def init_app(app: Starlette) -> None:
    """Connect this process while the application serves, and report what it publishes.

    For FastAPI and Starlette applications alike, before they serve; of mounted applications only
    the outermost has a lifespan. The application's own lifespan runs within ours, so that what it
    publishes is told too. Does nothing when `Z4J_URL` is unset.
    """
    if not z4j_agent.is_wanted():
        return
    z4j_agent.register()
    inner = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(application: Any) -> AsyncIterator[Any]:
        z4j_agent.start("web")
        try:
            async with inner(application) as state:
                z4j_agent.register()  # what it has imported
                yield state
        finally:
            # Servers end by a signal that skips exit handlers.
            await asyncio.to_thread(z4j_agent.stop)

    app.router.lifespan_context = lifespan
