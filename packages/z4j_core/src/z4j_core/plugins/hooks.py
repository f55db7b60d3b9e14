"""The hooks that a plugin may implement, and the marker to implement them with.

from z4j_core.plugins import hook

@hook
def z4j_engine(settings): ...
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from z4j_core.events import TaskEvent
from z4j_core.plugins.contracts import Framework, PluginSettings
from z4j_core.plugins.engine import Engine
from z4j_core.plugins.scheduler import Scheduler
from z4j_core.redaction import ValueRule

GROUP = "z4j"
_specification = pluggy.HookspecMarker(GROUP)
hook = pluggy.HookimplMarker(GROUP)


@_specification
def z4j_engine(settings: PluginSettings) -> Engine | None:
    """Return the engine if its library is in use in this process, else None."""


@_specification
def z4j_scheduler(settings: PluginSettings) -> Scheduler | None:
    """Return the scheduler if this process can read its schedules, else None."""


@_specification
def z4j_framework(settings: PluginSettings) -> Framework | None:
    """Return the web framework if this process serves with it, else None."""


@_specification(firstresult=True)
def z4j_redact(key: str) -> bool | None:
    """Tell whether values under this key are secret; None leaves it to the next rule."""


@_specification
def z4j_redact_values() -> Iterable[ValueRule] | None:
    """Return shapes of values to hide wherever they stand. Asked once, when the agent starts."""


@_specification
def z4j_event(event: TaskEvent) -> TaskEvent | None:
    """Return the event, enriched, or None to drop it. Called for each event: be quick."""
