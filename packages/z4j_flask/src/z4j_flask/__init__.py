"""z4j framework plugin for Flask.

    from z4j_flask import Z4J

    app = Flask(__name__)
    Z4J(app)  # or, with a factory: z4j = Z4J(), then z4j.init_app(app)

Nothing happens unless `Z4J_URL` is set, in the app's configuration or in the environment.
"""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["Z4J"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from z4j_flask.extension import Z4J


def __getattr__(name: str) -> object:
    """The plugin's hook is found in every process, and must not bring Flask along."""
    if name == "Z4J":
        from z4j_flask.extension import Z4J

        return Z4J
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
