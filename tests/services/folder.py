"""Where a service keeps its data while it runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3
"""A run's databases and write-ahead log stay below a quarter of it."""
LOCK = "in-use"
YOUNG_S = 60


@contextmanager
def own_folder(prefix: str, *, in_memory: bool) -> Iterator[Path]:
    """A temporary folder, gone afterwards.

    ``in_memory`` puts it there when there is room: on a disk a database takes four times as
    long to make. What a killed run left in memory is taken away by the next.
    """
    above = MEMORY if in_memory and _has_room() else None
    if above:
        _sweep(above, prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=above))
    try:
        with (folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _has_room() -> bool:
    with contextlib.suppress(OSError):
        return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return False


def _sweep(above: Path, prefix: str) -> None:
    for folder in above.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):  # in use, somebody else's, or gone meanwhile
            if time.time() - folder.stat().st_mtime < YOUNG_S:
                continue
            with (folder / LOCK).open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
