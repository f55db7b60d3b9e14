"""The control plane for Python background work."""

__version__ = "0.1.0"
