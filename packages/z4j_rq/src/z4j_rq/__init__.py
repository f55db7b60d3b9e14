"""z4j engine plugin for RQ."""

__version__ = "0.1.0"
