"""The z4j agent: runs inside worker and web processes."""

__version__ = "0.1.0"
