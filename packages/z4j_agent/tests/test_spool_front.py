"""The front of a spool: what is in mapped memory outlives the process, and nobody else gets in."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from z4j_agent.identity import Identity
from z4j_agent.outbox import Outbox
from z4j_agent.spool import front as fronts
from z4j_agent.spool.front import Front
from z4j_agent.spool.journal import Journal
from z4j_agent.spool.place import Place
from z4j_agent.spool.records import EVENT, pack
from z4j_agent.spool.recovery import Remains
from z4j_core.events import Kind, WireEvent

WHO = Identity("w1", "ab" * 16, "worker", "host", 1, 5)
LIMIT = 1 << 20
encode = msgspec.msgpack.Encoder().encode

pytestmark = pytest.mark.skipif(
    not fronts._is_tmpfs(fronts.SHARED_MEMORY), reason="this system has no tmpfs at /dev/shm"
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place whose fronts are apart from those of other runs on this machine, which sweep."""
    with tempfile.TemporaryDirectory(dir=fronts.SHARED_MEMORY) as apart:
        monkeypatch.setattr(fronts, "SHARED_MEMORY", Path(apart))
        monkeypatch.setattr(fronts, "_is_tmpfs", lambda _path: True)  # a folder in one
        yield Place(tmp_path / "spool", UUID(int=9), 1 << 30)


def wire(number: int) -> bytes:
    return encode(WireEvent(Kind.STARTED, "e", f"t{number}", 0, number, None, None, b"{}"))


def spooled(place: Place) -> tuple[Outbox, Path, Path]:
    """Return an outbox with a front, the front's path, and the path of the spool's file."""
    folder = place.create(WHO.epoch)
    front = Front.create(folder)
    assert front is not None
    outbox = Outbox(LIMIT)
    outbox.write_to(Journal(folder, WHO, 1 << 30, outbox.losses, front=front))
    return outbox, fronts._path(folder.path.name), folder.path / "00000001"


def fill(outbox: Outbox, first: int, last: int) -> None:
    for number in range(first, last + 1):
        outbox.append(Kind.STARTED, number, wire(number))


def left(place: Place) -> int:
    """Return the number of the newest event that an adopter finds."""
    (found,) = place.find()
    folder = place.take(found.path)
    assert folder is not None
    remains = Remains.of(folder)
    assert remains is not None
    folder.let_go()
    return remains.last_event


def test_events_wait_in_front_and_move_into_the_file_together(place: Place) -> None:
    outbox, front, file = spooled(place)
    begun = file.stat().st_size
    fill(outbox, 1, 20)
    assert file.stat().st_size == begun
    outbox.seal(32)
    assert file.stat().st_size > begun + 20 * len(wire(1))
    assert stat.S_IMODE(front.stat().st_mode) == 0o600
    outbox.let_go()


def test_a_full_front_moves_and_nothing_is_lost(place: Place) -> None:
    outbox, _, file = spooled(place)
    many = fronts.FRONT_BYTES // len(wire(1)) + 100
    fill(outbox, 1, many)
    assert file.stat().st_size > fronts.FRONT_BYTES // 2
    outbox.let_go()
    assert left(place) == many


def test_what_a_killed_process_had_in_front_is_found_once(place: Place) -> None:
    outbox, front, _ = spooled(place)
    fill(outbox, 1, 7)
    outbox.let_go()
    assert left(place) == 7
    assert not front.exists()
    assert left(place) == 7


def test_older_records_behind_the_newest_are_not_taken_for_new_ones(place: Place) -> None:
    outbox, front, _ = spooled(place)
    fill(outbox, 1, 9)
    outbox.flush()
    fill(outbox, 10, 11)
    content = front.read_bytes()
    assert content.count(b"t9") == 1, "the test needs the old records to be there"
    outbox.let_go()
    (found,) = place.find()
    folder = place.take(found.path)
    assert folder is not None
    remains = Remains.of(folder)
    assert remains is not None
    revived = remains.outbox(LIMIT, 1 << 30)
    assert revived.fill().events == 11
    revived.let_go()


def test_a_clean_end_leaves_nothing_in_shared_memory(place: Place) -> None:
    outbox, front, file = spooled(place)
    fill(outbox, 1, 3)
    outbox.leave()  # not drained: an adopter will need it
    assert not front.exists() or front.read_bytes()[:4] == bytes(4)
    assert left(place) == 3
    assert not front.exists()
    assert file.exists()


def test_a_drained_spool_takes_its_front_along(place: Place) -> None:
    outbox, front, _ = spooled(place)
    outbox.leave()
    assert not front.exists()


def test_a_link_or_anything_but_a_file_is_not_read(place: Place, tmp_path: Path) -> None:
    outbox, front, _ = spooled(place)
    outbox.let_go()
    planted = tmp_path / "planted"
    planted.write_bytes(pack(EVENT, 1, wire(1)))
    front.unlink()
    front.symlink_to(planted)
    (found,) = place.find()
    folder = place.take(found.path)
    assert folder is not None
    with pytest.raises(OSError, match=r"symbolic|links"):
        Remains.of(folder)
    front.unlink()
    os.mkfifo(front)
    remains = Remains.of(folder)
    assert remains is not None
    assert not remains.has_events
    folder.let_go()


def test_without_room_in_shared_memory_the_file_is_written(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    folder = place.create(WHO.epoch)
    assert Front.create(folder) is None
    assert not fronts._path(folder.path.name).exists()
    folder.let_go()


def test_only_a_dead_front_whose_spool_is_gone_is_swept(place: Place) -> None:
    outbox, front, _ = spooled(place)
    fill(outbox, 1, 3)
    (found,) = place.find()
    shutil.rmtree(found.path)
    fronts.sweep(0.0)
    assert front.exists(), "its process lives"
    outbox.let_go()
    found.path.mkdir()
    fronts.sweep(0.0)
    assert front.exists(), "its spool is there"
    found.path.rmdir()
    fronts.sweep()
    assert front.exists(), "it is not old"
    fronts.sweep(0.0)
    assert not front.exists()
