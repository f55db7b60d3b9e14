"""How many files and sockets this process has open."""

from __future__ import annotations

from pathlib import Path


def open_files() -> int:
    """Return the number of open descriptors; 0 where the system does not tell."""
    told = Path("/dev/fd")
    return len(list(told.iterdir())) if told.is_dir() else 0
