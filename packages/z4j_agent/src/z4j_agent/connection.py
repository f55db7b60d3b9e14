"""One WebSocket and the link on it, from hello to goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from websockets.asyncio.client import ClientConnection

from z4j_agent import reasons
from z4j_agent.depths import DepthSampler
from z4j_agent.outbox import Outbox
from z4j_agent.queue_talk import QueueTalk
from z4j_agent.sampler import heartbeat, micros
from z4j_agent.schedule_talk import ScheduleTalk
from z4j_agent.schedules import ScheduleReader
from z4j_core import frames
from z4j_core.link import CloseReason, Link, LinkError, State
from z4j_core.link.errors import BAD_FRAME, SHUTDOWN

WELCOME_TIMEOUT_S = 10.0
LINGER_S = 0.25
TICK_S = 5.0
GOODBYE_S = 0.2

_log = logging.getLogger("z4j.agent")


class Stopping:
    """The wish to end, and by when (`time.monotonic()` seconds). Set on the driver's loop."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.deadline = 0.0

    @property
    def is_set(self) -> bool:
        """Tell whether the end is wished."""
        return self.event.is_set()


class Connection:
    """Moves frames between a socket, its `Link`, the outbox and the commands' dispatcher.

    Lives on the driver's loop. The clock given to the link is monotonic: a jump of the wall clock
    must not look like silence.
    """

    def __init__(
        self,
        socket: ClientConnection,
        link: Link,
        outbox: Outbox,
        stopping: Stopping,
        on_command: Callable[[frames.Command], None],
        depths: DepthSampler | None = None,
        schedules: ScheduleReader | None = None,
    ) -> None:
        self.clock_offset_us = 0
        self._socket = socket
        self._link = link
        self._outbox = outbox
        self._stopping = stopping
        self._on_command = on_command
        self._queues = QueueTalk(depths or DepthSampler(()), self._send_one)
        self._schedules = None if schedules is None else ScheduleTalk(schedules, self._send_one)
        self._loop = asyncio.get_running_loop()
        self._work = asyncio.Event()
        self._urgent = asyncio.Event()
        self._writing = asyncio.Lock()
        self._max_events = frames.MAX_EVENTS
        self._heartbeat_s = TICK_S
        self._last_beat = 0.0
        self._complaints: set[str] = set()
        self._heard: tuple[int, int] | None = None

    async def greet(self, hello: frames.Hello) -> frames.Welcome:
        """Say hello and return the welcome; raise what `reasons.explain` understands."""
        self._link.start(hello, _now())
        await self._write()
        try:
            async with asyncio.timeout(WELCOME_TIMEOUT_S):
                while True:
                    for frame in self._receive(await self._socket.recv()):
                        if isinstance(frame, frames.Welcome):
                            self._begin(frame)
                            return frame
                    self._raise_goodbye()
        except TimeoutError:
            raise reasons.NoAnswerError from None

    async def run(self) -> None:
        """Serve the open link until everything is sent after the wish to stop.

        Raise what ended the link before that; `reasons.explain` understands it.
        """
        await self._beat()
        await self._queues.tell_queues()
        sender = asyncio.create_task(self._send())
        others = [asyncio.create_task(self._read()), asyncio.create_task(self._tick())]
        watcher = asyncio.create_task(self._watch_stop())
        try:
            await asyncio.wait([sender, *others], return_when=asyncio.FIRST_COMPLETED)
            for task in (*others, sender):
                if task.done():
                    task.result()
        finally:
            self._queues.end()
            if self._schedules is not None:
                self._schedules.end()
            for task in (sender, *others, watcher):
                task.cancel()
            await asyncio.gather(sender, *others, watcher, return_exceptions=True)
        self._raise_goodbye()

    async def close(self, code: str = SHUTDOWN, detail: str = "The process ends.") -> None:
        """Say goodbye if that is still possible, and close; never raises, takes at most 1.2 s."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(GOODBYE_S):
                self._link.close(CloseReason(code, detail), _now())
                await self._write()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1.0):
                await self._socket.close()
        self._socket.transport.abort()

    def hurry(self) -> None:
        """Send at once what was pushed (a result), instead of lingering. Loop's thread only."""
        self._work.set()
        self._urgent.set()

    def acted(self, name: str) -> None:
        """An engine or scheduler has carried out a command. Loop's thread only."""
        if self._schedules is not None:
            self._schedules.acted(name)

    def descriptor(self) -> int:
        """Return the socket's file descriptor, or -1."""
        info = self._socket.transport.get_extra_info("socket")
        return -1 if info is None else int(info.fileno())

    def _begin(self, welcome: frames.Welcome) -> None:
        self.clock_offset_us = welcome.now - micros()
        self._heard = (welcome.now, _now())
        self._max_events = min(max(1, welcome.max_events), frames.MAX_EVENTS)
        self._heartbeat_s = min(max(1.0, float(welcome.heartbeat_s)), 60.0)
        self._outbox.settle()

    async def _watch_stop(self) -> None:
        await self._stopping.event.wait()
        self.hurry()

    async def _send(self) -> None:
        """Send batches; end when everything was acknowledged after the wish to stop."""
        while not self._stopping.is_set:
            sealed = await self._flush()
            if sealed:
                await self._linger()
            elif self._outbox.wait(self._wake) or not self._outbox.has_room(self._link.window):
                await self._work.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._stopping.deadline - GOODBYE_S):
                await self._drain()

    async def _drain(self) -> None:
        await self._queues.tell_queues()  # of a short life the last look was before its end
        while True:
            await self._flush()
            if self._outbox.is_drained:
                return
            if not self._outbox.has_room(self._link.window) or not self._outbox.has_pending:
                await self._work.wait()

    async def _flush(self) -> int:
        self._work.clear()
        sealed = self._outbox.seal(self._link.window, self._max_events)
        self._link.pump(_now())
        await self._write()
        return sealed

    async def _linger(self) -> None:
        """Let events gather, so that a busy process sends full frames, unless urged."""
        self._urgent.clear()
        if self._stopping.is_set:
            return
        timer = self._loop.call_later(LINGER_S, self._urgent.set)
        await self._urgent.wait()
        timer.cancel()

    def _wake(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(self._work.set)

    async def _read(self) -> None:
        while self._link.state is not State.CLOSED:
            for frame in self._receive(await self._socket.recv()):
                await self._act(frame)

    def _receive(self, message: str | bytes) -> list[frames.AnyFrame | frames.UnknownFrame]:
        if isinstance(message, str):
            raise LinkError(BAD_FRAME, "The server sent text; this link carries binary frames.")
        return self._link.receive(message, _now())

    async def _act(self, frame: frames.AnyFrame | frames.UnknownFrame) -> None:
        if isinstance(frame, frames.Ack):
            self._outbox.settle()
            self._work.set()
        elif isinstance(frame, frames.Command):
            if not self._stopping.is_set:
                self._on_command(frame)
        elif isinstance(frame, frames.Heartbeat):
            self._heard = (frame.now, _now())
        elif isinstance(frame, frames.Watch):
            if not self._stopping.is_set:
                self._queues.watch(frame)
        elif isinstance(frame, frames.WatchSchedules):
            if self._schedules is not None and not self._stopping.is_set:
                self._schedules.watch(frame)
        elif isinstance(frame, frames.Error):
            self._complain(frame)
        elif isinstance(frame, frames.UnknownFrame):
            answer = frames.Error("unknown_frame", f"This agent does not know {frame.name!r}.")
            await self._send_one(answer)

    def _complain(self, error: frames.Error) -> None:
        text = f"{reasons.clean(error.code, 40)}: {reasons.clean(error.detail, 300)}"
        if text not in self._complaints and len(self._complaints) < 20:
            self._complaints.add(text)
            _log.warning("The z4j server complains: %s", text)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(min(TICK_S, self._heartbeat_s))
            is_due = self._link.tick(_now())
            if is_due or time.monotonic() - self._last_beat >= self._heartbeat_s:
                await self._beat()
            await self._queues.tell_queues()

    async def _beat(self) -> None:
        self._last_beat = time.monotonic()
        await self._send_one(heartbeat(self._outbox.fill(), *self._echo()))

    async def _send_one(self, frame: frames.SendableFrame) -> None:
        self._link.send(frame, _now())
        await self._write()

    def _echo(self) -> tuple[int, int]:
        """Return the server's time as last heard, and how long ago that was (microseconds)."""
        if self._heard is None:
            return 0, 0
        said, heard_at = self._heard
        return said, _now() - heard_at

    async def _write(self) -> None:
        """Signed messages are numbered, so they must leave in the order of their signing."""
        async with self._writing:
            for message in self._link.take_outgoing():
                await self._socket.send(message)

    def _raise_goodbye(self) -> None:
        said = self._link.close_reason
        if said is not None:
            reason = reasons.of_goodbye(said.code, said.detail, said.retry_after_s)
            raise reasons.EndedError(reason)


def _now() -> int:
    """Monotonic microseconds, for the link's timers."""
    return time.monotonic_ns() // 1000
