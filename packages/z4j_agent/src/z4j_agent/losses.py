"""What had to be dropped, until the server has been told."""

from __future__ import annotations

from z4j_agent.spool.records import Loss
from z4j_core.frames import Gap

NOTE_FRACTION = 20


class Losses:
    """Counts what was dropped for one reason until a `Gap` has told it. Not thread-safe."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.kinds: dict[str, int] = {}
        self.since = 0
        self.until = 0
        self._noted = 0

    def add(self, kind: str, occurred_at: int, count: int = 1) -> None:
        """Count `count` events of one kind."""
        self.kinds[kind] = self.kinds.get(kind, 0) + count
        self.since = min(self.since or occurred_at, occurred_at)
        self.until = max(self.until, occurred_at)

    def add_all(self, loss: Loss) -> None:
        """Count what another count says."""
        for kind, count in loss.kinds.items():
            self.add(kind, loss.since, count)
        self.until = max(self.until, loss.until)

    def is_worth_a_note(self) -> bool:
        """Tell whether the count has grown by a twentieth since this was last so.

        A note for each event would fill the very disk that is full.
        """
        count = sum(self.kinds.values())
        is_worth = count > self._noted + self._noted // NOTE_FRACTION
        if is_worth:
            self._noted = count
        return is_worth

    def told(self, kinds: dict[str, int]) -> None:
        """Take off what a `Gap` has told."""
        for kind, count in kinds.items():
            left = self.kinds.pop(kind, 0) - count
            if left > 0:
                self.kinds[kind] = left

    def as_loss(self) -> Loss:
        """Return the present count, to be kept in a spool."""
        return Loss(self.reason, dict(self.kinds), self.since, self.until)

    def gap(self, seq: int) -> Gap:
        """Return the frame that tells of them."""
        return Gap(
            seq=seq,
            count=max(1, sum(self.kinds.values())),
            kinds=dict(self.kinds),
            since=self.since,
            until=self.until,
            reason=self.reason,
        )
