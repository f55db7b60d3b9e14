"""The spool's files: format, damage, ceilings, locks, places that cannot be written."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from z4j_agent.backlog import SPOOL_FULL
from z4j_agent.identity import Identity
from z4j_agent.outbox import Outbox
from z4j_agent.spool import journal as journals
from z4j_agent.spool.journal import Journal
from z4j_agent.spool.place import Place, PlaceError, default_root
from z4j_agent.spool.records import HEAD, RecordKind, pack, read
from z4j_agent.spool.recovery import DAMAGED, UNCERTAIN, Remains
from z4j_core.codec import MSGPACK
from z4j_core.events import Kind, WireEvent
from z4j_core.frames import Gap, RawEvents

AGENT = UUID(int=7)
WHO = Identity("w1", "ab" * 16, "worker", "host", 1, 5)
MIB = 1024 * 1024
encode = msgspec.msgpack.Encoder().encode


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "spool", AGENT, 64 * MIB)


def wire(number: int, kind: Kind = Kind.STARTED, size: int = 10) -> bytes:
    payload = b'"' + b"x" * size + b'"'
    return encode(WireEvent(kind, "celery", f"t{number}", 0, number, None, None, payload))


def spooled(place: Place, limit: int = MIB) -> Outbox:
    outbox = Outbox(limit)
    folder = place.create(WHO.epoch)
    outbox.write_to(Journal(folder, WHO, place.limit_bytes, outbox.losses))
    return outbox


def fill(outbox: Outbox, first: int, last: int, kind: Kind = Kind.STARTED, size: int = 10) -> None:
    for number in range(first, last + 1):
        outbox.append(kind, number, wire(number, kind, size))


def drain(outbox: Outbox, window: int = 32) -> tuple[list[int], list[Gap]]:
    """Send everything as to a server that commits at once; return what arrived."""
    numbers: list[int] = []
    gaps: list[Gap] = []
    while outbox.seal(window) or outbox.sender.unsent:
        for payload in outbox.sender.take_due(window):
            frame = MSGPACK.decode(payload)
            if isinstance(frame, Gap):
                gaps.append(frame)
            elif isinstance(frame, RawEvents):
                numbers += [event.occurred_at for event in MSGPACK.decode_events(frame.events)[0]]
        outbox.sender.acknowledge(outbox.sender.last)
        outbox.settle()
    return numbers, gaps


def die(outbox: Outbox) -> None:
    """What a kill leaves: the files, and a free lock."""
    outbox.let_go()


def adopt(place: Place, limit: int = MIB) -> Outbox:
    (found,) = place.find()
    folder = place.take(found.path)
    assert folder is not None
    remains = Remains.of(folder)
    assert remains is not None
    return remains.outbox(limit, place.limit_bytes)


def the_segments(place: Place) -> list[Path]:
    (found,) = place.find()
    return sorted(path for path in found.path.iterdir() if path.name != "lock")


def test_the_files_are_private_and_hold_what_was_accepted(place: Place) -> None:
    outbox = spooled(place)
    fill(outbox, 1, 3)
    (segment,) = the_segments(place)
    assert segment.parent.name == f"{AGENT.hex}-{WHO.epoch}"
    assert stat.S_IMODE(segment.stat().st_mode) == 0o600
    assert stat.S_IMODE(segment.parent.stat().st_mode) == 0o700
    with segment.open("rb") as file:
        kinds = [record.kind for record in read(file.fileno())]
    assert kinds == [RecordKind.HEADER, *[RecordKind.EVENT] * 3]


def test_a_drained_spool_is_deleted(place: Place) -> None:
    outbox = spooled(place)
    fill(outbox, 1, 500)
    assert drain(outbox)[0] == list(range(1, 501))
    outbox.leave()
    assert place.find() == []
    assert list(place.root.iterdir()) == []


def test_an_adopter_sends_frames_under_their_numbers_and_then_the_rest(place: Place) -> None:
    outbox = spooled(place)
    fill(outbox, 1, 450)
    outbox.seal(2)
    sent = [bytes(payload) for payload in outbox.sender.take_due(2)]
    die(outbox)
    adopted = adopt(place)
    assert adopted.sender.take_due(2) == sent
    adopted.sender.resume(1)
    adopted.settle()
    assert drain(adopted) == (list(range(201, 451)), [])
    assert adopted.sender.last == 3
    adopted.leave()
    assert place.find() == []


def test_a_torn_tail_is_ignored_at_every_offset(place: Place) -> None:
    outbox = spooled(place)
    fill(outbox, 1, 3)
    (segment,) = the_segments(place)
    whole = segment.read_bytes()
    last = len(pack(RecordKind.EVENT, 3, wire(3)))
    die(outbox)
    for cut in range(1, last + 1):
        segment.write_bytes(whole[:-cut])
        assert read_numbers(segment) == [1, 2]
    segment.write_bytes(whole)
    assert read_numbers(segment) == [1, 2, 3]


def read_numbers(segment: Path) -> list[int]:
    with segment.open("rb") as file:
        return [one.number for one in read(file.fileno()) if one.kind == RecordKind.EVENT]


def test_a_flipped_bit_anywhere_is_noticed(place: Place) -> None:
    outbox = spooled(place)
    fill(outbox, 1, 2)
    (segment,) = the_segments(place)
    whole = segment.read_bytes()
    begin = len(whole) - len(pack(RecordKind.EVENT, 2, wire(2)))
    for offset in range(begin, len(whole)):
        damaged = bytearray(whole)
        damaged[offset] ^= 0x10
        segment.write_bytes(damaged)
        assert read_numbers(segment) == [1]


def test_a_hostile_length_does_not_make_it_read_on(place: Place) -> None:
    path = place.root
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(HEAD.pack(0xFFFF_FFFF, 0, 2, 1) + b"x" * 100)
    with path.open("rb") as file:
        assert list(read(file.fileno())) == []


def test_damage_in_the_middle_is_told_and_the_rest_is_sent(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SEGMENT_BYTES", 2_000)
    outbox = spooled(place)
    fill(outbox, 1, 200)
    die(outbox)
    segments = the_segments(place)
    assert len(segments) > 3
    content = bytearray(segments[1].read_bytes())
    content[len(content) // 2] ^= 1
    segments[1].write_bytes(content)
    numbers, gaps = drain(adopt(place))
    assert len(numbers) == len(set(numbers))
    assert len(numbers) + sum(gap.count for gap in gaps) == 200
    assert 0 < sum(gap.count for gap in gaps) < 60


def test_a_frame_whose_events_are_gone_still_takes_its_number(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SEGMENT_BYTES", 2_000)
    outbox = spooled(place)
    fill(outbox, 1, 200)
    outbox.seal(32, 10)
    die(outbox)
    first = the_segments(place)[0]
    content = bytearray(first.read_bytes())
    content[len(content) // 4] ^= 1
    first.write_bytes(content)
    adopted = adopt(place)
    numbers, gaps = drain(adopted)
    assert numbers == sorted(set(numbers))
    assert {gap.reason for gap in gaps} == {DAMAGED}
    assert adopted.sender.last >= 20


def test_files_go_as_their_events_are_acknowledged(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "SEGMENT_BYTES", 4_000)
    monkeypatch.setattr(journals, "RESET_BYTES", 1_000)
    outbox = spooled(place)
    for start in range(1, 2_000, 100):
        fill(outbox, start, start + 99)
        assert drain(outbox)[0] == list(range(start, start + 100))
        assert sum(path.stat().st_size for path in the_segments(place)) < 9_000


def test_what_memory_has_no_room_for_waits_in_the_files(place: Place) -> None:
    outbox = spooled(place, limit=100_000)
    fill(outbox, 1, 3_000, size=100)
    assert outbox.fill().bytes <= 100_000
    assert outbox.fill().events == 3_000
    assert drain(outbox) == (list(range(1, 3_001)), [])
    assert outbox.fill().dropped == 0


def test_a_tail_in_the_files_survives_the_process(place: Place) -> None:
    outbox = spooled(place, limit=100_000)
    fill(outbox, 1, 3_000, size=100)
    outbox.seal(3)
    die(outbox)
    assert drain(adopt(place, limit=50_000)) == (list(range(1, 3_001)), [])


def test_the_least_valuable_go_first_when_the_spool_is_full(tmp_path: Path) -> None:
    place = Place(tmp_path / "spool", AGENT, 400_000)
    outbox = spooled(place, limit=50_000)
    kinds = (Kind.RECEIVED, Kind.PUBLISHED, Kind.SUCCEEDED, Kind.FAILED)
    for number in range(1, 6_001):
        fill(outbox, number, number, kinds[number % 4], size=100)
    total = sum(path.stat().st_size for path in the_segments(place))
    assert total < 410_000
    numbers, gaps = drain(outbox)
    assert {gap.reason for gap in gaps} == {SPOOL_FULL}
    lost = {kind: sum(gap.kinds.get(kind.value, 0) for gap in gaps) for kind in kinds}
    assert len(numbers) + sum(lost.values()) == 6_000
    assert outbox.fill().dropped == sum(lost.values())
    assert lost[Kind.RECEIVED] > lost[Kind.PUBLISHED] > lost[Kind.SUCCEEDED] > lost[Kind.FAILED]


def test_losses_that_were_not_told_are_told_by_the_adopter_once(place: Place) -> None:
    outbox = spooled(place)
    outbox.lose("the relay was full", "started", 5, 3)
    outbox.lose("the relay was full", "failed", 6)
    die(outbox)
    first = adopt(place)
    first.seal(32)
    die(first)
    (gap,) = drain(adopt(place))[1]
    assert (gap.count, gap.kinds, gap.seq) == (4, {"started": 3, "failed": 1}, 1)


def test_results_keep_their_place_among_the_frames(place: Place) -> None:
    from z4j_core.frames import Result

    outbox = spooled(place)
    fill(outbox, 1, 1)
    outbox.seal(32)
    assert outbox.push(lambda seq: Result(seq, "c1", True)) == 2
    fill(outbox, 2, 2)
    outbox.seal(32)
    sent = outbox.sender.take_due(32)
    die(outbox)
    adopted = adopt(place)
    assert adopted.sender.take_due(32) == sent
    assert len(sent) == 3


def test_events_of_which_nobody_knows_whether_they_were_sent_become_a_gap(place: Place) -> None:
    outbox = spooled(place)
    fill(outbox, 1, 30)
    die(outbox)
    (found,) = place.find()
    folder = place.take(found.path)
    assert folder is not None
    remains = Remains.of(folder)
    assert remains is not None
    told = remains.without(4, UNCERTAIN, MIB, MIB)
    die(told)
    numbers, (gap,) = drain(adopt(place))
    assert numbers == []
    assert (gap.seq, gap.count, gap.reason) == (5, 30, UNCERTAIN)


# ---- locks and places ------------------------------------------------------------------------


def test_a_living_process_keeps_its_spool_and_a_killed_one_leaves_it(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from uuid import UUID\n"
        "from z4j_agent.spool.place import Place\n"
        "folder = Place(Path(sys.argv[1]), UUID(int=7), 1).create('cd' * 16)\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    root = tmp_path / "spool"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    place = Place(root, AGENT, 1)
    (found,) = place.find()
    assert place.take(found.path) is None
    process.kill()
    process.communicate()
    folder = place.take(found.path)
    assert folder is not None
    assert place.take(found.path) is None  # two adopters in one process exclude each other too
    assert folder.delete()
    assert place.take(found.path) is None


def test_other_agents_spools_are_left_alone(place: Place) -> None:
    stranger = Place(place.root, UUID(int=8), MIB)
    die(spooled(place))
    assert stranger.find() == []
    assert len(place.find()) == 1


def test_a_link_or_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(real)
    with pytest.raises(PlaceError, match="link"):
        Place(tmp_path / "link", AGENT, 1).prepare()
    real.chmod(0o777)
    with pytest.raises(PlaceError, match="others"):
        Place(real, AGENT, 1).prepare()
    if os.geteuid() == 0:
        real.chmod(0o700)
        os.chown(real, 12345, -1)
        with pytest.raises(PlaceError, match="another user"):
            Place(real, AGENT, 1).prepare()


def test_where_spools_lie(tmp_path: Path) -> None:
    home = str(tmp_path)
    assert default_root({"XDG_STATE_HOME": "/s", "HOME": home}) == Path("/s/z4j/spool")
    assert default_root({"HOME": home}) == tmp_path / ".local/state/z4j/spool"
    assert default_root({"HOME": "/nowhere"}).name == f"z4j-spool-{os.geteuid()}"


# ---- files that cannot be written ------------------------------------------------------------


def test_a_full_disk_makes_it_go_on_in_memory(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = spooled(place)
    fill(outbox, 1, 100)

    def refuse(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(journals.os, "write", refuse)
        fill(outbox, 101, 200)
    assert place.find() == []
    assert outbox.journal is None
    assert drain(outbox) == (list(range(1, 201)), [])
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "memory only" in caplog.text


def test_a_disk_that_fills_up_while_frames_are_made_costs_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = spooled(place, limit=200_000)
    fill(outbox, 1, 1_000, size=100)
    assert outbox.journal is not None
    assert outbox.journal.tail_left > 0
    monkeypatch.setattr(journals.os, "write", lambda *_: 0)
    numbers, gaps = drain(outbox)
    lost = sum(gap.count for gap in gaps)
    assert len(numbers) == len(set(numbers))
    assert len(numbers) + lost == 1_000
    assert place.find() == []


@pytest.fixture
def small_files() -> Iterator[None]:
    """The kernel refuses files beyond 20 kB, as a quota would (Python ignores SIGXFSZ)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_kernels_own_limit_makes_it_go_on_in_memory(place: Place, small_files: None) -> None:
    outbox = spooled(place)
    fill(outbox, 1, 1_000)
    assert outbox.journal is None
    assert drain(outbox) == (list(range(1, 1_001)), [])


