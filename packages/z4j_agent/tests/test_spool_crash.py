"""A process that dies at any write, and adopters that die too: everything arrives exactly once."""

from __future__ import annotations

import os
import random
import tempfile
import uuid
from collections.abc import Callable
from mmap import mmap
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from z4j_agent.greeting import hello_of_the_dead
from z4j_agent.identity import Identity
from z4j_agent.outbox import Outbox
from z4j_agent.spool import front as fronts
from z4j_agent.spool import journal as journals
from z4j_agent.spool.front import Front
from z4j_agent.spool.journal import Journal
from z4j_agent.spool.place import Folder, Place
from z4j_agent.spool.recovery import Remains
from z4j_core.events import Kind, WireEvent
from z4j_core.link import Link
from z4j_core.testing import MemoryBrain

WHO = Identity("w1", "ab" * 16, "worker", "host", 1, 5)
LIMIT = 20_000
encode = msgspec.msgpack.Encoder().encode


BEGIN, REWRITE = Front.__init__, Folder.write_segment


class KilledError(BaseException):
    """Stands for SIGKILL: nothing of the process runs after it."""


class Killer:
    """Counts what is written and deleted; kills at a certain step, within or after the write."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self.left = 1 << 60

    def write(self, descriptor: int, data: bytes) -> int:
        self.left -= 1
        if self.left < 0:
            raise KilledError
        if self.left == 0:
            os.write(descriptor, data[: self._draw.randint(0, len(data))])
            raise KilledError
        return os.write(descriptor, data)

    def copying(self, write: Callable[[bytes], int]) -> Callable[[bytes], int]:
        """Return a front's `write`, which may copy only a part."""

        def copy(record: bytes) -> int:
            self.left -= 1
            if self.left < 0:
                raise KilledError
            whole = self.left != 0
            taken = write(record if whole else record[: self._draw.randint(0, len(record))])
            if not whole:
                raise KilledError
            return taken

        return copy

    @property
    def begin(self) -> Callable[[Front, mmap, int], None]:
        """`Front.__init__`, of which the front is written by `copying`."""

        def begin(front: Front, memory: mmap, descriptor: int) -> None:
            BEGIN(front, memory, descriptor)
            front.write = self.copying(memory.write)

        return begin

    @property
    def rewrite(self) -> Callable[[Folder, int, int, bytes], None]:
        """`Folder.write_segment`, which may write only a part."""

        def rewrite(folder: Folder, number: int, offset: int, content: bytes) -> None:
            self.left -= 1
            if self.left < 0:
                raise KilledError
            whole = self.left != 0
            REWRITE(folder, number, offset, content if whole else content[: len(content) // 2])
            if not whole:
                raise KilledError

        return rewrite

    def delete(self, folder: Folder, number: int) -> None:
        self.left -= 1
        if self.left <= 0:
            raise KilledError
        (folder.path / f"{number:08}").unlink()


class World:
    """One agent, its spool and the server; `crash` ends the process that is at work."""

    def __init__(self, root: Path, has_front: bool) -> None:
        self.has_front = has_front
        self.place = Place(root, uuid.UUID(int=7), 1 << 30)
        self.brain = MemoryBrain()
        self.accepted: list[int] = []
        self.tried = 0
        self.outbox = Outbox(LIMIT)
        self.link: Link | None = None
        self.is_over = False

    def begin(self) -> None:
        folder = self.place.create(WHO.epoch)
        front = Front.create(folder) if self.has_front else None
        assert (front is not None) == self.has_front
        journal = Journal(folder, WHO, 1 << 30, self.outbox.losses, front=front)
        self.outbox.write_to(journal)

    def emit(self, count: int) -> None:
        for _ in range(count):
            self.tried += 1
            number = self.tried
            event = WireEvent(
                Kind.STARTED, "celery", f"t{number}", 0, number, None, None, b"x" * 100
            )
            self.outbox.append(Kind.STARTED, number, encode(event))
            self.accepted.append(number)

    def connect(self) -> None:
        self.brain.restart()
        nonce = uuid.uuid4().bytes
        self.link = Link.for_agent(self.brain.signing_key, nonce, self.outbox.sender)
        self.link.start(hello_of_the_dead(WHO, nonce), 1)
        self.talk(commits=True)
        self.outbox.settle()

    def talk(self, commits: bool, acknowledges: bool = True) -> None:
        link = self.link
        assert link is not None
        link.pump(1)
        for message in link.take_outgoing():
            self.brain.receive(message, 1)
        if commits:
            self.brain.commit(1)
        if acknowledges:
            for message in self.brain.link.take_outgoing():
                link.receive(message, 1)

    def send(self, window: int, commits: bool, acknowledges: bool) -> None:
        if self.is_over:
            return
        if self.link is None:
            self.connect()
        self.outbox.seal(window, 7)
        self.talk(commits, acknowledges)
        self.outbox.settle()
        if not acknowledges:
            self.link = None

    def crash(self) -> None:
        """Free the lock, as the kernel does, and let an adopter go on."""
        if self.is_over:
            return
        self.outbox.let_go()
        self.link = None
        found = self.place.find()
        if not found:
            self.is_over = True  # nothing was left: the next process is of another epoch
            return
        folder = self.place.take(found[0].path)
        assert folder is not None
        try:
            remains = Remains.of(folder)
            if remains is None:
                folder.delete()
                self.is_over = True
                return
            self.outbox = remains.outbox(LIMIT // 2, 1 << 30)
        except KilledError:
            folder.let_go()
            raise

    def finish(self) -> None:
        for _ in range(1000):
            self.send(32, commits=True, acknowledges=True)
            if self.outbox.is_drained or self.is_over:
                return
        raise AssertionError("the adopter does not come to an end")


steps = st.lists(
    st.one_of(
        st.tuples(st.just("emit"), st.integers(1, 120)),
        st.tuples(st.just("send"), st.integers(1, 8), st.booleans(), st.booleans()),
        st.tuples(st.just("cut")),
        st.tuples(st.just("crash")),
        st.tuples(st.just("leave")),
    ),
    max_size=14,
)


@settings(max_examples=300, deadline=None)
@given(
    script=steps,
    has_front=st.booleans(),
    kills=st.lists(st.integers(1, 300), min_size=1, max_size=4),
    draw=st.randoms(use_true_random=False),
)
def test_whenever_it_dies_all_that_was_accepted_arrives_once(
    script: list[tuple[Any, ...]], has_front: bool, kills: list[int], draw: random.Random
) -> None:
    killer = Killer(draw)
    before = (journals.os, journals.SEGMENT_BYTES, journals.RESET_BYTES, journals.TAIL_BYTES)
    delete, rewrite = Folder.delete_segment, Folder.write_segment
    fronts_before = (fronts.SHARED_MEMORY, fronts.FRONT_BYTES, fronts._is_tmpfs)
    journals.os = _Os(killer)  # type: ignore[assignment]
    journals.SEGMENT_BYTES, journals.RESET_BYTES, journals.TAIL_BYTES = 2_000, 500, 1_000
    Folder.delete_segment = lambda folder, number: killer.delete(folder, number)  # type: ignore[method-assign]
    Folder.write_segment = killer.rewrite  # type: ignore[method-assign]
    Front.__init__ = killer.begin  # type: ignore[method-assign]
    try:
        with tempfile.TemporaryDirectory(dir=fronts.SHARED_MEMORY) as root:
            fronts.SHARED_MEMORY, fronts.FRONT_BYTES = Path(root), 3_000
            fronts._is_tmpfs = lambda _path: True  # a folder in one
            world = World(Path(root) / "spool", has_front)
            world.begin()
            play(world, killer, script, kills)
    finally:
        journals.os, journals.SEGMENT_BYTES, journals.RESET_BYTES, journals.TAIL_BYTES = before
        Folder.delete_segment = delete  # type: ignore[method-assign]
        Folder.write_segment = rewrite  # type: ignore[method-assign]
        Front.__init__ = BEGIN  # type: ignore[method-assign]
        fronts.SHARED_MEMORY, fronts.FRONT_BYTES, fronts._is_tmpfs = fronts_before
    arrived = [event.occurred_at for event in world.brain.events]
    assert len(arrived) == len(set(arrived)), "recorded twice"
    assert not set(world.accepted) - set(arrived), "accepted and lost"
    assert arrived == sorted(arrived)
    assert world.brain.gaps == []


class _Os:
    """The module `os` as the journal sees it, with a write that may be the last one."""

    def __init__(self, killer: Killer) -> None:
        self.write = killer.write

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def play(world: World, killer: Killer, script: list[tuple[Any, ...]], kills: list[int]) -> None:
    left = list(kills)
    killer.left = left.pop(0)
    is_original = True
    for step in script:
        try:
            if step[0] == "emit" and is_original:
                world.emit(step[1])
            elif step[0] == "send":
                world.send(*step[1:])
            elif step[0] == "cut":
                world.link = None
            elif step[0] == "leave":  # an adopter that lost its link, or a clean end
                world.outbox.leave()
                raise KilledError
            elif step[0] == "crash":
                raise KilledError
        except KilledError:
            is_original = False
            resurrect(world, killer, left)
    resurrect(world, killer, left)
    while True:
        try:
            world.finish()
            return
        except KilledError:
            resurrect(world, killer, left)


def resurrect(world: World, killer: Killer, left: list[int]) -> None:
    """Adopt; the adopter may be killed while it begins, too."""
    while True:
        killer.left = left.pop(0) if left else 1 << 60
        try:
            world.crash()
            return
        except KilledError:
            continue
