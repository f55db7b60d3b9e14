"""Values: what is kept, converted, cut, and told to be exact."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from collections import OrderedDict, defaultdict
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec
import pytest

from z4j_core.redaction import MASK, Redactor

REDACTOR = Redactor()


class Colour(enum.StrEnum):
    RED = "red"


class Rank(enum.IntEnum):
    HIGH = 3


class Plain(enum.Enum):
    SECRET = "hunter2"


class Loud(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError

    def __len__(self) -> int:
        raise RuntimeError


class Point(NamedTuple):
    x: int
    y: int


EXACT: list[Any] = [
    None, True, 0, -1, 2**64, -(2**63), 1.5, -0.0, 1e300, "", "text", "ünï", [], {},
    [1, [2, {"a": None}]], {"a": {"b": ["c", 1.0]}}, "a\nb\t\x00",
]  # fmt: skip

LOSSY: list[tuple[Any, Any]] = [
    ((1, 2), [1, 2]),
    ([(1, "a")], [[1, "a"]]),
    (Point(1, 2), [1, 2]),
    ({3}, [3]),
    (frozenset({"a"}), ["a"]),
    (b"abc", "b'abc'"),
    (bytearray(b"abc"), "b'abc'"),
    (memoryview(b"abc"), "<memory of 3 bytes>"),
    (Decimal("1.10"), "1.10"),
    (dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC), "2024-01-02T03:04:05+00:00"),
    (dt.date(2024, 1, 2), "2024-01-02"),
    (dt.timedelta(seconds=90), "0:01:30"),
    (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (PurePosixPath("/a/b"), "/a/b"),
    ({1: "a"}, {"1": "a"}),
    ({None: 1, ("a", 1): 2}, {"None": 1, "('a', 1)": 2}),
    (float("nan"), "nan"),
    ([float("inf"), -float("inf")], ["inf", "-inf"]),
    (Colour.RED, "red"),
    (Rank.HIGH, 3),
    (Plain.SECRET, "Plain.SECRET"),
    (Loud("abc"), "abc"),
    ({Loud("abc"): 1}, {"abc": 1}),
    (OrderedDict(a=1), {"a": 1}),
    (defaultdict(int, a=1), {"a": 1}),
    ("\udc80", "\\udc80"),
    ({"\udc80": 1}, {"\\udc80": 1}),
    (10**40, "<integer of 133 bits>"),
    (1 << 100_000, "<integer of 100001 bits>"),
    (range(3), "range(0, 3)"),
    (ValueError("token=abc"), f"ValueError('token={MASK}')"),
]


@pytest.mark.parametrize("value", EXACT, ids=range(len(EXACT)))
def test_exact_values_are_returned_themselves(value: Any) -> None:
    result, exact = REDACTOR.exactly(value)
    assert exact
    assert result is value
    assert msgspec.json.decode(msgspec.json.encode(result)) == value


@pytest.mark.parametrize(("value", "expected"), LOSSY, ids=range(len(LOSSY)))
def test_lossy_values_are_converted_and_say_so(value: Any, expected: Any) -> None:
    result, exact = REDACTOR.exactly(value)
    assert result == expected
    assert not exact
    assert msgspec.json.decode(msgspec.json.encode(result)) == expected
    assert REDACTOR.value(result) == result


def test_only_what_changes_is_copied() -> None:
    same = {"a": [1, 2]}
    value = {"same": same, "password": "x", "list": [same, "token=abc1"]}
    result: Any = REDACTOR.value(value)
    assert value["password"] == "x"
    assert result == {"same": same, "password": MASK, "list": [same, f"token={MASK}"]}
    assert result["same"] is same
    assert result["list"][0] is same
    assert list(result) == list(value)


def test_long_strings_are_cut() -> None:
    result: Any = REDACTOR.value({"a": "x" * 5000})
    assert result["a"].endswith("x … [cut, 968 characters]")
    assert len(result["a"]) <= 4096


def test_secret_across_the_cut_is_hidden() -> None:
    for size in range(3950, 4100, 3):
        result = REDACTOR.value("x" * size + " ghp_" + "a1B2" * 9 + " " + "y" * 100)
        assert isinstance(result, str)
        assert "a1B2" not in result


def test_large_containers_are_cut() -> None:
    result: Any = REDACTOR.value({"list": list(range(1000)), "set": set(range(300))})
    assert result["list"] == [*range(199), "… [cut, 801 items]"]
    assert len(result["set"]) == 200
    many: Any = REDACTOR.value({str(number): number for number in range(500)})
    assert len(many) == 200
    assert many["…"] == "… [cut, 301 entries]"


def test_deep_values_are_marked() -> None:
    value: Any = "bottom"
    for _ in range(9):
        value = [value]
    assert REDACTOR.value(value) == [[[[[[[["[too deep]"]]]]]]]]
    assert REDACTOR.exactly(value[0])[1] is True


def test_recursive_values_end() -> None:
    value: dict[str, Any] = {"a": 1}
    value["self"] = value
    value["list"] = [value, value]
    assert b"[too deep]" in msgspec.json.encode(REDACTOR.value(value))


def test_whole_is_shrunk_to_max_bytes() -> None:
    value = {"rows": ["y" * 4000] * 50, "name": "kept"}
    result: Any = REDACTOR.value(value)
    assert len(msgspec.json.encode(result)) <= 32_768
    assert result["name"] == "kept"
    assert "[cut" in result["rows"][0]


def test_masking_in_a_large_text_does_not_shrink_the_rest() -> None:
    redactor = Redactor(max_string=32_768)
    text = "line of a long text\n" * 1000 + "password=hunter2\n"
    result: Any = redactor.value({"text": text})
    assert result["text"] == text.replace("hunter2", MASK)


def test_long_keys_are_cut_and_still_judged() -> None:
    key = "password_" + "x" * 1000
    result: Any = REDACTOR.value({key: "hunter2", "z" * 500: 1})
    assert all(len(name) <= 128 for name in result)
    assert list(result.values()) == [MASK, 1]


def test_secrets_in_keys_are_hidden() -> None:
    result = REDACTOR.value({"password=hunter2": 1, "AKIA" + "A1B2C3D4E5F6G7H8": 2})
    assert result == {f"password={MASK}": MASK, MASK: 2}


@pytest.mark.parametrize(
    ("bound", "least"), [("max_depth", 1), ("max_items", 3), ("max_string", 64), ("max_bytes", 256)]
)
def test_bounds_have_a_minimum(bound: str, least: int) -> None:
    options: dict[str, Any] = {bound: least - 1}
    with pytest.raises(ValueError, match=f"{bound} is {least - 1}; give at least {least}"):
        Redactor(**options)
    assert Redactor(**{bound: least}).value("x") == "x"  # type: ignore[arg-type]
