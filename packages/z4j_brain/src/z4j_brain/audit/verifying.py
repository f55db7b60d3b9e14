"""Proves that a chain of the audit log is whole, in constant memory, or names its first bad row."""

from __future__ import annotations

import hmac
import struct
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection

from z4j_brain.audit.encoding import MAC_BYTES, START, is_genuine, key_id, row_mac
from z4j_brain.audit.pruned import PRUNED, Position, Pruned
from z4j_brain.audit.pruned import read as read_pruned
from z4j_brain.audit.recording import BEGUN, HEAD_REPLACED, Replaced
from z4j_brain.keys import Keys
from z4j_brain.store import audit as rows
from z4j_brain.store.audit import INSTANCE, AuditRow, Head

if TYPE_CHECKING:
    from z4j_brain.store.database import Database

PAGE = 2_000
_DELETED = "this row is missing: it was deleted"
_CUT_OFF = "this row is missing: the end of the chain was cut off, the head knows {} rows"
_ADDED = "this row stands behind the last one that the head knows: it was added"
_NO_NUMBER = "no row of a chain has this number: it was added"
_UNCHAINED = "it does not follow the row before it"
_CHANGED = "its content is not what was written: it was changed, moved or made without the key"
_OTHER_KEY = "it was signed under another Z4J_SECRET (key {}), which verify was not given"
_HEAD_REPLACED = "it tells that the chain's head or end had been changed before it was written"
_NO_HEAD = "the chain has rows but no head: the head was deleted"
_FORGED_HEAD = "the chain's head is not what was written: it was changed or made without the key"
_HEAD_KEY = "the chain's head was signed under another Z4J_SECRET (key {})"
_HEAD_ELSEWHERE = "the head names another row in this place"
_TWICE = "the chain was begun a second time: what it held before was deleted"
_STRANGER = "the instance's chain does not know this one: rows of the instance are gone"
_PUT_BACK = "it was removed because of its age, and somebody has put it back"
_GONE = "the whole chain was deleted, and its head with it"


class Break(msgspec.Struct, frozen=True):
    """The first row at which a chain is not what was written, and why."""

    number: int
    reason: str


_BEGINNING = Position(0, START)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was verified of a chain: `rows` rows, the last of them at `end`.

    Rows up to `pruned` were removed by the server because of their age.
    """

    chain: uuid.UUID
    rows: int
    end: Position
    broken: Break | None = None
    is_whole: bool = True
    """Whether it reached from the first row to the head."""
    pruned: Position | None = None


class BrokenError(Exception):
    """A chain is broken; the argument says where."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"row {number}: {reason}")
        self.found = Break(number, reason)


Watch = Callable[[AuditRow], None]
"""Is shown every row that has passed."""


