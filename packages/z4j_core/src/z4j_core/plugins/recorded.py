"""The arguments of a task as the record has them: a retry's last resort."""

from __future__ import annotations

import json
from typing import Any

from z4j_core.capability import ActionError
from z4j_core.frames import TaskRef

USE_EDITED = "Use the edited retry and give the arguments"


def recorded_arguments(task: TaskRef) -> tuple[list[Any], dict[str, Any]]:
    """Return the recorded arguments. Raise `ActionError` if they are not the real ones."""
    if not task.exact:
        raise ActionError(
            "The real arguments of this task are not known here: the record holds a redacted or "
            "shortened preview, this process no longer has the message, and none was sealed. "
            f"{USE_EDITED}; for the future, set Z4J_SEAL_KEY."
        )
    try:
        args, kwargs = json.loads(task.args or "[]"), json.loads(task.kwargs or "{}")
    except (ValueError, RecursionError):
        args = kwargs = None
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise ActionError(f"The recorded arguments of this task cannot be read. {USE_EDITED}.")
    return args, kwargs
