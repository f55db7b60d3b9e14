"""Which of the Celery apps of this process an action is for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import _state

from z4j_core.capability import ActionError


def live_apps() -> list[Any]:
    """Return the apps of this process, without the fallback that Celery makes by itself.

    `current_app` is no help: it is kept per thread, and the agent's thread has none.
    """
    return [app for app in list(_state._apps) if not _is_fallback(app)]


def choose(apps: list[Any], what: str, fits: Callable[[Any], bool]) -> Any:
    """Return the app that fits; with a single app there is nothing to choose."""
    if not apps:
        raise ActionError("No Celery app has been made in this process.")
    fitting = [app for app in apps if fits(app)] if len(apps) > 1 else apps
    if len(fitting) == 1:
        return fitting[0]
    problem = "none of them knows" if not fitting else "more than one of them knows"
    raise ActionError(
        f"This process has several Celery apps and {problem} {what}; "
        "send the command to a worker of the right app."
    )


def _is_fallback(app: Any) -> bool:
    return app is _state.default_app and app.main == "default"