def test_a_tiny_file_system_that_is_full(tmp_path: Path) -> None:
    mount = tmp_path / "tiny"
    mount.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(mount)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("only root can mount a file system")
    try:
        outbox = spooled(Place(mount / "spool", AGENT, MIB))
        fill(outbox, 1, 2_000)
        assert outbox.journal is None
        assert drain(outbox) == (list(range(1, 2_001)), [])
    finally:
        subprocess.run(["umount", str(mount)], check=True)


@pytest.mark.parametrize("count", [1, 3_000])
def test_events_from_inside_of_a_write_come_after_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """As a signal handler or a finaliser does it, however many it has to tell."""
    outbox = spooled(place)
    write = os.write
    nested = iter(range(2, count + 2))

    def interrupted(descriptor: int, data: bytes) -> int:
        for number in nested:
            outbox.append(Kind.STARTED, number, wire(number))
        return write(descriptor, data)

    monkeypatch.setattr(journals.os, "write", interrupted)
    fill(outbox, 1, 1)
    fill(outbox, count + 2, count + 2)
    die(outbox)
    assert drain(adopt(place)) == (list(range(1, count + 3)), [])


def test_a_spool_whose_process_died_before_its_first_header_holds_nothing(place: Place) -> None:
    folder = place.create(WHO.epoch)
    header = journals.pack_header(journals.Header(WHO, 0, 1))
    segment = folder.path / f"{1:08}"
    for size in range(len(header)):
        segment.write_bytes(header[:size])
        assert Remains.is_unbegun(folder)
    segment.write_bytes(header)
    assert not Remains.is_unbegun(folder)
    segment.write_bytes(header[:-1] + b"?")  # whole, and damaged: somebody must look at it
    assert not Remains.is_unbegun(folder)
    segment.rename(folder.path / f"{2:08}")  # a later file: there were events before
    assert not Remains.is_unbegun(folder)
    folder.let_go()


