"""A TCP proxy that misbehaves on demand: between agents and server, or server and PostgreSQL."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from enum import Enum
from types import TracebackType
from typing import Self

from services.ports import HOST, free_port

CHUNK = 65_536
_LINGER_NOT = struct.pack("ii", 1, 0)


class Mode(Enum):
    """What happens to the bytes that arrive."""

    PASS = "pass"
    STALL = "stall"
    """Nothing is read: the senders' buffers fill. All arrives later."""
    SWALLOW = "swallow"
    """All is read and forgotten while the connection stays: half-open. Ends in a reset."""


class Proxy:
    """Forwards connections on `port` to another port of this machine. Thread-safe.

    It runs on a thread of its own from `start` to `stop`, and adds or repeats nothing by itself.
    """

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self.target_port = target_port
        self.accepted = 0
        self._mode = Mode.PASS
        self._delay_s = 0.0
        self._bytes_per_s = 0
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._thread = threading.Thread(target=self._main, name="proxy", daemon=True)
        self._stopping = asyncio.Event()
        self._is_listening = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; returns when connections are accepted."""
        self._thread.start()
        if not self._is_listening.wait(60):
            raise OSError(f"the proxy does not listen on {self.port}")

    def stop(self) -> None:
        """Reset every connection and end."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(60)

    def cut(self, *, politely: bool = False) -> None:
        """End every connection there is: by a reset, or by an orderly close."""

        def cut() -> None:
            for one in list(self._connections):
                one.end(politely=politely)

        self._do(cut)

    def delay(self, seconds: float) -> None:
        """Hold every chunk (64 KiB at most) back for this long, in both directions."""
        self._do(lambda: setattr(self, "_delay_s", seconds))

    def throttle(self, bytes_per_s: int) -> None:
        """Let no more than this through, for each connection and direction; 0 is no limit."""
        self._do(lambda: setattr(self, "_bytes_per_s", bytes_per_s))

    def stall(self) -> None:
        """Read nothing from now on, of new connections neither."""
        self._set(Mode.STALL)

    def swallow(self) -> None:
        """Read and forget from now on: connections look alive and are not."""
        self._set(Mode.SWALLOW)

    def heal(self) -> None:
        """Forward everything again at once; what has lost bytes is reset."""

        def heal() -> None:
            self._delay_s, self._bytes_per_s = 0.0, 0
            for one in list(self._connections):
                if one.has_lost:
                    one.end(politely=False)

        self._do(heal)
        self._set(Mode.PASS)

    @property
    def open_connections(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    @property
    def has_lost(self) -> bool:
        """Tell whether any connection has lost bytes."""
        return any(one.has_lost for one in list(self._connections))

    async def gate(self, connection: _Connection, size: int) -> bool:
        """Wait as the present faults demand; tell whether the bytes may pass."""
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        if self._bytes_per_s:
            await asyncio.sleep(size / self._bytes_per_s)
        await self.may_read()
        if self._mode is Mode.SWALLOW:
            connection.has_lost = True
            return False
        return True

    async def may_read(self) -> None:
        """Wait while everything is stalled."""
        while self._mode is Mode.STALL:
            self._changed.clear()
            await self._changed.wait()

    def _set(self, mode: Mode) -> None:
        def change() -> None:
            self._mode = mode
            self._changed.set()

        self._do(change)

    def _do(self, what: Callable[[], object]) -> None:
        """Call on the loop and wait for it."""
        done = threading.Event()

        def call() -> None:
            what()
            done.set()

        self._loop.call_soon_threadsafe(call)
        done.wait(60)

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.closing(self._loop):
            self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._accept, HOST, self.port, limit=CHUNK)
        self._is_listening.set()
        await self._stopping.wait()
        server.close()
        for one in list(self._connections):
            one.end(politely=False)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        connection = _Connection(self, reader, writer)
        self._connections.add(connection)
        try:
            await connection.run(self.target_port)
        finally:
            self._connections.discard(connection)


class _Connection:
    """One client and, once it was reached, the server behind."""

    def __init__(
        self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.has_lost = False
        self._proxy = proxy
        self._reader = reader
        self._writers = [writer]
        self._was_polite = False

    async def run(self, target_port: int) -> None:
        """Forward both ways until one side ends."""
        await self._proxy.may_read()
        try:
            reader, writer = await asyncio.open_connection(HOST, target_port, limit=CHUNK)
        except OSError:
            self.end(politely=False)
            return
        self._writers.append(writer)
        pumps = [
            asyncio.ensure_future(self._pump(self._reader, writer)),
            asyncio.ensure_future(self._pump(reader, self._writers[0])),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for one in self._writers:
                one.close()

    def end(self, *, politely: bool) -> None:
        """Close both sides, by FIN or by RST."""
        for writer in self._writers:
            if not politely:
                with contextlib.suppress(OSError):
                    endpoint = writer.get_extra_info("socket")
                    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
                writer.transport.abort()
            else:
                writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                await self._proxy.may_read()
                data = await reader.read(CHUNK)
                if not data:
                    return
                if await self._proxy.gate(self, len(data)):
                    writer.write(data)
                    await writer.drain()
