"""The real parameters of open commands: in memory only, because they may hold secrets."""

from __future__ import annotations

from uuid import UUID

from z4j_core.frames import Command

MAX_COMMANDS = 10_000
MAX_BYTES = 64 * 1024 * 1024


class Held:
    """Frames of commands that have no result yet, within bounds.

    Changed on one event loop only; `get` may be called from any thread.
    """

    def __init__(self) -> None:
        self._frames: dict[UUID, Command] = {}
        self._bytes = 0

    def __contains__(self, command_id: UUID) -> bool:
        return command_id in self._frames

    def __len__(self) -> int:
        return len(self._frames)

    def is_full(self, more_bytes: int) -> bool:
        """Whether a frame with parameters of this size would exceed the bounds."""
        return len(self._frames) >= MAX_COMMANDS or self._bytes + more_bytes > MAX_BYTES

    def hold(self, command_id: UUID, frame: Command) -> None:
        """Keep a frame until it is dropped."""
        self.drop(command_id)
        self._frames[command_id] = frame
        self._bytes += _size(frame)

    def get(self, command_id: UUID) -> Command | None:
        """Return a frame that is held."""
        return self._frames.get(command_id)

    def drop(self, command_id: UUID) -> None:
        """Forget a frame; it need not be held."""
        frame = self._frames.pop(command_id, None)
        if frame is not None:
            self._bytes -= _size(frame)

    def ids(self) -> list[UUID]:
        """Return which commands are held."""
        return list(self._frames)


def _size(frame: Command) -> int:
    sealed = None if frame.task is None else frame.task.sealed
    return len(frame.params) + len(sealed or b"")
