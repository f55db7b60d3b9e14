"""Times at the edge keep every microsecond."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_brain.api.times import millis, parse_rfc3339, rfc3339


@given(st.integers(min_value=-62_135_596_800_000_000, max_value=253_402_300_799_999_999))
def test_text_and_back(micros: int) -> None:
    text = rfc3339(micros)
    assert len(text) == len("2026-01-31T23:59:59.000001Z")
    assert parse_rfc3339(text) == micros


def test_the_form_is_fixed() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000000Z"
    assert rfc3339(1_700_000_000_000_001) == "2023-11-14T22:13:20.000001Z"
    assert rfc3339(None) is None


def test_other_forms_are_read() -> None:
    assert parse_rfc3339("2023-11-14T23:13:20+01:00") == 1_700_000_000_000_000
    assert parse_rfc3339("2023-11-14T22:13") == 1_699_999_980_000_000
    for wrong in ("", "yesterday", "2023-13-01T00:00", "99999-01-01"):
        with pytest.raises(ValueError):  # noqa: PT011 - the standard library's words may change
            parse_rfc3339(wrong)


def test_durations_are_rounded() -> None:
    assert [millis(value) for value in (None, 0, 499, 1_600)] == [None, 0, 0, 2]
