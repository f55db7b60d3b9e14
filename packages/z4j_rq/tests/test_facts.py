"""What is read from a job without asking anybody."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from z4j_rq.facts import arguments_of


def plain(first: int, /, second: int, *rest: int, third: int = 0) -> None:
    """A function like most."""


def marked(user: str, password: str) -> None:
    """As RQ's decorator leaves it."""


marked.delay = print  # type: ignore[attr-defined]


def decorated(wrapped: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(wrapped)
    def call(*args: Any, **kwargs: Any) -> None:
        wrapped(*args, **kwargs)

    return call


@decorated
def kept(user: str, password: str) -> None:
    """Its wrapper has other parameters."""


part = functools.partial(plain, 1)


class Shop:
    def sell(self, item: str) -> None:
        """A method."""


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("plain", ("first", "second")),
        ("marked", ("user", "password")),
        ("kept", ("user", "password")),
        ("part", ("second",)),
        ("nothing_like_this", None),
    ],
)
def test_parameters_are_named_as_their_signature_says(name: str, wanted: Any) -> None:
    job = SimpleNamespace(args=(1,), kwargs={}, instance=None, func_name=f"{__name__}.{name}")
    assert arguments_of(job).get("arg_names") == wanted


def test_the_object_of_a_method_is_no_argument() -> None:
    job = SimpleNamespace(args=("tea",), kwargs={}, instance=Shop(), func_name="sell")
    assert arguments_of(job)["arg_names"] == ("item",)
