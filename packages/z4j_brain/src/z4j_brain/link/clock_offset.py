"""How far an agent's clock is ahead of ours, from the round trips of its heartbeats.

The agent echoes the time that we sent last and says how long it kept it. What remains of the time
until its heartbeat arrives is the round trip, and its clock was read somewhere within: assuming the
middle, the error is at most half a round trip (RFC 5905, section 8). Of the last eight samples the
one with the shortest round trip is taken, because delays only ever make a sample worse (the clock
filter of section 10).
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from z4j_core.frames import Heartbeat

SAMPLES = 8
MAX_ROUND_TRIP_US = 10_000_000
ONE_WAY_ERROR_US = 1_000_000
"""What a sample without an echo may be off: of a hello, and of an agent that does not tell one."""
SLACK_US = 50_000
"""How far two good samples may part by the drift of a clock between them."""
_LIMIT = 1 << 52


class Sample(NamedTuple):
    """An offset, and by how much it may be wrong at most (microseconds)."""

    offset_us: int
    error_us: int

    @property
    def sure_us(self) -> int:
        """The offset, unless it may as well be the error: then none.

        Most clocks are set by the network, and the waits between processes of one machine would be
        off by the delays of their links.
        """
        return self.offset_us if abs(self.offset_us) > self.error_us else 0

    def contradicts(self, other: Sample) -> bool:
        """Whether both cannot be true: the clock was set in between."""
        distance = abs(self.offset_us - other.offset_us)
        return distance > self.error_us + other.error_us + SLACK_US


class ClockOffset:
    """The offset of one link's agent. Positive: the agent's clock is ahead. Not thread-safe."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)

    @property
    def us(self) -> int | None:
        """The offset in microseconds; None before the first sample."""
        if not self._samples:
            return None
        # Of equal ones the newest.
        return min(reversed(self._samples), key=lambda sample: sample.error_us).sure_us

    def take(self, heartbeat: Heartbeat, at: int) -> None:
        """Learn from a heartbeat that arrived at `at`; one that makes no sense is passed over."""
        sample = _sample(heartbeat, at)
        if sample is None:
            return
        if any(sample.contradicts(known) for known in self._samples):
            self._samples.clear()
        self._samples.append(sample)


def one_way(said: int, at: int) -> Sample:
    """Return what one message tells: its sender's clock was read some delay before `at`."""
    return Sample(said - at, ONE_WAY_ERROR_US)


def _sample(heartbeat: Heartbeat, at: int) -> Sample | None:
    if not 0 < heartbeat.now < _LIMIT:
        return None
    if heartbeat.echo == 0:
        return one_way(heartbeat.now, at)
    round_trip = at - heartbeat.echo - heartbeat.echo_age_us
    if heartbeat.echo_age_us < 0 or not 0 <= round_trip <= MAX_ROUND_TRIP_US:
        return None
    return Sample(heartbeat.now + round_trip // 2 - at, round_trip // 2)
