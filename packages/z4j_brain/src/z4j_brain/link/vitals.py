"""What a worker's heartbeats say, made ready for its row."""

from __future__ import annotations

from uuid import UUID

from z4j_brain.link.clock_offset import ClockOffset
from z4j_brain.store.workers_write import Pulse
from z4j_core.frames import Heartbeat

QUIET_US = 10_000_000
"""A link that is heard all the time, but sends no heartbeat, is noted this often."""
_LARGEST = (1 << 62) - 1


class Vitals:
    """Collects signs of life of one link. Not thread-safe."""

    def __init__(self) -> None:
        self._heartbeat: Heartbeat | None = None
        self._previous: tuple[int, int] | None = None
        self._cpu_percent: float | None = None
        self._clock = ClockOffset()
        self.heard_at = 0
        self._written_at = 0

    def heard(self, now: int) -> None:
        """Note that some frame came."""
        self.heard_at = now

    def beat(self, heartbeat: Heartbeat, now: int) -> None:
        """Note a heartbeat; its CPU time is compared with that of the one before."""
        self._heartbeat = heartbeat
        self._clock.take(heartbeat, now)
        cpu_us = _bounded(heartbeat.cpu_us)  # of the JSON form any number of digits may come
        if self._previous is not None:
            cpu_before, at_before = self._previous
            spent, elapsed = cpu_us - cpu_before, now - at_before
            if elapsed > 0 and spent >= 0:
                self._cpu_percent = round(min(100.0 * spent / elapsed, 100_000.0), 1)
        self._previous = (cpu_us, now)

    def take_pulse(self, worker_row: UUID, project_id: UUID, replica: str) -> Pulse | None:
        """Return what is new since the last call, or None."""
        heartbeat, self._heartbeat = self._heartbeat, None
        if heartbeat is None and self.heard_at - self._written_at < QUIET_US:
            return None
        self._written_at = self.heard_at
        if heartbeat is None:
            return Pulse(
                worker_row=worker_row,
                project_id=project_id,
                replica=replica,
                last_seen=self.heard_at,
            )
        return Pulse(
            worker_row=worker_row,
            project_id=project_id,
            replica=replica,
            last_seen=self.heard_at,
            lag_us=_bounded(heartbeat.oldest_us),
            outbox_events=_bounded(heartbeat.outbox_events),
            dropped=_bounded(heartbeat.dropped),
            processed=_bounded(heartbeat.processed),
            rss_bytes=_bounded(heartbeat.rss_bytes),
            cpu_percent=self._cpu_percent,
            clock_offset_us=self._clock.us,
        )


def _bounded(value: int) -> int:
    return min(max(value, 0), _LARGEST)
