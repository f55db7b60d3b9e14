"""Two kinds of error that must not be mixed up: the peer's fault and our own."""

from __future__ import annotations

import msgspec


class LinkError(Exception):
    """The peer broke the protocol; the link ends. `detail` says what to do and is safe to log."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class LinkMisuse(RuntimeError):
    """Our own caller used the link against its rules: a defect, not a fault of the peer."""


class CloseReason(msgspec.Struct, frozen=True):
    """Why a link ended. `code` is a stable word, `detail` says what to do."""

    code: str
    detail: str
    retry_after_s: float = 0.0


BAD_SIGNATURE = "bad_signature"
BAD_FRAME = "bad_frame"
TOO_LARGE = "too_large"
OUT_OF_ORDER = "out_of_order"
WRONG_DIRECTION = "wrong_direction"
WRONG_STATE = "wrong_state"
VERSION = "version"
SILENCE = "silence"
REVOKED = "revoked"
REPLACED = "replaced"
SHUTDOWN = "shutdown"

ADVICE = {
    BAD_SIGNATURE: (
        "The signature does not fit. Mint a new token for this agent and set Z4J_TOKEN to it; "
        "if the token is right, something between agent and server changes the messages."
    ),
    TOO_LARGE: "The message is larger than the limit that the server announced.",
    OUT_OF_ORDER: "A frame number was skipped. The agent connects again and sends the rest.",
    VERSION: "Agent and server have no protocol version in common: upgrade the older one.",
    SILENCE: "Nothing was heard for too long. The agent connects again.",
    REVOKED: "The token was revoked. Mint a new one and set Z4J_TOKEN to it.",
    REPLACED: "The same worker connected again; the older connection ends.",
}
