"""Header values that HTTP/1.1 could not even carry, over HTTP/2 without TLS."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import pytest

_ENDS = (
    h2.events.StreamEnded,
    h2.events.StreamReset,
    h2.events.ConnectionTerminated,
)
VALUES = ["a\0b", "a\r\nX-Evil: 1", "a\nb", " a ", "\x7f", "\x01"]


def _send(url: str, name: str, value: str) -> bytes:
    """Send one request with a header that h2 itself would not send; return what comes back."""
    parts = urlsplit(url)
    config = h2.config.H2Configuration(
        validate_outbound_headers=False, normalize_outbound_headers=False
    )
    peer = h2.connection.H2Connection(config)
    peer.initiate_connection()
    own = [
        (":method", "GET"),
        (":path", "/api/v1/session"),
        (":scheme", "http"),
        (":authority", parts.netloc),
    ]
    peer.send_headers(1, [*own, (name, value)], end_stream=True)
    answer = b""
    with socket.create_connection((parts.hostname, parts.port), 60) as connection:
        connection.sendall(peer.data_to_send())
        while part := connection.recv(65_536):
            answer += part
            if any(isinstance(event, _ENDS) for event in peer.receive_data(part)):
                break
    return answer


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("name", ["user-agent", "cookie", "x-request-id"])
def test_a_value_with_control_characters_goes_nowhere(
    running: Any, ada: Any, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    for value in VALUES:
        answer = _send(running.url, name, value)
        assert b"X-Evil" not in answer
    assert ada.get("/session").status_code == 200
    assert [one.getMessage() for one in caplog.records if one.levelname == "ERROR"] == []
