"""The server for tests is as a server is: it keeps its address while it is away."""

from __future__ import annotations

import errno
import socket

import pytest

from z4j_agent.testing import LoopbackBrain


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="ports cannot be shared here")
def test_its_port_is_nobody_elses_while_it_is_stopped(brain: LoopbackBrain) -> None:
    brain.stop()
    with socket.socket() as other, pytest.raises(OSError, match=r".") as refused:
        other.bind(("127.0.0.1", brain.port))
    assert refused.value.errno == errno.EADDRINUSE
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", brain.port), timeout=60)
    port = brain.port
    brain.start()
    assert brain.port == port
    socket.create_connection(("127.0.0.1", port), timeout=60).close()
