"""Why there is no link, in words that say what to do. Used by the driver's log and the doctor."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Any

import msgspec
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    NegotiationError,
    ProxyError,
    SecurityError,
    WebSocketException,
)

from z4j_core.link import AUTHENTICATION, NETWORK, LinkError
from z4j_core.link import errors as codes

LEAST_RETRY_S = 0.5
GREATEST_RETRY_S = 600.0
"""Within these seconds a server may say when to come back: no server keeps the host busy."""


class Reason(msgspec.Struct, frozen=True):
    """Why a link could not be made or ended. `code` is stable, `text` says what to do next.

    `retry_after_s` is the server's wish, or None for the agent's own back-off within `bounds`.
    After a refused credential it can only make the wait longer.
    """

    code: str
    text: str
    bounds: tuple[float, float] = NETWORK
    retry_after_s: float | None = None


class NoAnswerError(Exception):
    """The server took the connection and the hello, but sent no welcome."""


class EndedError(Exception):
    """The server ended the link and said why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


MINT = "Mint a new token for this agent in the dashboard and set Z4J_TOKEN to it."

_LIMITED = (
    "takes no attempts from this address for a while, because wrong tokens were sent from it: "
    "correct Z4J_TOKEN of every agent there."
)

_SLOW = frozenset({codes.BAD_SIGNATURE, codes.REVOKED, codes.REPLACED, codes.VERSION})
_CLOSE_CODES = {
    4400: Reason(
        codes.BAD_FRAME,
        "The server did not understand the agent: upgrade the older of the two.",
        AUTHENTICATION,
    ),
    4401: Reason(
        "token", f"The server does not accept the token: unknown or revoked. {MINT}", AUTHENTICATION
    ),
    4403: Reason(codes.BAD_SIGNATURE, codes.ADVICE[codes.BAD_SIGNATURE], AUTHENTICATION),
    4409: Reason(
        codes.REPLACED,
        "Another process connected under the same worker name: give each process a name of its "
        "own (Celery: the option -n), or stop the other one.",
        AUTHENTICATION,
    ),
    4413: Reason(codes.TOO_LARGE, "The server refused a message as too large.", AUTHENTICATION),
    4426: Reason(codes.VERSION, codes.ADVICE[codes.VERSION], AUTHENTICATION),
    4408: Reason(codes.SILENCE, codes.ADVICE[codes.SILENCE]),
    4429: Reason("limited", f"The server {_LIMITED}", AUTHENTICATION),
    1013: Reason("unavailable", "The server cannot take this link now; the agent tries again."),
    1012: Reason("restarting", "The server restarts; the agent connects again."),
}


def clean(text: object, limit: int = 200) -> str:
    """Return text of a stranger on one line, printable and short, fit for a log."""
    line = "".join(letter if letter.isprintable() else " " for letter in str(text)[: limit * 2])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def explain(error: BaseException, where: str) -> Reason:
    """Return the reason that stands for an exception; `where` is the server, as people know it."""
    if isinstance(error, EndedError):
        return error.reason
    if isinstance(error, LinkError):
        return of_link_error(error.code, error.detail)
    if isinstance(error, NoAnswerError):
        return Reason(
            "no_answer",
            f"{where} accepts connections but does not answer: is a z4j server behind that "
            "address, and is it healthy?",
        )
    if isinstance(error, WebSocketException):
        return _of_websocket(error, where)
    if isinstance(error, OSError):
        return _of_network(error, where)
    if isinstance(error, UnicodeError):
        return Reason("bad_url", f"{where} is no valid server name: correct Z4J_URL.")
    return Reason("unexpected", f"Unexpected {type(error).__name__}; the agent connects again.")


def of_link_error(code: str, detail: str) -> Reason:
    """Return the reason for an end that the protocol or the server itself names."""
    bounds = AUTHENTICATION if code in _SLOW else NETWORK
    return Reason(clean(code, 40), clean(detail, 400), bounds)


def of_goodbye(code: str, detail: str, retry_after_s: float) -> Reason:
    """Return the reason for the server's goodbye; its wish to wait is kept within bounds."""
    reason = of_link_error(code, detail or "The server closed the link.")
    if 0 < retry_after_s <= GREATEST_RETRY_S:  # not so for NaN
        wait_s = max(LEAST_RETRY_S, retry_after_s)
        return msgspec.structs.replace(reason, retry_after_s=wait_s)
    return reason


def not_tls(where: str) -> Reason:
    """Return the reason for a port that does not take up TLS."""
    return Reason(
        "not_tls",
        f"{where} does not speak TLS at this port: use http:// in Z4J_URL, or the port that "
        "serves https.",
    )


