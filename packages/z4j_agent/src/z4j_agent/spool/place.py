"""Where spools lie, whose they are, and who may touch them.

One folder for each incarnation of a process, named by agent and epoch. Its file `lock` is locked
by the process that lives there, or by the one that adopts it: the kernel frees the lock when the
holder dies, however it dies. Everything is private to the user that the process runs as.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

try:
    import fcntl
except ImportError:  # no such locks here: two processes could send the same spool
    fcntl = None  # type: ignore[assignment]

LOCK = "lock"
_NEW = ".new-"
_STALE_S = 86_400.0
_NAME = re.compile(r"^[0-9a-f]{32}-[0-9a-f]{32}$")
_SEGMENT = re.compile(r"^\d{8}$")
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def lock(descriptor: int) -> None:
    """Lock an open file for this process and its children; raise `OSError` while another has it."""
    if fcntl is None:
        raise PlaceError("this system has no flock")
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class PlaceError(OSError):
    """No spool can be kept here; the message says why and what to do."""


class Found(NamedTuple):
    """A spool's folder: its size in bytes and when it was last written, in Unix seconds."""

    path: Path
    size: int
    written_at: float


class Folder:
    """A locked spool folder. Not thread-safe; a forked child must call `let_go`."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    @property
    def segments(self) -> list[int]:
        """The numbers of its files, ascending. Raise `OSError`."""
        names = [entry.name for entry in self.path.iterdir()]
        return sorted(int(name) for name in names if _SEGMENT.match(name))

    def open_segment(self, number: int, is_new: bool = False) -> int:
        """Return a descriptor of a file, to read or (a new one) to append. Raise `OSError`."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL if is_new else os.O_RDONLY
        return os.open(self.path / f"{number:08}", flags | _NO_LINK, 0o600)

    def write_segment(self, number: int, offset: int, content: bytes) -> None:
        """End a file with this content from `offset` on. Raise `OSError`."""
        descriptor = os.open(self.path / f"{number:08}", os.O_WRONLY | _NO_LINK)
        try:
            os.ftruncate(descriptor, offset)
            if os.pwrite(descriptor, content, offset) != len(content):
                raise OSError("the file system takes no more")
        finally:
            os.close(descriptor)

    def delete_segment(self, number: int) -> None:
        """Delete a file if it is there. Raise `OSError`."""
        (self.path / f"{number:08}").unlink(missing_ok=True)

    def delete(self) -> bool:
        """Delete everything and let go; tell whether that was possible."""
        try:
            for number in self.segments:
                self.delete_segment(number)
            (self.path / LOCK).unlink(missing_ok=True)
            self.path.rmdir()
        except OSError:
            return False
        finally:
            self.let_go()
        return True

    def let_go(self) -> None:
        """Give up our hold of the lock; files stay. Idempotent."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            with contextlib.suppress(OSError):
                os.close(lock)


class Place:
    """The folder in which all spools of one agent lie, beside those of others.

    `limit_bytes` is the ceiling of all of them together.
    """

    def __init__(self, root: Path, agent_id: UUID, limit_bytes: int) -> None:
        self.root = root
        self.limit_bytes = limit_bytes
        self._agent = agent_id.hex

    def prepare(self) -> None:
        """Make the folder, private to this user; raise `PlaceError`."""
        if fcntl is None:
            raise PlaceError("this system has no flock")
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.root.lstat()
        except OSError as error:
            raise PlaceError(f"{self.root}: {error.strerror or error}") from None
        if not stat.S_ISDIR(found.st_mode):
            raise PlaceError(f"{self.root} is a link or no folder: set Z4J_SPOOL_DIR to another.")
        if found.st_uid != os.geteuid():
            raise PlaceError(f"{self.root} belongs to another user: set Z4J_SPOOL_DIR to another.")
        if stat.S_IMODE(found.st_mode) & 0o022:
            raise PlaceError(f"{self.root} can be written by others: chmod 700 it.")

    def probe(self) -> None:
        """Try whether a file can be written here; raise `OSError`."""
        self.prepare()
        path = self.root / f"{_NEW}probe-{os.getpid()}"
        path.write_bytes(b"z4j")
        path.unlink()

    def create(self, epoch: str) -> Folder:
        """Return a new, locked folder; it gets its name only when it is locked. Raise `OSError`."""
        self.prepare()
        fresh = self.root / f"{_NEW}{epoch}"
        fresh.mkdir(mode=0o700)
        held = os.open(fresh / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600)
        try:
            lock(held)
            path = self.root / f"{self._agent}-{epoch}"
            fresh.rename(path)
        except OSError:
            os.close(held)
            raise
        return Folder(path, held)

    def find(self) -> list[Found]:
        """Return the spools of this agent, the longest untouched first; never raises."""
        found: list[Found] = []
        with contextlib.suppress(OSError):
            for entry in os.scandir(self.root):
                if entry.name.startswith(_NEW):
                    self._sweep(Path(entry.path))
                elif self._is_ours(entry.name) and entry.is_dir(follow_symlinks=False):
                    with contextlib.suppress(OSError):
                        found.append(_measure(Path(entry.path)))
        return sorted(found, key=lambda one: one.written_at)

    def take(self, path: Path) -> Folder | None:
        """Lock the spool of a process that is gone; None while its owner or an adopter lives."""
        if fcntl is None:
            return None
        try:
            held = os.open(path / LOCK, os.O_RDWR | _NO_LINK)
        except OSError:
            return None
        try:
            lock(held)
            if os.fstat(held).st_ino == (path / LOCK).lstat().st_ino:
                return Folder(path, held)
        except OSError:  # held, or adopted and deleted meanwhile
            pass
        os.close(held)
        return None

    def _is_ours(self, name: str) -> bool:
        return name.startswith(self._agent) and _NAME.match(name) is not None

    def _sweep(self, path: Path) -> None:
        """Delete what a process left that died between making a folder and naming it."""
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _STALE_S:
                (path / LOCK).unlink(missing_ok=True)
                path.rmdir()


def default_root(environment: Mapping[str, str]) -> Path:
    """Return where spools lie unless `Z4J_SPOOL_DIR` says otherwise.

    Not below the runtime folder: that is emptied when the user's last session ends.
    """
    state = environment.get("XDG_STATE_HOME", "").strip()
    if state.startswith("/"):
        return Path(state) / "z4j" / "spool"
    home = environment.get("HOME", "").strip()
    if home.startswith("/") and os.access(home, os.W_OK):
        return Path(home) / ".local" / "state" / "z4j" / "spool"
    import tempfile

    return Path(tempfile.gettempdir()) / f"z4j-spool-{_user()}"


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0


def _measure(path: Path) -> Found:
    stats = [entry.stat(follow_symlinks=False) for entry in os.scandir(path)]
    sizes = sum(one.st_size for one in stats)
    return Found(path, sizes, max((one.st_mtime for one in stats), default=path.stat().st_mtime))
