"""Checks that talk to the server, from the name to the clock; each one presumes the one before."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
import time
import urllib.request
from collections.abc import Awaitable, Callable

from websockets.asyncio.client import ClientConnection

from z4j_agent import __version__, reasons
from z4j_agent.doctor.report import Finding, failed, ok, skipped, warning
from z4j_agent.endpoint import AgentLoop, Endpoint
from z4j_agent.greeting import hello
from z4j_agent.identity import Identity
from z4j_agent.outbox import Outbox
from z4j_agent.sampler import micros
from z4j_agent.settings import SMALLEST_OUTBOX_BYTES
from z4j_core import frames
from z4j_core.link import CloseReason, Link, LinkError
from z4j_core.link.errors import BAD_FRAME

CLOCK_WARNING_S = 2.0
NAMES = ("dns", "tcp", "tls", "link", "version", "clock")


def check_network(endpoint: Endpoint, timeout_s: float) -> list[Finding]:
    """Make the checks of `NAMES`, each for at most `timeout_s` seconds, up to the first failure."""
    with asyncio.Runner(loop_factory=AgentLoop) as runner:
        return runner.run(_Visit(endpoint, timeout_s).run())


class _Visit:
    """One round of checks of one server."""

    def __init__(self, endpoint: Endpoint, timeout_s: float) -> None:
        self._endpoint = endpoint
        self._timeout_s = timeout_s

    async def run(self) -> list[Finding]:
        findings: list[Finding] = []
        steps: list[tuple[str, Callable[[], Awaitable[list[Finding]]]]] = [
            ("dns", self._resolve),
            ("tcp", self._connect),
            ("tls", self._encrypt),
            ("link", self._link),
        ]
        if self._has_proxy():
            findings.append(skipped("dns", "a proxy is set, which resolves and connects for us"))
            steps = steps[3:]
        for name, step in steps:
            try:
                async with asyncio.timeout(self._timeout_s):
                    findings += await step()
            except Exception as error:  # whatever the server does is a finding
                reason = reasons.explain(error, self._endpoint.where)
                return [*findings, failed(name, reason.text), *_not_made(name)]
        return findings

    async def _resolve(self) -> list[Finding]:
        endpoint = self._endpoint
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
        addresses = sorted({str(entry[4][0]) for entry in found})
        return [ok("dns", f"{endpoint.host} is {', '.join(addresses[:4])}")]

    async def _connect(self) -> list[Finding]:
        _, writer = await asyncio.open_connection(self._endpoint.host, self._endpoint.port)
        writer.transport.abort()
        return [ok("tcp", f"{self._endpoint.where} accepts connections")]

    async def _encrypt(self) -> list[Finding]:
        endpoint = self._endpoint
        if not endpoint.is_tls:
            return [skipped("tls", "Z4J_URL begins with http://")]
        context = ssl.create_default_context()
        try:
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=context)
        except ConnectionResetError:  # many plain servers just hang up
            raise reasons.EndedError(reasons.not_tls(endpoint.where)) from None
        secured = writer.get_extra_info("ssl_object")
        version = secured.version() if secured is not None else "TLS"
        writer.transport.abort()
        return [ok("tls", f"{version}, certificate trusted")]

    async def _link(self) -> list[Finding]:
        connection = await self._endpoint.open(self._timeout_s)
        try:
            welcome, sent, received = await self._greet(connection)
        finally:
            with contextlib.suppress(Exception):
                await connection.close()
        offset_us = welcome.now - (sent + received) // 2
        project = reasons.clean(welcome.project)
        return [
            ok("link", f"welcomed by project {project} in {(received - sent) / 1000:.0f} ms"),
            _version(welcome),
            _clock(offset_us, received - sent),
        ]

    async def _greet(self, socket_: ClientConnection) -> tuple[frames.Welcome, int, int]:
        """Hello, welcome, goodbye; return the welcome, and when hello left and welcome came."""
        nonce = secrets.token_bytes(frames.NONCE_BYTES)
        sender = Outbox(SMALLEST_OUTBOX_BYTES).sender
        link = Link.for_agent(self._endpoint.credential.signing_key, nonce, sender)
        link.start(hello(Identity.of_this_process("doctor", None), nonce), _now())
        sent = micros()
        await _write(socket_, link)
        while True:
            for frame in link.receive(_binary(await socket_.recv()), _now()):
                if isinstance(frame, frames.Welcome):
                    received = micros()
                    link.close(CloseReason("doctor", "The visit is over."), _now())
                    await _write(socket_, link)
                    return frame, sent, received
                if isinstance(frame, frames.Goodbye):
                    text = frame.detail or "The server said goodbye."
                    raise LinkError(frame.code, text)

    def _has_proxy(self) -> bool:
        endpoint = self._endpoint
        if urllib.request.proxy_bypass(endpoint.where):
            return False
        schemes = {"wss", "socks", "https"} if endpoint.is_tls else {"ws", "socks", "https", "http"}
        return not schemes.isdisjoint(urllib.request.getproxies())


def _not_made(after: str) -> list[Finding]:
    later = NAMES[NAMES.index(after) + 1 :]
    return [skipped(name, f"not made, because {after!r} failed") for name in later]


def _version(welcome: frames.Welcome) -> Finding:
    server = reasons.clean(welcome.server_version, 40)
    text = f"agent {__version__}, server {server}, protocol {welcome.version}"
    return ok("version", text)


def _clock(offset_us: int, round_trip_us: int) -> Finding:
    seconds = abs(offset_us) / 1_000_000
    if seconds <= CLOCK_WARNING_S + round_trip_us / 1_000_000:
        return ok("clock", f"within {CLOCK_WARNING_S:.0f} s of the server's")
    side = "behind" if offset_us > 0 else "ahead of"
    return warning(
        "clock",
        f"This machine's clock is {seconds:.1f} s {side} the server's. z4j works, but its times "
        "will look wrong: switch on time synchronisation (NTP) on the one that is off.",
    )


async def _write(socket_: ClientConnection, link: Link) -> None:
    for message in link.take_outgoing():
        await socket_.send(message)


def _binary(message: str | bytes) -> bytes:
    if isinstance(message, str):
        raise LinkError(BAD_FRAME, "The server sent text; this link carries binary frames.")
    return message


def _now() -> int:
    return time.monotonic_ns() // 1000
