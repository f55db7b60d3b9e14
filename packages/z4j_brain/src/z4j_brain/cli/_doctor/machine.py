"""The machine: space on disks, the kind of file system, the clock."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from z4j_brain import clock
from z4j_brain.brain import open_database
from z4j_brain.cli._doctor.finding import Finding, bad, good, look
from z4j_brain.cli._opening import sqlite_file
from z4j_brain.settings import Settings
from z4j_brain.store.database import Database
from z4j_brain.store.schema import audit
from z4j_brain.store.types import to_micros

_MIB = 1 << 20
LEAST_FREE = 256 * _MIB
LITTLE_FREE, LITTLE_SHARE = 2048 * _MIB, 0.05
ODD_US, WRONG_US = 2_000_000, 60_000_000
MOUNTS = Path("/proc/self/mounts")
_OF_A_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "beegfs"}
    | {"fuse.sshfs", "fuse.s3fs", "fuse.glusterfs", "fuse.rclone", "fuse.gcsfuse", "davfs"}
)


def look_at_disk(settings: Settings) -> Iterator[Finding]:
    """Look at the disk that holds the record, as far as it is one of this machine."""
    if not settings.is_sqlite:
        yield look("disk: PostgreSQL's cannot be seen from here; watch its free space there")
        return
    folder = _existing(sqlite_file(settings).parent)
    kind = file_system(folder)
    if kind in _OF_A_NETWORK:
        yield bad(
            f"disk: {folder} is on a file system of the network ({kind}), where SQLite's locks and"
            " shared memory fail: the record can be destroyed. Use a disk of this machine, or"
            " PostgreSQL."
        )
    yield judge_space(folder, *shutil.disk_usage(folder)[::2])


def judge_space(folder: Path, total: int, free: int) -> Finding:
    """Judge how much is free (bytes)."""
    text = f"disk: {free / (1 << 30):.1f} GiB free of {total / (1 << 30):.1f} at {folder}"
    if free < LEAST_FREE:
        return bad(f"{text}: soon nothing can be stored. Make room, or shorten the retention.")
    if free < LITTLE_FREE and free < LITTLE_SHARE * total:
        return look(f"{text}: that is little. `z4j status` says which table takes how much.")
    return good(text)


def file_system(folder: Path, mounts: Path = MOUNTS) -> str | None:
    """Return the kind of file system of a folder; None where the system does not tell."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return None
    path, best, kind = str(folder.resolve()), "", None
    for line in lines:
        _device, point, found, *_rest = line.split(" ")
        point = point.replace("\\040", " ")
        is_above = path == point or path.startswith(point.rstrip("/") + "/")
        if is_above and len(point) >= len(best):
            best, kind = point, found
    return kind


def look_at_clock(settings: Settings) -> Iterator[Finding]:
    """Compare this machine's clock with the database's, and with what was recorded last."""
    database = open_database(settings)
    try:
        yield _clock(database)
    except SQLAlchemyError:
        return  # said by others
    finally:
        database.close()


def _clock(database: Database) -> Finding:
    with database.read() as connection:
        if database.is_postgres:
            asked = clock.now()
            told = to_micros(connection.execute(select(func.clock_timestamp())).scalar_one())
            return judge_clock((asked + clock.now()) // 2 - told, "the database's")
        newest = connection.execute(select(func.max(audit.c.at))).scalar()
    ahead = 0 if newest is None else max(newest - clock.now(), 0)
    return judge_clock(-ahead, "the newest row of the audit log")


def judge_clock(offset_us: int, other: str) -> Finding:
    """Judge by how much this machine's clock is ahead of another time (microseconds)."""
    if abs(offset_us) <= ODD_US:
        return good(f"clock: agrees with {other}")
    side = "ahead of" if offset_us > 0 else "behind"
    text = f"clock: {abs(offset_us) / 1e6:.0f} s {side} {other}: let NTP set it"
    if abs(offset_us) <= WRONG_US:
        return look(text)
    return bad(f"{text}. Codes of authenticator apps, ends of sessions and all times are wrong.")


def _existing(folder: Path) -> Path:
    return folder if folder.exists() else _existing(folder.parent)
