"""`/healthz`: the process answers. `/readyz`: it can do its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from z4j_brain.api.problems import Problem
from z4j_brain.watch.readiness import Check

if TYPE_CHECKING:
    from z4j_brain.watch.readiness import Readiness

_NO_STORE = {"Cache-Control": "no-store"}
_SLUGS = {
    Check.DATABASE: "database-unavailable",
    Check.MIGRATIONS: "migrations-pending",
    Check.INGEST: "ingest-stuck",
}


class Health:
    """The two endpoints for load balancers and supervisors. They tell nothing else."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    async def healthz(self, _request: Request) -> Response:
        """Answer."""
        return JSONResponse({"status": "ok"}, headers=_NO_STORE)

    async def readyz(self, _request: Request) -> Response:
        """Answer 200, or 503 with the first check that fails: it causes those after it."""
        troubles = await self._readiness.troubles()
        for check in Check:
            if check in troubles:
                slug, detail = _SLUGS[check], troubles[check]
                return Problem(503, slug, detail, headers=_NO_STORE).response()
        return JSONResponse({"status": "ok"}, headers=_NO_STORE)
