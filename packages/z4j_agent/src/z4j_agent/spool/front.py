"""The newest records of a spool, in memory that outlives the process: a small mapped file of tmpfs.

A `write` for every event would be the dearest part of an event: it goes through the file system,
cold. To copy it into mapped memory costs a tenth. The journal moves what is here into its file
before anything else is written there, so the records of both are in one order.

Only in tmpfs, with all pages allocated beforehand, no store to a mapped page can fail (a full or
broken disk would end the host with SIGBUS).
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
import stat
import sys
import time
from pathlib import Path

from z4j_agent.spool.place import Folder, lock
from z4j_agent.spool.records import HEAD, Record, RecordKind, header_of, pack, read

FRONT_BYTES = 256 * 1024
OWNER_BYTES = 4096
"""After the records: the path of the spool's folder, by which an abandoned front is known."""

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux has its tmpfs for shared memory
STALE_S = 86_400.0
_PREFIX = "z4j-"
_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_END = bytes(HEAD.size)
_log = logging.getLogger("z4j.agent")


class Front:
    """Not thread-safe. A process that is killed leaves `used` bytes of whole records, and perhaps
    a torn one. The descriptor is locked as long as the process lives.
    """

    def __init__(self, memory: mmap.mmap, descriptor: int) -> None:
        self._memory = memory
        self._descriptor = descriptor
        self.write = memory.write
        """Add a record; raise `ValueError` when there is no room for it."""

    @classmethod
    def create(cls, folder: Folder) -> Front | None:
        """Make the one of a new spool; None where there is no tmpfs, or no room in it."""
        owner = os.fsencode(folder.path)
        if not _is_tmpfs(SHARED_MEMORY) or len(owner) >= OWNER_BYTES:
            return None
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK
        try:
            descriptor = os.open(_path(folder.path.name), flags, 0o600)
        except OSError:
            return None
        try:
            os.posix_fallocate(descriptor, 0, FRONT_BYTES + OWNER_BYTES)
            os.pwrite(descriptor, owner, FRONT_BYTES)
            lock(descriptor)
            # Without the last bytes, which so remain the end after the last record.
            return cls(mmap.mmap(descriptor, FRONT_BYTES - HEAD.size), descriptor)
        except (OSError, ValueError):
            os.close(descriptor)
            delete_front(folder.path.name)
            return None

    @property
    def used(self) -> int:
        """Bytes of the records that are here."""
        return self._memory.tell()

    def content(self) -> bytes:
        """Return all records."""
        return self._memory[: self.used]

    def clear(self) -> None:
        """Forget what is in a file by now."""
        self._memory[: HEAD.size] = _END
        self._memory.seek(0)

    def let_go(self) -> None:
        """Unmap it; it stays for an adopter. Idempotent."""
        self._memory.close()
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def move_to_file(folder: Folder) -> None:
    """Add what a dead process left in its front to its last file. Idempotent. Raise `OSError`."""
    name, numbers = folder.path.name, folder.segments
    left = _left_in(name)
    if left and numbers:
        end, newest = _end_of(folder, numbers[-1])
        missing = [record for record in left if record.number > newest]
        if end and missing:
            content = b"".join(pack(one.kind, one.number, one.content) for one in missing)
            folder.write_segment(numbers[-1], end, content)
    delete_front(name)


def delete_front(name: str) -> None:
    """Delete it if it is there; never raises."""
    with contextlib.suppress(OSError):
        _path(name).unlink()


def _left_in(name: str) -> list[Record]:
    """Return the events there; none if there is no front.

    What follows a cleared or torn place is older, and its number tells.
    """
    try:
        # Not waiting: what lies there need not be a file.
        descriptor = os.open(_path(name), os.O_RDONLY | os.O_NONBLOCK | _NO_LINK)
    except FileNotFoundError:
        return []
    records: list[Record] = []
    try:
        found = os.fstat(descriptor)
        if found.st_uid == os.geteuid() and stat.S_ISREG(found.st_mode):
            for record in read(descriptor):
                is_next = not records or record.number == records[-1].number + 1
                if record.kind != RecordKind.EVENT or not is_next or record.end > FRONT_BYTES:
                    break
                records.append(record)
    finally:
        os.close(descriptor)
    return records


def _end_of(folder: Folder, number: int) -> tuple[int, int]:
    """Return where the last whole record of a file ends, and the newest event up to there."""
    end = newest = 0
    descriptor = folder.open_segment(number)
    try:
        for record in read(descriptor):
            header = header_of(record) if end == 0 else None
            if end == 0 and header is None:
                break
            if header is not None:
                newest = header.next_event - 1
            elif record.kind == RecordKind.EVENT:
                newest = record.number
            end = record.end
    finally:
        os.close(descriptor)
    return end, newest


def sweep(stale_s: float = STALE_S) -> None:
    """Delete fronts whose process is dead and whose spool is gone, as when somebody deleted its
    folder. Never raises.
    """
    for path in SHARED_MEMORY.glob(f"{_PREFIX}*"):
        try:
            if path.lstat().st_mtime <= time.time() - stale_s and _is_abandoned(path):
                path.unlink()
        except OSError as error:
            _log.debug("%s cannot be looked at: %r", path, error)


def _is_abandoned(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | _NO_LINK)
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid() or found.st_size != FRONT_BYTES + OWNER_BYTES:
            return False
        lock(descriptor)  # raises while its process lives
        owner = os.pread(descriptor, OWNER_BYTES, FRONT_BYTES).rstrip(b"\0")
        return bool(owner) and not os.path.lexists(owner)
    finally:
        os.close(descriptor)


def _path(name: str) -> Path:
    return SHARED_MEMORY / f"{_PREFIX}{name}"


def _is_tmpfs(path: Path) -> bool:
    if sys.platform != "linux" or not os.access(path, os.W_OK):
        return False
    try:
        mounts = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    rows = (line.split(" ")[1:3] for line in mounts.splitlines())
    return [str(path), "tmpfs"] in rows
