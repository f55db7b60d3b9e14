"""Where downloaded services are kept, so that a second run works offline."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

VARIABLE = "Z4J_TEST_CACHE"


def cache_folder() -> Path:
    """``Z4J_TEST_CACHE``, or ``/var/cache/z4j-tests`` for root, or the user's cache folder.

    Root's own home is closed to the unprivileged user that PostgreSQL runs as; hence
    ``/var/cache`` for root.
    """
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen).resolve()
    if os.geteuid() == 0:
        return Path("/var/cache/z4j-tests")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "z4j-tests"


def cached(name: str, fill: Callable[[Path], None]) -> Path:
    """The folder ``name`` in the cache; ``fill`` makes it when it is not there yet.

    Safe when several processes ask at once: each fills a folder of its own, the first
    rename wins and the others throw theirs away. An interrupted fill leaves no half folder.
    """
    target = cache_folder() / name
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=target.parent))
    try:
        fill(work)
        work.chmod(0o755)
        _rename_unless_there(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _rename_unless_there(work: Path, target: Path) -> None:
    try:
        work.rename(target)
    except OSError:
        if not target.is_dir():
            raise