class Walk:
    """Goes along one chain. Not thread-safe."""

    def __init__(
        self,
        chain: uuid.UUID,
        keyring: Sequence[Keys],
        watch: Watch | None = None,
        start: Position | None = None,
    ) -> None:
        self.chain = chain
        self.rows = 0
        self.end = start or _BEGINNING
        self._is_from_first = start is None
        self._behind: Position | None = None
        """Behind which row the chain begins, when it was gone along from its first row."""
        self._newest_note: Pruned | None = None
        self._watch = watch
        derived = [keys.audit_key(chain) for keys in keyring]
        self._keys = {key_id(key): key for key in derived}

    def go(self, connection: Connection, most: int | None = None) -> bool:
        """Verify one page; False when there were fewer rows. Raises `BrokenError`."""
        limit = PAGE if most is None else min(PAGE, most)
        # From the first row on, so that one with a number below it is seen.
        after = None if self._is_from_first and not self.rows else self.end.number
        page = rows.rows_after(connection, self.chain, after, limit)
        for row in page:
            if after is None:
                after = self._begin(row)
            self._check(row)
        return len(page) == limit

    def go_until(self, connection: Connection, number: int) -> None:
        """Verify the rows from the first up to this number. Raises `BrokenError`."""
        begins = rows.first_number(connection, self.chain) or 1
        while self.end.number < number:
            left = number - max(self.end.number, begins - 1)
            if not self.go(connection, left) and self.end.number < number:
                raise BrokenError(self.end.number + 1, _DELETED)

    def finish(self, connection: Connection) -> None:
        """Verify what is left and the head, in one snapshot. Raises `BrokenError`."""
        while self.go(connection):
            pass
        self._check_beginning()
        head = rows.head(connection, self.chain)
        if head is None:
            if self.end.number:
                raise BrokenError(self.end.number, _NO_HEAD)
            return
        self._check_head(head)

    def report(self, broken: Break | None = None, *, is_whole: bool = True) -> Report:
        """Return what was verified so far."""
        note = self._newest_note
        return Report(
            chain=self.chain,
            rows=self.rows,
            end=self.end,
            broken=broken,
            is_whole=is_whole,
            pruned=None if note is None else note.position,
        )

    def _begin(self, row: AuditRow) -> int:
        """Take the first row that there is; a later one has to tell why none stands before it."""
        self._behind = _BEGINNING
        if row.number > 1:
            self._behind = self.end = Position(row.number - 1, bytes(row.previous))
        return row.number

    def check_beginning(self, connection: Connection) -> None:
        """Judge the first row before the last one is reached. Raises `BrokenError`."""
        row = rows.newest_of(connection, self.chain, PRUNED)
        key = None if row is None else self._keys.get(row.key_id)
        if row is not None and key is not None and _has_mac(key, row):
            self._newest_note = read_pruned(row)
        self._check_beginning()

    def _check_beginning(self) -> None:
        note, behind = self._newest_note, self._behind
        if behind is None:
            return
        wanted = _BEGINNING if note is None else note.position
        if behind.number > wanted.number:
            raise BrokenError(wanted.number + 1, _DELETED)
        if behind.number < wanted.number:
            raise BrokenError(behind.number + 1, _PUT_BACK)
        if not hmac.compare_digest(behind.mac, wanted.mac):
            raise BrokenError(behind.number + 1, _UNCHAINED)

    def _check(self, row: AuditRow) -> None:
        wanted = self.end.number + 1
        if row.number < wanted:
            raise BrokenError(row.number, _NO_NUMBER)
        if row.number > wanted:
            raise BrokenError(wanted, _DELETED)
        key = self._keys.get(row.key_id)
        if key is None:
            raise BrokenError(row.number, _OTHER_KEY.format(row.key_id[:64]))
        if not hmac.compare_digest(bytes(row.previous), self.end.mac):
            raise BrokenError(row.number, _UNCHAINED)
        if not _has_mac(key, row):
            raise BrokenError(row.number, _CHANGED)
        if row.action == HEAD_REPLACED and not self._explains(row):
            raise BrokenError(row.number, _HEAD_REPLACED)
        self.rows += 1
        self.end = Position(row.number, row.mac)
        if row.action == PRUNED:
            self._newest_note = read_pruned(row)
        if self._watch is not None:
            self._watch(row)

    def _explains(self, row: AuditRow) -> bool:
        """Tell whether the head that a row keeps was good: then only the key was changed."""
        try:
            note = msgspec.json.decode(row.after or "", type=Replaced).head
            if note is None:
                return False
            last, mac = bytes.fromhex(note.last), bytes.fromhex(note.mac)
        except (msgspec.DecodeError, ValueError):
            return False
        key = self._keys.get(note.key_id)
        former = Head(self.chain, note.number, last, note.key_id, mac)
        follows = (note.number, last) == (row.number - 1, row.previous)
        return key is not None and follows and is_genuine(key, former)

    def _check_head(self, head: Head) -> None:
        key = self._keys.get(head.key_id)
        if key is None:
            raise BrokenError(self.end.number, _HEAD_KEY.format(head.key_id[:64]))
        if not is_genuine(key, head):
            raise BrokenError(self.end.number, _FORGED_HEAD)
        if head.number > self.end.number:
            raise BrokenError(self.end.number + 1, _CUT_OFF.format(head.number))
        if head.number < self.end.number:
            raise BrokenError(head.number + 1, _ADDED)
        if not hmac.compare_digest(head.last, self.end.mac):
            raise BrokenError(head.number, _HEAD_ELSEWHERE)


