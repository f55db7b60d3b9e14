"""z4j framework plugin for Django."""

__version__ = "0.1.0"
