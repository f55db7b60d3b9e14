"""What one project's feed has seen: recent changes by offset, and those not yet sent.

Offsets are counted in the database, one for each transaction, and are published after its commit:
they can arrive slightly out of order, and a transaction of another process is never published
here. `settled` is the offset up to which nothing is missing; it is the only one that a reader may
resume from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from uuid import UUID

from z4j_brain.live.changes import MAX_ISSUES, Changes, TaskKey

MANY_TASKS = 500
"""From this many changed tasks on, readers are told to read again instead."""
RING_ENTRIES = 2_000
RING_KEYS = 20_000
_NOTHING = -1
PATIENCE_S = 2.0
"""How long an offset may be missing before it counts as written by another process."""


class Pending:
    """Keys that changed since they were last taken, each once; tasks only up to `MANY_TASKS`."""

    def __init__(self) -> None:
        self._tasks: dict[TaskKey, None] = {}
        self._workers: dict[UUID, None] = {}
        self._commands: dict[UUID, None] = {}
        self._agents: dict[UUID, None] = {}
        self._issues: dict[str, None] = {}

    def add(self, changes: Changes) -> None:
        """Add the keys of one transaction."""
        if not self.is_many:
            self._tasks.update(dict.fromkeys(changes.task_keys))
        self._workers.update(dict.fromkeys(changes.workers))
        self._commands.update(dict.fromkeys(changes.commands))
        self._agents.update(dict.fromkeys(changes.agents))
        if len(self._issues) < MAX_ISSUES:
            self._issues.update(dict.fromkeys(changes.issues))

    @property
    def is_many(self) -> bool:
        """Whether so many tasks changed that they are not listed."""
        return len(self._tasks) >= MANY_TASKS

    @property
    def size(self) -> int:
        """How many keys these are."""
        some = len(self._tasks) + len(self._workers) + len(self._commands)
        return some + len(self._agents) + len(self._issues)

    def changes(self) -> Changes:
        """Return the keys; the list of tasks is empty when there are too many."""
        return Changes(
            task_keys=[] if self.is_many else list(self._tasks),
            workers=list(self._workers),
            commands=list(self._commands),
            agents=list(self._agents),
            issues=list(self._issues)[:MAX_ISSUES],
        )


class Feed:
    """Pure bookkeeping: no clock, no lock, no database. `now_s` is a monotonic time in seconds."""

    def __init__(self) -> None:
        self.settled = _NOTHING
        self._held_from = 0
        self._ring: deque[tuple[int, Changes]] = deque()
        self._ring_keys = 0
        self._early: set[int] = set()
        self._behind_since: float | None = None
        self._has_moved_on = False
        self._pending = Pending()
        self.is_dirty = False

    def start(self, position: int) -> None:
        """Begin at this offset, unless something was published already."""
        if self.settled == _NOTHING:
            self.settled = self._held_from = position

    def add(self, offset: int, changes: Changes) -> None:
        """Note what the transaction with this offset changed."""
        if self.settled == _NOTHING:
            self.settled, self._held_from = offset, offset - 1
        elif offset > self.settled:
            self._early.add(offset)
            self._settle()
            if len(self._early) > RING_ENTRIES:
                # Nobody may be there to call `check`, and what is held would not reach back.
                self._move_on(max(self._early))
        self._ring.append((offset, changes))
        self._ring_keys += changes.size
        self._shorten()
        self._pending.add(changes)
        self.is_dirty = True

    def _settle(self) -> None:
        while self.settled + 1 in self._early:
            self.settled += 1
            self._early.discard(self.settled)
            self._behind_since = None

    def _shorten(self) -> None:
        while self._ring and (len(self._ring) > RING_ENTRIES or self._ring_keys > RING_KEYS):
            offset, changes = self._ring.popleft()
            self._ring_keys -= changes.size
            self._held_from = max(self._held_from, offset)

    def take(self) -> Pending:
        """Return what changed since the last call."""
        taken, self._pending, self.is_dirty = self._pending, Pending(), False
        return taken

    def since(self, offset: int) -> Pending | None:
        """Return what changed after this offset, or None when that is no longer known."""
        if self.settled == _NOTHING or offset < self._held_from:
            return None
        return merge(changes for at, changes in self._ring if at > offset)

    def check(self, position: int, now_s: float) -> bool:
        """Compare with the database's offset; True when changes were missed for good.

        Call it every few seconds. Then `settled` has moved on and every reader must read again.
        """
        self.start(position)
        if self._has_moved_on:
            self._has_moved_on = False
            return True
        if position <= self.settled and not self._early:
            self._behind_since = None
            return False
        if self._behind_since is None:
            self._behind_since = now_s
        if now_s - self._behind_since < PATIENCE_S:
            return False
        self._move_on(max([position, *self._early]))
        self._has_moved_on = False
        return True

    def _move_on(self, offset: int) -> None:
        """Wait no longer for what is missing up to this offset."""
        self.settled = self._held_from = offset
        self._ring.clear()
        self._ring_keys = 0
        self._early.clear()
        self._behind_since = None
        self._has_moved_on = True


def merge(many: Iterable[Changes]) -> Pending:
    """Return the keys of all, each once."""
    merged = Pending()
    for changes in many:
        merged.add(changes)
    return merged
