"""The proxy does what its faults promise, to real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from faults.proxy import Proxy
from services.ports import HOST, free_port


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends back what it gets."""
    listener = socket.create_server((HOST, 0))

    def answer(one: socket.socket) -> None:
        with one:
            try:
                while data := one.recv(65_536):
                    one.sendall(data)
            except OSError:
                return

    def serve() -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(one,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def proxy(echo: int) -> Iterator[Proxy]:
    with Proxy(echo) as proxy:
        yield proxy


def connected(proxy: Proxy) -> socket.socket:
    one = socket.create_connection((HOST, proxy.port), timeout=60)
    one.sendall(b"hello")
    assert one.recv(5) == b"hello"
    return one


def test_it_forwards(proxy: Proxy) -> None:
    with connected(proxy) as one:
        sent = bytes(range(256)) * 2_000
        writer = threading.Thread(target=one.sendall, args=(sent,))
        writer.start()
        found = b""
        while len(found) < len(sent):
            found += one.recv(65_536)
        writer.join()
        assert found == sent


def test_a_cut_is_a_reset_and_a_close_is_none(proxy: Proxy) -> None:
    with connected(proxy) as one:
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            one.recv(1)
    with connected(proxy) as one:
        proxy.cut(politely=True)
        assert one.recv(1) == b""


def test_half_open_forgets_and_ends_in_a_reset(proxy: Proxy) -> None:
    with connected(proxy) as one:
        proxy.swallow()
        one.sendall(b"into nowhere")
        one.settimeout(0.2)
        with pytest.raises(TimeoutError):
            one.recv(1)
        deadline = time.monotonic() + 60
        while not proxy.has_lost:  # before, there is nothing to be healed by a reset
            assert time.monotonic() < deadline
            time.sleep(0.01)
        proxy.heal()
        one.settimeout(60)
        with pytest.raises(ConnectionResetError):
            one.recv(1)
    connected(proxy).close()


def test_a_stall_delivers_everything_later(proxy: Proxy) -> None:
    with connected(proxy) as one:
        proxy.stall()
        one.settimeout(0.2)
        one.sendall(b"later")
        with pytest.raises(TimeoutError):
            one.recv(1)
        proxy.heal()
        one.settimeout(60)
        assert one.recv(5) == b"later"


def test_a_server_that_is_gone_looks_gone() -> None:
    with (
        Proxy(free_port()) as proxy,
        # The reset may come before the connection is told to be there.
        pytest.raises(ConnectionResetError),
        socket.create_connection((HOST, proxy.port), timeout=60) as one,
    ):
        one.recv(1)
