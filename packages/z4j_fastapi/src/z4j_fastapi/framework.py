"""FastAPI and Starlette, as the agent sees them."""

from __future__ import annotations

from typing import ClassVar

from z4j_core.plugins import Framework, Host


class StarletteFramework(Framework):
    """A process that serves requests with Starlette; the application's lifespan tells when."""

    name: ClassVar[str] = "starlette"

    def attach(self, host: Host) -> None:
        """There is nothing to attach to: each application has a lifespan of its own."""

    def detach(self) -> None:
        """Nothing was attached."""


class FastAPIFramework(StarletteFramework):
    """The same with FastAPI, which is made of Starlette."""

    name: ClassVar[str] = "fastapi"