def verify_chain(
    database: Database,
    keyring: Sequence[Keys],
    chain: uuid.UUID,
    watch: Watch | None = None,
) -> Report:
    """Verify a whole chain, page by page, while others append to it.

    `keyring` holds the present keys and, after a change of `Z4J_SECRET`, the former ones. Holds one
    page of rows in memory, and no snapshot but for the last rows.
    """
    while True:
        with database.read() as connection:
            first = rows.first_number(connection, chain)
        report = _verify_once(database, Walk(chain, keyring, watch))
        if report.broken is None:
            return report
        with database.read() as connection:
            # Rows that the server has removed meanwhile are missing for a good reason.
            if rows.first_number(connection, chain) == first:
                return report


def _verify_once(database: Database, walk: Walk) -> Report:
    try:
        for connection in _snapshots(database):
            if not walk.go(connection):
                break
        with database.read() as connection:
            walk.finish(connection)
    except BrokenError as error:
        return walk.report(error.found)
    return walk.report()


def verify_part(
    connection: Connection, keyring: Sequence[Keys], chain: uuid.UUID, first: int, most: int
) -> Report:
    """Verify at most `most` rows from the number `first` on, and the head if they reach it.

    The row before `first` is taken at its word, unless the chain begins there.
    """
    begins = rows.first_number(connection, chain) or 1
    start = None if first <= begins else _before(connection, chain, first)
    if first > begins and start is None:
        broken = Break(first - 1, _DELETED)
        end = Position(first - 1, START)
        return Report(chain=chain, rows=0, end=end, broken=broken, is_whole=False)
    walk = Walk(chain, keyring, start=start)
    try:
        while walk.rows < most and walk.go(connection, most - walk.rows):
            pass
        reaches = walk.end.number >= rows.last_number(connection, chain)
        if reaches:
            walk.finish(connection)
        else:
            walk.check_beginning(connection)
    except BrokenError as error:
        return walk.report(error.found, is_whole=False)
    return walk.report(is_whole=reaches and start is None)


def _before(connection: Connection, chain: uuid.UUID, first: int) -> Position | None:
    mac = rows.mac_at(connection, chain, first - 1)
    return None if mac is None else Position(first - 1, mac)


_REMOVED = 0
"""Stands for the number of a row that was removed because of its age."""


class Births:
    """Remembers which chains the instance's chain knows of; a `Watch` of that chain."""

    def __init__(self) -> None:
        self._begun: dict[str, set[int]] = {}

    def __call__(self, row: AuditRow) -> None:
        """Look at a row of the instance's chain; a second time does not matter."""
        if row.action == BEGUN and row.object_id is not None:
            self._begun.setdefault(row.object_id, set()).add(row.number)
        note = read_pruned(row)
        for chain in () if note is None else note.begun:
            self._begun.setdefault(str(chain), set()).add(_REMOVED)

    def chains(self) -> set[uuid.UUID]:
        """Return the chains that were begun."""
        return {uuid.UUID(text) for text in self._begun}

    def fault(self, chain: uuid.UUID, *, has_head: bool) -> Break | None:
        """Return what the instance's chain says against a chain that is whole in itself."""
        times = len(self._begun.get(str(chain), ()))
        if chain == INSTANCE:
            return None
        if times > 1:
            return Break(1, _TWICE)
        if times == has_head:
            return None
        return Break(1, _STRANGER if has_head else _GONE)


def _has_mac(key: bytes, row: AuditRow) -> bool:
    try:
        return len(row.mac) == MAC_BYTES and hmac.compare_digest(row_mac(key, row), row.mac)
    except (struct.error, UnicodeEncodeError):
        return False


def _snapshots(database: Database) -> Iterator[Connection]:
    while True:
        with database.read() as connection:
            yield connection
