"""What is logged about a stranger's exception holds no secret."""

from __future__ import annotations

import io
import logging

from z4j_core.redaction import Redactor
from z4j_core.redaction.logs import redact_logs

SECRET = "x7x7x7"
DSN = "amqp://shop:x7x7x7@mq//"


class Unprintable:
    def __str__(self) -> str:
        raise ValueError(DSN)


def test_messages_arguments_and_tracebacks_are_redacted() -> None:
    logger, written = logging.getLogger("z4j.test_logs"), io.StringIO()
    handler = logging.StreamHandler(written)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        redact_logs(["z4j.test_logs"], Redactor())
        redact_logs(["z4j.test_logs"], Redactor(emails=True))
        assert len(logger.filters) == 1
        logger.warning("no broker at %s for %s", DSN, "jane@example.com")
        try:
            raise ConnectionError(f"cannot connect to {DSN}")
        except ConnectionError:
            logger.exception("failed with token=%s", SECRET, stack_info=True)
        logger.warning("odd %s", Unprintable())
        logger.warning("%d", SECRET)
    finally:
        logger.removeHandler(handler)
        logger.filters.clear()
    text = written.getvalue()
    assert SECRET not in text
    assert "jane" not in text
    assert "no broker at amqp://[redacted]@mq// for [redacted]" in text
    assert "ConnectionError: cannot connect to amqp://[redacted]@mq//" in text
    assert "odd %s" in text
