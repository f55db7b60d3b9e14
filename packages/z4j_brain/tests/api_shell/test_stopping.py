"""What the event loop reports while the server stops."""

from __future__ import annotations

import asyncio

import pytest

from z4j_brain.server import _report_unless_cancelled


@pytest.mark.parametrize(
    ("error", "reports"), [(asyncio.CancelledError(), 0), (ValueError("a defect"), 1)]
)
def test_only_a_connection_that_was_cut_off_is_no_error(
    caplog: pytest.LogCaptureFixture, error: BaseException, reports: int
) -> None:
    loop = asyncio.new_event_loop()
    _report_unless_cancelled(loop, {"message": "Exception in callback", "exception": error})
    loop.close()
    assert len(caplog.records) == reports
