"""The moment in which a run was left travels with what it raised."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from billiard.einfo import ExceptionInfo
from celery import Celery
from celery.app.trace import TraceInfo, build_tracer

from z4j_agent.facts import now_us
from z4j_celery import leaving


def raised() -> Any:
    try:
        raise ValueError("no stock")
    except ValueError:
        return ExceptionInfo()


def fails() -> None:
    raise ValueError("no stock")


def test_the_parent_reads_what_the_child_noted() -> None:
    before, original = now_us(), TraceInfo.handle_error_state
    undo = leaving.note_ends()
    app = Celery("leaving", broker="memory://", set_as_current=False)
    task = app.task(name="fails")(fails)
    outcome = build_tracer(task.name, task, app=app)("1", (), {}, {"delivery_info": {}})
    undo()
    assert TraceInfo.handle_error_state is original
    info = outcome.retval
    noted = leaving.left_at(pickle.loads(pickle.dumps(info)), before, now_us())  # as Celery does
    assert before <= noted <= now_us()
    assert leaving.left_at(info, before, noted + 700_000) == noted


@pytest.mark.parametrize("noted", [None, "5", 5.0, True, 99, 201])
def test_what_makes_no_sense_is_not_believed(noted: object) -> None:
    info = raised()
    setattr(info, leaving._MARK, noted)
    assert leaving.left_at(info, 100, 200) == 200


def test_without_a_note_it_is_now() -> None:
    assert leaving.left_at(None, 100, 200) == 200
