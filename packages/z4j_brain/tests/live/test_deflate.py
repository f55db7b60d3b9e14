"""Messages that claim to be compressed, on both WebSockets: nothing is ever inflated."""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import zlib
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)

FIN, RSV1, TEXT, BINARY = 0x80, 0x40, 1, 2


def _bomb() -> bytes:
    """200 MiB of zeros in 200 KiB, as permessage-deflate writes them (RFC 7692, 7.2.1)."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    parts = [deflater.compress(bytes(1 << 20)) for _ in range(200)]
    return b"".join(parts) + deflater.flush(zlib.Z_SYNC_FLUSH)[:-4]


def _frame(opcode: int, content: bytes) -> bytes:
    """A masked frame (RFC 6455, 5.2) whose first reserved bit is set."""
    head = bytes([FIN | RSV1 | opcode, 0x80 | 127]) + struct.pack(">Q", len(content))
    return head + bytes(4) + content  # a mask of zeros leaves the content as it is


@pytest.mark.parametrize(("path", "opcode"), [("/ws", BINARY), ("/ws/dashboard", TEXT)])
def test_a_bomb_is_refused_unread(play: Any, agent: Any, path: str, opcode: int) -> None:
    async def scenario(served: Any) -> None:
        parts = urlsplit(served.url)
        headers = {
            "Host": parts.netloc,
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=15",
        }
        if path == "/ws":
            bearer = agent(served)._credential.bearer()
            headers |= {"Authorization": f"Bearer {bearer}", "Sec-WebSocket-Protocol": "z4j.1"}
        else:
            headers |= {"Cookie": f"z4j_session={served.session()}", "Origin": served.url}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        async with asyncio.timeout(60):
            writer.write("\r\n".join([*lines, "", ""]).encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 101")
            assert b"sec-websocket-extensions" not in answer.lower()
            writer.write(_frame(opcode, _bomb()))
            rest = await reader.read()
        writer.close()
        # A close frame with 1002, "protocol error", or just the end.
        assert rest == b"" or rest[-2 - len(rest) :][:1] == b"\x88", rest[:20]
        async with served.reader() as good:
            assert (await good.next())["type"] == "ready"

    play(scenario)
