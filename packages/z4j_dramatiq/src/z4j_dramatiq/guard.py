"""What z4j does inside Dramatiq's own calls must never fall through to them, nor flood the log."""

from __future__ import annotations

from z4j_agent.guard import Guard

_guard = Guard("dramatiq", "Dramatiq")
logger = _guard.logger
guarded = _guard.guarded
complain = _guard.complain
