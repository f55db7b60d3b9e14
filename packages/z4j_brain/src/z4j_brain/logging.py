"""How the server writes its log: one line, or one JSON object, a record, on standard error."""

from __future__ import annotations

import json
import logging
import sys
import time
from contextvars import ContextVar

from z4j_brain.settings import Settings
from z4j_core.redaction import Redactor

_redactor = Redactor()
_QUIET = {"hypercorn.error": logging.WARNING, "alembic": logging.WARNING}


request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request or the WebSocket that is being served."""


def configure(settings: Settings) -> None:
    """Send everything that is logged to standard error, as the settings say."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, least))


class TextFormatter(logging.Formatter):
    """Time in UTC, level, logger, message, and the id of the request if there is one."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines; a line break in a message cannot pretend to be a new record, nor can
        one in an exception, whose lines are indented.
        """
        record.message = record.getMessage()
        record.asctime = self.formatTime(record, self.datefmt)
        head = _redactor.text(self.formatMessage(record))
        own = request_id.get()
        if own is not None:
            head = f"{head} [request {own}]"
        head = head.replace("\n", "\\n").replace("\r", "\\r")
        if not record.exc_info:
            return head
        trace = _redactor.text(self.formatException(record.exc_info)).replace("\r", "\\r")
        return head + "\n" + trace.replace("\n", "\n  ")


class JsonFormatter(logging.Formatter):
    """One JSON object a record: `at`, `level`, `logger`, `message`, and perhaps
    `request_id` and `exception`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry = {
            "at": f"{at}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _redactor.text(record.getMessage()),
        }
        own = request_id.get()
        if own is not None:
            entry["request_id"] = own
        if record.exc_info:
            entry["exception"] = _redactor.text(self.formatException(record.exc_info))
        return json.dumps(entry)