def _of_websocket(error: WebSocketException, where: str) -> Reason:
    if isinstance(error, ConnectionClosed):
        return _of_close(error, where)
    if isinstance(error, InvalidStatus):
        return _of_status(error.response.status_code, error.response.headers, where)
    if isinstance(error, ProxyError):
        return Reason(
            "proxy",
            f"The proxy for {where} refused the connection: check HTTPS_PROXY, HTTP_PROXY and "
            "NO_PROXY.",
        )
    if isinstance(error, NegotiationError):
        return _CLOSE_CODES[4426]
    if isinstance(error, InvalidMessage | SecurityError):
        return Reason(
            "not_http",
            f"{where} does not speak HTTP at this port: check the port in Z4J_URL, and use "
            "https:// if the server expects TLS.",
        )
    if isinstance(error, InvalidHandshake):
        return Reason(
            "not_websocket",
            f"{where} answered, but not as a WebSocket server: check Z4J_URL, and that a proxy in "
            "front of z4j passes on WebSocket upgrades.",
        )
    return Reason("websocket", f"{where} broke the WebSocket protocol ({type(error).__name__}).")


def _of_close(error: ConnectionClosed, where: str) -> Reason:
    code = error.rcvd.code if error.rcvd is not None else 1006
    known = _CLOSE_CODES.get(code)
    if known is not None:
        return known
    if code == 1006:
        return Reason("cut", f"The connection to {where} was cut; the agent connects again.")
    said = clean(error.rcvd.reason, 80) if error.rcvd is not None else ""
    why = f"code {code}, {said}" if said else f"code {code}"
    return Reason("closed", f"{where} closed the connection ({why}).")


def _of_status(status: int, headers: Any, where: str) -> Reason:
    if status == 401:
        return Reason(
            "token",
            f"{where} does not accept the token (HTTP 401): unknown or revoked. {MINT}",
            AUTHENTICATION,
        )
    if status == 403:
        return Reason(
            "forbidden",
            f"{where} refuses this agent (HTTP 403): look whether a proxy or firewall in front of "
            f"z4j does so. If the token was revoked: {MINT}",
            AUTHENTICATION,
        )
    if status == 426:
        return _CLOSE_CODES[4426]
    if 300 <= status < 400:
        target = clean(_header(headers, "Location") or "another address")
        return Reason(
            "redirect",
            f"{where} redirects to {target}: set Z4J_URL to the address without a redirect.",
            AUTHENTICATION,
        )
    if status == 404:
        return Reason(
            "not_found",
            f"{where} has no z4j link (HTTP 404): check host, port and path in Z4J_URL.",
            AUTHENTICATION,
        )
    if status == 429:
        wait_s = _retry_after_s(headers)
        return Reason("limited", f"{where} {_LIMITED}", AUTHENTICATION, wait_s)
    if status >= 500:
        return Reason("unavailable", f"{where} cannot answer now (HTTP {status}): is z4j running?")
    return Reason(
        "not_websocket",
        f"{where} answered HTTP {status} instead of opening a WebSocket: check Z4J_URL, and that "
        "a proxy in front of z4j passes on WebSocket upgrades.",
    )


def _header(headers: Any, name: str) -> str:
    """Return a header's first value; `get` raises when a server sends two."""
    return next(iter(headers.get_all(name)), "")


def _retry_after_s(headers: Any) -> float | None:
    """Return the seconds of `Retry-After`, if it names some within bounds (RFC 9110, 10.2.3)."""
    text = _header(headers, "Retry-After").strip()
    seconds = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
    return float(seconds) if 0 < seconds <= GREATEST_RETRY_S else None


def _of_network(error: OSError, where: str) -> Reason:
    if isinstance(error, ssl.SSLError):
        return _of_tls(error, where)
    if isinstance(error, socket.gaierror):
        return Reason(
            "dns",
            f"The name of {where} cannot be resolved: correct the host in Z4J_URL or mend the DNS "
            "of this machine.",
        )
    if isinstance(error, TimeoutError):
        return Reason(
            "timeout",
            f"{where} does not answer: check host and port in Z4J_URL and the firewalls between.",
        )
    if isinstance(error, ConnectionRefusedError):
        return Reason(
            "refused",
            f"Nothing listens at {where}: start z4j there, or correct host and port in Z4J_URL.",
        )
    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return Reason("unreachable", f"There is no route to {where}: check the network.")
    if isinstance(error, ConnectionError):
        return Reason("cut", f"The connection to {where} was cut; the agent connects again.")
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return Reason("network", f"{where} cannot be reached ({name}): check host and port in Z4J_URL.")


def _of_tls(error: ssl.SSLError, where: str) -> Reason:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = clean(getattr(error, "verify_message", "no reason"))
        return Reason(
            "certificate",
            f"The certificate of {where} is not trusted ({why}): use the host name that stands in "
            "the certificate; for a private authority set SSL_CERT_FILE to its certificates.",
        )
    if getattr(error, "reason", None) in (
        "WRONG_VERSION_NUMBER",
        "HTTP_REQUEST",
        "RECORD_LAYER_FAILURE",
    ):
        return not_tls(where)
    why = clean(getattr(error, "reason", "no reason"), 60)
    return Reason(
        "tls",
        f"TLS with {where} failed ({why}): check the port and, if there is "
        "one, the proxy that ends TLS.",
    )
