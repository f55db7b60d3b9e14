"""The moment in which a run was left travels with what it raised."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from billiard.einfo import ExceptionInfo

from z4j_agent.facts import now_us
from z4j_celery import leaving


def raised() -> Any:
    try:
        raise ValueError("no stock")
    except ValueError:
        return ExceptionInfo()


def test_the_parent_reads_what_the_child_noted() -> None:
    info, before = raised(), now_us()
    leaving.note(einfo=info, sender="a task", task_id="1")
    noted = leaving.left_at(pickle.loads(pickle.dumps(info)), before, now_us())  # as Celery does
    assert before <= noted <= now_us()
    assert leaving.left_at(info, before, noted + 700_000) == noted


@pytest.mark.parametrize("noted", [None, "5", 5.0, True, 99, 201])
def test_what_makes_no_sense_is_not_believed(noted: object) -> None:
    info = raised()
    setattr(info, leaving._MARK, noted)
    assert leaving.left_at(info, 100, 200) == 200


def test_a_signal_without_an_exception_is_passed_over() -> None:
    leaving.note(einfo=None)
    assert leaving.left_at(None, 100, 200) == 200
