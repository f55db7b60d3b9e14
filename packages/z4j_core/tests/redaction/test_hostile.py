"""Input made to break redaction: it must finish, in bounds, without raising."""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec
import pytest

from z4j_core.redaction import MASK, Redactor

REDACTOR = Redactor(max_string=200_000, max_bytes=400_000)
SIZE = 100_000

SEEDS = [
    "a", "=", ":", "://", "://:", "://a:", "://a@", "@", "-", "--", "--a ", "a-", "a.", "a-a.",
    "'", '"', "\\", '\\"', "\\\\'", "(", "[", "{", "([{", "}])", "<", "</", "<a>", "<password>",
    "password", "password=", "password='", 'password="\\', "password:", "password: ", "password[",
    "password={", "password=(a,", "passwordpassword=", "token=a,", "token=a;b&", "token==",
    "Authorization: ", "Authorization: '", "Cookie:", "Bearer ", "Basic a", "eyJ", "eyJaaaaaaaa.",
    "eyJaaaaaaaa.eyJ", "ghp_", "sk-", "xoxb-1", "z4j_", "SG.aaaa.", "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ", "-----BEGIN PRIVATE KEY-----a-", "4111", "4111 ", "4111 1111 1111 1111 ", "1",
    "1 ", "1-", "('a', '", "('password', '", "%3D", "password%3D", " ", "\n", "\t", "password \t",
    "ü", "пароль=", "\udc80", "\x00", "[redacted]", "password=[redacted", "…", "==", "Q~", "A+/",
    "dapi0", "hooks.slack.com/services/", "AKIA", "A1", "key-", "a: str | None = ",
    "password: str", "password: |\n a", "password: >\n", "name: password, value=", "name value",
    "eyJaaaaaaaa:", "password\n  input_value=", "ya29.a.", "-Dpin=", "xoxd-%",
]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_repeated_text_finishes_and_settles(seed: str) -> None:
    text = seed * (SIZE // len(seed))
    redacted = REDACTOR.text(text)
    assert REDACTOR.text(redacted) == redacted
    assert isinstance(REDACTOR.value({text: text}), dict)


@pytest.mark.parametrize("seed", SEEDS, ids=range(len(SEEDS)))
def test_open_ended_text_finishes(seed: str) -> None:
    for text in (
        "password=" + seed * 3000,
        seed * 3000 + "password=x1",
        "x://" + seed * 3000 + "@",
    ):
        redacted = REDACTOR.text(text)
        assert REDACTOR.text(redacted) == redacted


class RaisingRepr:
    def __repr__(self) -> NoReturn:
        raise ValueError("password=hunter2")


class HugeRepr:
    def __repr__(self) -> str:
        return "x" * 1_000_000


class WrongRepr:
    def __repr__(self) -> str:
        return 3  # type: ignore[return-value]


class LeakyRepr:
    def __repr__(self) -> str:
        return "<Client url='redis://u:hunter2@h', secret='hunter2'>"


class RecursingRepr:
    def __repr__(self) -> str:
        return repr(self)


class HostileDict(dict[Any, Any]):
    def items(self) -> NoReturn:
        raise RuntimeError

    def __iter__(self) -> NoReturn:
        raise RuntimeError

    def __len__(self) -> NoReturn:
        raise RuntimeError

    def get(self, *args: object) -> NoReturn:
        raise RuntimeError


class HostileList(list[Any]):
    def __iter__(self) -> NoReturn:
        raise RuntimeError

    def __len__(self) -> NoReturn:
        raise RuntimeError


class HostileKey:
    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> NoReturn:
        raise RuntimeError

    def __repr__(self) -> NoReturn:
        raise RuntimeError


class LyingClass:
    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return dict


class HostileInt(int):
    def __ge__(self, other: object) -> NoReturn:
        raise RuntimeError

    def __repr__(self) -> str:
        return "password=hunter2"


HOSTILE: list[Any] = [
    RaisingRepr(), HugeRepr(), WrongRepr(), LeakyRepr(), RecursingRepr(), HostileDict(a=1),
    HostileList([1]), {HostileKey(): 1}, LyingClass(), HostileInt(3), RaisingRepr, float("nan"),
    b"\xff" * 1_000_000, bytearray(b"password=hunter2"), ValueError(RaisingRepr()), lambda: None,
    iter([1]), Ellipsis, object(),
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_objects_neither_raise_nor_leak_nor_grow(value: Any) -> None:
    redactor = Redactor()
    for given in (value, [value], {"a": value}, (value, {"b": [value]})):
        encoded = msgspec.json.encode(redactor.value(given))
        assert len(encoded) <= 32_768
        assert b"hunter2" not in encoded
        assert b"[unreadable]" not in encoded
        again = msgspec.json.decode(encoded)
        assert redactor.value(again) == again


def test_released_memory_is_described() -> None:
    memory = memoryview(b"abc")
    memory.release()
    assert Redactor().value(memory) == "<released memory>"


def test_wide_and_deep_values_are_bounded() -> None:
    wide: Any = ["x" * 60] * 200
    for _ in range(7):
        wide = [wide] * 200
    encoded = msgspec.json.encode(Redactor().value(wide))
    assert len(encoded) <= 32_768


@pytest.mark.parametrize("entries", [10, 27, 28, 41, 42, 100])
def test_bound_holds_for_characters_that_json_escapes(entries: int) -> None:
    value = {f"{number:03}".ljust(128, "\x01"): "\x01" * 63 for number in range(entries)}
    assert len(msgspec.json.encode(Redactor().value(value))) <= 32_768
    assert len(msgspec.json.encode(Redactor().value({"a": "\x01" * 5400}))) <= 32_768


def test_tiny_bounds_hold() -> None:
    redactor = Redactor(max_depth=1, max_items=3, max_string=64, max_bytes=256)
    value = {f"{number}" * 100: "\x00" * 1000 for number in range(10)}
    assert len(msgspec.json.encode(redactor.value(value))) <= 256
    assert len(msgspec.json.encode(redactor.value("\x00" * 1000))) <= 256


def test_interrupts_are_not_swallowed() -> None:
    class Interrupting:
        def __repr__(self) -> NoReturn:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Redactor().value([Interrupting()])


def test_value_changed_while_walking_shows_nothing() -> None:
    value: dict[str, Any] = {"a": 1}

    class Changing:
        def __repr__(self) -> str:
            value[f"more{len(value)}"] = "hunter2"
            return "changing"

    value["b"] = Changing()
    value["c"] = 1
    assert Redactor().value(value) == "[unreadable]"


def test_mask_that_goes_on_is_no_way_round() -> None:
    assert Redactor().text(f"password={MASK}hunter2") == f"password={MASK}"
