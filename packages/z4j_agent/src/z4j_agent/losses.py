"""What had to be dropped, counted until the server was told."""

from __future__ import annotations

from z4j_core.frames import Gap


class Losses:
    """Counts what was dropped for one reason until a `Gap` has told it. Not thread-safe."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.kinds: dict[str, int] = {}
        self.since = 0
        self.until = 0

    def add(self, kind: str, occurred_at: int, count: int = 1) -> None:
        """Count `count` events of one kind."""
        self.kinds[kind] = self.kinds.get(kind, 0) + count
        self.since = min(self.since or occurred_at, occurred_at)
        self.until = max(self.until, occurred_at)

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
