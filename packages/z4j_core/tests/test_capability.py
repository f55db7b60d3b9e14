"""Actions describe themselves: an overridden method is a capability."""

from __future__ import annotations

import msgspec
import pytest

from z4j_core.capability import NoParams, Target, action
from z4j_core.frames import TaskRef
from z4j_core.plugins import CancelResult, Engine, RetryParams, RetryResult


class WarmParams(msgspec.Struct, frozen=True):
    degrees: int = 20


class Kettle(Engine):
    name = "kettle"

    def retry(self, task: TaskRef, params: RetryParams) -> RetryResult:
        return RetryResult("new")

    def cancel(self, task: TaskRef, params: NoParams) -> CancelResult:
        return CancelResult("cold")

    def absences(self) -> dict[str, str]:
        return {"cancel": "The kettle is on."}

    @action(target=Target.ENGINE, title="Warm up")
    def warm(self, params: WarmParams) -> None:
        """Heat the water."""


def test_only_overridden_methods_are_offered() -> None:
    assert set(Kettle.actions()) == {"retry", "cancel", "warm"}


def test_marks_are_inherited_from_the_declaration() -> None:
    retry = Kettle.actions()["retry"]
    assert retry.mark.target is Target.TASK
    assert retry.params is RetryParams


def test_what_is_absent_says_why() -> None:
    reasons = {info.name: info.absent for info in Kettle().info().actions}
    assert reasons == {
        "retry": None,
        "warm": None,
        "cancel": "The kettle is on.",
        "purge": "kettle has no such action.",
        "retry_edited": "kettle has no such action.",
        "terminate": "kettle has no such action.",
    }


def test_a_schema_of_a_strangers_parameters_is_complete() -> None:
    [warm] = [info for info in Kettle().info().actions if info.name == "warm"]
    schema = msgspec.json.decode(warm.params_schema)
    assert schema["$defs"]["WarmParams"]["properties"]["degrees"]["default"] == 20


def test_parameters_without_a_struct_are_our_own_mistake() -> None:
    class Broken(Engine):
        name = "broken"

        @action(target=Target.ENGINE, title="x")
        def x(self, params: int) -> None: ...

    with pytest.raises(TypeError, match="Struct"):
        Broken.actions()
