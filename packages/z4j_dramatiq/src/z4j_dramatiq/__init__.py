"""z4j engine plugin for Dramatiq."""

__version__ = "0.1.0"
