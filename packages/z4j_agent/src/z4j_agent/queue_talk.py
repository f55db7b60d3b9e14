"""What one connection says of queues: which are known, and the samples that were asked for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from z4j_agent.depths import DepthSampler
from z4j_core.frames import Depths, DepthSample, Queues, Watch
from z4j_core.waiting import MAX_QUEUES


class QueueTalk:
    """Lives on the driver's loop, except for what the sampler's thread hands over.

    `send` writes one frame to the link. Of each queue only the newest sample is kept: what has not
    left when the next one comes is superseded, and nothing of it outlives the connection.
    """

    def __init__(
        self,
        depths: DepthSampler,
        send: Callable[[Queues | Depths], Awaitable[None]],
    ) -> None:
        self._depths = depths
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._known: Queues | None = None
        self._newest: dict[tuple[str, str, str], DepthSample] = {}
        self._telling: asyncio.Task[None] | None = None

    async def tell_queues(self) -> None:
        """Tell which queues this process knows, if that has changed."""
        if not self._depths.can_sample:
            return
        known = self._depths.known()
        if known != self._known:
            self._known = known
            await self._send(known)

    def watch(self, watch: Watch) -> None:
        """Do as the server says."""
        if self._depths.can_sample:
            self._depths.watch(watch, self._report)

    def end(self) -> None:
        """The link is gone, and the election with it."""
        self._depths.rest()
        if self._telling is not None:
            self._telling.cancel()

    def _report(self, depths: Depths) -> None:
        """Take samples from the sampler's thread; raise `RuntimeError` when the loop is closed."""
        self._loop.call_soon_threadsafe(self._take, depths)

    def _take(self, depths: Depths) -> None:
        for sample in depths.samples:
            self._newest[sample.engine, sample.broker, sample.queue] = sample
        if self._telling is None or self._telling.done():
            self._telling = self._loop.create_task(self._tell())

    async def _tell(self) -> None:
        # A socket that is gone is the reader's to report.
        with contextlib.suppress(Exception):
            while self._newest:
                keys = list(self._newest)[:MAX_QUEUES]
                await self._send(Depths([self._newest.pop(key) for key in keys]))
