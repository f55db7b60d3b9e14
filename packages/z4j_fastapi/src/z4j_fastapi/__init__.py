"""z4j framework plugin for FastAPI and Starlette."""

__version__ = "0.1.0"
