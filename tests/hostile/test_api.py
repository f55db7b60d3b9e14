"""A few generated requests to every operation, as everybody; the same ones every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from hostile.api import NOT_DONE, operations, run
from hostile.house import running, worker
from z4j_brain.api.table import all_routes


def test_every_declared_route_is_an_operation() -> None:
    assert sorted(operations()) == sorted(one.name for one in all_routes())


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_no_answer_is_off_the_document(record_url: str, tmp_path: Path) -> None:
    """No 5xx, no status, media type or body that is not declared, no error in the log."""
    with running(record_url, tmp_path / "home") as house, worker(house):
        report = run(house, count=2)
    assert report.faults == []
    assert report.called == {one.name for one in all_routes()}
    assert report.called - report.done == set(NOT_DONE)
