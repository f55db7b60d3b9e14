"""The z4j server: record, API and dashboard."""

__version__ = "0.1.0"
