"""z4j framework plugin for FastAPI and Starlette.

    import z4j_fastapi

    app = FastAPI()
    z4j_fastapi.init_app(app)

Nothing happens unless `Z4J_URL` is set.
"""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["init_app"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from z4j_fastapi.lifespan import init_app


def __getattr__(name: str) -> object:
    """The plugin's hook is found in every process, and must not bring Starlette along."""
    if name == "init_app":
        from z4j_fastapi.lifespan import init_app

        return init_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
