"""What a plugin's tests need: an in-memory link pair, a recording host, the engine contract.

Importing this package needs pytest; nothing outside tests imports it.
"""

from z4j_core.testing.host import RecordingHost
from z4j_core.testing.wire import MemoryAgent, MemoryBrain, connect

__all__ = ["MemoryAgent", "MemoryBrain", "RecordingHost", "connect"]
