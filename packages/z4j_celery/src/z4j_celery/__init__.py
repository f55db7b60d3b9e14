"""z4j engine plugin for Celery."""

__version__ = "0.1.0"
