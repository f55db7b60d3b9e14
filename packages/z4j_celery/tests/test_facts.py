"""What anybody with access to the broker can write into a message is checked before it is used."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from celery import exceptions

from z4j_agent.facts import LATEST, now_us
from z4j_celery.facts import (
    add_relations,
    attempt_of,
    exception_of,
    micros,
    origin,
    result_of,
    retry_at,
)
from z4j_celery.memory import MAX_MESSAGE_BYTES, Message, Messages, Recent
from z4j_celery.process import pool_name


@pytest.mark.parametrize(
    "value", [None, "", "yesterday", 5, "9999-99-99", "0001-01-01T00:00:00", [], "1" * 10_000]
)
def test_a_time_that_is_none_is_left_out(value: object) -> None:
    assert micros(value) is None


def test_times_are_microseconds_and_naive_means_utc() -> None:
    assert micros("1970-01-01T00:00:01.000002+00:00") == 1_000_002
    assert micros("1970-01-01T02:00:01+02:00") == 1_000_000
    assert micros("1970-01-01T00:00:01") == 1_000_000
    assert micros(datetime.datetime(1970, 1, 1, 0, 0, 2, tzinfo=datetime.UTC)) == 2_000_000


@pytest.mark.parametrize("when", [None, True, -1, 1e12, float("nan"), float("inf"), "soon"])
def test_a_retry_at_no_sensible_time(when: object) -> None:
    assert retry_at(when) is None


def test_a_retry_in_some_seconds() -> None:
    at = retry_at(1.5)
    assert at is not None
    assert 0 < at - now_us() <= 1_500_000


@pytest.mark.parametrize("stamp", ["1", -1, 0, LATEST + 1, 1.5, None, [], 10**30])
def test_a_forged_stamp_is_left_out(stamp: object) -> None:
    assert origin({"z4j_published_at": stamp}, "t") == {}


@pytest.mark.parametrize("source", ["t", "", "x" * 256, 5, None, {}])
def test_a_forged_source_is_left_out(source: object) -> None:
    assert origin({"z4j_retried_from": source}, "t") == {}


@pytest.mark.parametrize("retries", [None, "3", -1, 1.5, []])
def test_an_attempt_is_a_number(retries: object) -> None:
    assert attempt_of({"retries": retries}) == 0
    assert attempt_of({"retries": 3}) == 3


def test_relations_of_the_wrong_type_are_left_out() -> None:
    headers: dict[str, Any] = {"parent_id": 5, "root_id": "r" * 300, "group": [], "eta": {}}
    found: dict[str, object] = {}
    add_relations(found, headers, "t")
    assert found == {}


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_an_exception_that_cannot_be_printed_has_a_type() -> None:
    found = exception_of(Unprintable())
    assert found["type"] == "Unprintable"
    assert "cannot be printed" in found["message"]
    assert len(exception_of(ValueError("x" * 100_000))["message"]) == 4096
    assert exception_of(exceptions.Reject())["module"] == "celery.exceptions"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("None", None),
        ("True", True),
        ("5", 5),
        ("'5'", "5"),
        ("{'a': [1, (2,)]}", {"a": [1, (2,)]}),
        ("<Thing at 0x1>", "<Thing at 0x1>"),
        ("{'a': <Thing>}", "{'a': <Thing>}"),
        ("[" * 3000, "[" * 3000),
        ("-" * 4000, "-" * 4000),
        ("x" * 9000, "x" * 4096),
        (7, "7"),
    ],
)
def test_a_result_is_read_back_where_possible(text: object, value: object) -> None:
    assert result_of(text) == value


def message(size: int) -> Message:
    return Message(
        name="n", queue="q", body=b"x" * size, content_type="json", content_encoding=None
    )


def test_the_memory_is_bounded_by_number_and_by_bytes() -> None:
    messages = Messages(limit=3, limit_bytes=100)
    for number in range(5):
        messages.put(str(number), message(10))
    assert [messages.get(str(number)) is not None for number in range(5)] == [0, 0, 1, 1, 1]
    messages.put("4", message(90))
    assert messages.get("3") is not None
    assert messages.get("2") is None
    assert messages.bytes == 100
    messages.put("large", message(MAX_MESSAGE_BYTES + 1))
    assert messages.get("large") is None


def test_recent_forgets_the_oldest() -> None:
    recent: Recent[int, str] = Recent(2)
    for number in (1, 2, 1, 3):
        recent.put(number, "x")
    assert [number in recent for number in (1, 2, 3)] == [True, False, True]
    assert recent.take(1) == "x"
    assert recent.take(1) is None


@pytest.mark.parametrize(
    ("pool", "name"),
    [
        ("prefork", "prefork"),
        ("processes", "prefork"),
        ("celery.concurrency.prefork:TaskPool", "prefork"),
        ("threads", "threads"),
        ("celery.concurrency.thread:TaskPool", "threads"),
        ("solo", "solo"),
        (None, ""),
    ],
)
def test_pools_have_one_name(pool: object, name: str) -> None:
    assert pool_name(pool) == name


def test_a_pool_given_as_a_class() -> None:
    from celery.concurrency.prefork import TaskPool

    assert pool_name(TaskPool) == "prefork"
