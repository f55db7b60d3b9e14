"""The old address of `api.live.live_endpoint`, until `app.py` imports it from there."""

from z4j_brain.api.live import live_endpoint

__all__ = ["live_endpoint"]