def test_old_spools_shrink_to_their_count(place: Place) -> None:
    from z4j_agent.endpoint import Endpoint
    from z4j_agent.spool.adoption import GREATEST_AGE_S, Adopter
    from z4j_agent.spool.recovery import GIVEN_UP
    from z4j_agent.testing import new_credential

    outbox = spooled(place)
    fill(outbox, 1, 300)
    outbox.seal(1)
    die(outbox)
    adopter = Adopter(Endpoint("http://127.0.0.1:1", new_credential()), place, Outbox(MIB))

    def grow_old() -> None:
        (found,) = place.find()
        old = time.time() - GREATEST_AGE_S - 60
        for path in found.path.iterdir():
            os.utime(path, (old, old))

    adopter.keep_bounds()
    assert len(place.find()) == 1
    assert place.find()[0].size > 10_000
    grow_old()
    adopter.keep_bounds()
    assert place.find()[0].size < 1_000
    numbers, (gap,) = drain(adopt(place))
    assert (numbers, gap.count, gap.reason) == ([], 300, GIVEN_UP)


def test_a_spool_that_is_left_with_only_a_tail_stays(place: Place) -> None:
    outbox = spooled(place)
    fill(outbox, 1, 30)
    die(outbox)
    adopted = adopt(place)
    assert not adopted.is_drained
    adopted.leave()
    assert drain(adopt(place)) == (list(range(1, 31)), [])
