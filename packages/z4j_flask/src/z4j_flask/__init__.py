"""z4j framework plugin for Flask."""

__version__ = "0.1.0"
