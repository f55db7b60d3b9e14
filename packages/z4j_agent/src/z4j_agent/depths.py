"""Samples the queues that the server elected this process for, on a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from threading import Condition, Thread

import msgspec

from z4j_agent.sampler import micros
from z4j_core.frames import Depths, DepthSample, KnownBroker, Queues, Watch, Watched
from z4j_core.plugins import Engine
from z4j_core.waiting import MAX_BROKERS, MAX_COUNT, Broker, Depth

_log = logging.getLogger("z4j.agent")


class DepthSampler:
    """Asks engines how deep their queues are, while a link watches. Thread-safe.

    The thread is started by the first `watch` that names a queue, so only elected processes have
    one; between samples it waits, and it holds no connection. `report` is called on it.
    """

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = {engine.name: engine for engine in engines if engine.tells_depths()}
        self._changed = Condition()
        self._watch: Watch | None = None
        self._report: Callable[[Depths], None] | None = None
        self._round = 0
        self._is_closed = False
        self._thread: Thread | None = None
        self._complaints: set[str] = set()

    @property
    def can_sample(self) -> bool:
        """Tell whether any engine of this process tells depths."""
        return bool(self._engines)

    def known(self) -> Queues:
        """Return the brokers and queues that this process knows now; no I/O, never raises."""
        found: list[KnownBroker] = []
        for name, engine in self._engines.items():
            try:
                found += [KnownBroker(name, _checked(broker)) for broker in engine.brokers()]
            except Exception as error:  # a stranger's plugin must not end the link
                self._complain(f"The queues of {name} cannot be told", error)
        return Queues(found[:MAX_BROKERS])

    def watch(self, watch: Watch, report: Callable[[Depths], None]) -> None:
        """Sample these queues from now on instead of those before, and report each round."""
        with self._changed:
            self._watch, self._report = watch, report
            self._round += 1
            if self._thread is None and watch.watched and not self._is_closed:
                self._thread = Thread(target=self._work, name="z4j-agent-depths", daemon=True)
                self._thread.start()
                _log.info("This process samples the depth of its queues for z4j.")
            self._changed.notify()

    def rest(self) -> None:
        """Sample nothing until the next `watch`: the link has ended."""
        with self._changed:
            self._watch = self._report = None
            self._round += 1
            self._changed.notify()

    def close(self) -> None:
        """End the thread soon; a question to a broker that is under way is not waited for."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or self._is_wanted())
                if self._is_closed:
                    return
                watch, report, number = self._watch, self._report, self._round
            begun = time.monotonic()
            if watch is not None and report is not None:
                self._sample(watch, report)
                rest = watch.every_s - (time.monotonic() - begun)
                # A round that takes longer than its interval still leaves the broker some peace.
                self._pause(max(rest, watch.every_s / 4), number)

    def _is_wanted(self) -> bool:
        return self._watch is not None and bool(self._watch.watched)

    def _pause(self, seconds: float, number: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or self._round != number, seconds)

    def _sample(self, watch: Watch, report: Callable[[Depths], None]) -> None:
        for watched in watch.watched:
            samples = self._ask(watched)
            if samples:
                with contextlib.suppress(RuntimeError):  # the driver has ended meanwhile
                    report(Depths(samples))

    def _ask(self, watched: Watched) -> list[DepthSample]:
        engine = self._engines.get(watched.engine)
        if engine is None:
            return []
        try:
            told = engine.queue_depths(watched.broker, watched.queues)
            now = micros()
            # Also what cannot be told is told: silence would have another process try.
            return [
                _sample(watched, queue, told.get(queue, Depth()), now) for queue in watched.queues
            ]
        except Exception as error:  # a broker's client raises what it likes; the next round asks
            self._complain(f"The queues of {watched.engine} cannot be sampled", error)
            return []

    def _complain(self, what: str, error: Exception) -> None:
        # The text of a broker's error may hold its address and password: only the type is said.
        key = f"{what}: {type(error).__name__}"
        if key not in self._complaints and len(self._complaints) < 20:
            self._complaints.add(key)
            _log.warning("%s (%s).", what, type(error).__name__)


def _checked(broker: Broker) -> Broker:
    """Hold what a plugin says to the limits of the protocol; raise for what breaks them."""
    return msgspec.convert(msgspec.to_builtins(broker), Broker)


def _sample(watched: Watched, queue: str, depth: Depth, now: int) -> DepthSample:
    oldest = depth.oldest_at
    return DepthSample(
        engine=watched.engine,
        broker=watched.broker,
        queue=queue,
        waiting=_count(depth.waiting),
        unacked=_count(depth.unacked),
        consumers=_count(depth.consumers),
        oldest_us=None if oldest is None else _count(max(0, now - oldest)),
    )


def _count(value: int | None) -> int | None:
    """What is no possible count is not told."""
    return value if value is not None and 0 <= value <= MAX_COUNT else None
