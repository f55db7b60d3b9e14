"""Log records without secrets: what an exception says may quote a URL with its password."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from z4j_core.redaction.redactor import Redactor

_FORMATTER = logging.Formatter()


class LogRedaction(logging.Filter):
    """Redacts what one logger says, traceback included, before any handler sees it.

    A filter of a logger is not asked about the records of loggers below it: give it to each.
    """

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record in place and let it pass; what cannot be read loses its arguments."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - a stranger's __str__, or arguments that do not fit
            message = str(record.msg)
        record.msg, record.args = self._redactor.text(message), None
        if record.exc_info:
            # Handlers that look at the exception itself would see what the text hides.
            record.exc_text = self._redactor.text(_FORMATTER.formatException(record.exc_info))
            record.exc_info = None
        if record.stack_info:
            record.stack_info = self._redactor.text(record.stack_info)
        return True


def redact_logs(names: Iterable[str], redactor: Redactor) -> None:
    """Let these loggers say nothing secret; a redactor given earlier is replaced."""
    for name in names:
        logger = logging.getLogger(name)
        for known in [one for one in logger.filters if isinstance(one, LogRedaction)]:
            logger.removeFilter(known)
        logger.addFilter(LogRedaction(redactor))
