"""`/healthz`: the process answers. `/readyz`: it can do its work."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from z4j_brain.store import migrate

if TYPE_CHECKING:
    from z4j_brain.brain import Brain

logger = logging.getLogger("z4j.health")
PATIENCE_S = 5
_NO_STORE = {"Cache-Control": "no-store"}


class Health:
    """The two endpoints for load balancers and supervisors. They tell nothing else."""

    def __init__(self, brain: Brain) -> None:
        self._brain = brain

    async def healthz(self, _request: Request) -> Response:
        """Answer."""
        return JSONResponse({"status": "ok"}, headers=_NO_STORE)

    async def readyz(self, _request: Request) -> Response:
        """Answer 200 if the database is reachable and has this version's tables, else 503."""
        status = await self._status()
        return JSONResponse({"status": status}, 200 if status == "ok" else 503, _NO_STORE)

    async def _status(self) -> str:
        try:
            async with asyncio.timeout(PATIENCE_S):
                is_current = await self._brain.database.run(migrate.at_head)
        except (SQLAlchemyError, TimeoutError, OSError) as error:
            logger.warning("not ready: the database does not answer (%s)", type(error).__name__)
            return "database unreachable"
        return "ok" if is_current else "migrations pending"
