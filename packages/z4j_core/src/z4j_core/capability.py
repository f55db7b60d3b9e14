"""Actions that describe themselves.

An engine offers an action by a method marked with `@action`; its parameters and its result are
msgspec Structs, taken from the method's annotations. From these come the JSON Schemas that the
agent announces, that the brain validates commands against and that the dashboard draws forms from.
The first arguments depend on the target:

=========  ==========================================
task       ``def retry(self, task: TaskRef, params: RetryParams) -> RetryResult``
queue      ``def purge(self, queue: str, params: PurgeParams) -> PurgeResult``
worker     ``def shutdown(self, params: ShutdownParams) -> None`` (this process)
engine     ``def forget_results(self, params: …) -> …``
schedule   ``def pause(self, schedule: str, params: …) -> None`` (by the schedule's id)
scheduler  ``def create(self, params: …) -> CreateResult``
=========  ==========================================
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from z4j_core.frames import ActionInfo

_MARK = "__z4j_action__"
Method = TypeVar("Method", bound=Callable[..., Any])


class Target(StrEnum):
    """What an action acts on."""

    TASK = "task"
    QUEUE = "queue"
    WORKER = "worker"
    ENGINE = "engine"
    SCHEDULE = "schedule"
    SCHEDULER = "scheduler"


class ActionError(Exception):
    """An action could not be carried out; the message is shown to the person who asked for it."""


class NoParams(msgspec.Struct, frozen=True):
    """The parameters of an action that needs none."""


class ActionMark(msgspec.Struct, frozen=True):
    """What `@action` says of a method."""

    target: Target
    title: str
    description: str
    destructive: bool
    states: tuple[str, ...] | None
    internal: bool = False


class Action(msgspec.Struct, frozen=True):
    """An action of one engine, ready to be announced and called."""

    name: str
    mark: ActionMark
    params: type[msgspec.Struct]
    result: Any

    def info(self) -> ActionInfo:
        """Return what `hello` carries."""
        return ActionInfo(
            name=self.name,
            target=self.mark.target.value,
            title=self.mark.title,
            description=self.mark.description,
            destructive=self.mark.destructive,
            states=None if self.mark.states is None else list(self.mark.states),
            params_schema=_schema(self.params),
            result_schema=_schema(self.result),
            internal=self.mark.internal,
        )


def action(
    *,
    target: Target,
    title: str,
    description: str = "",
    destructive: bool = False,
    states: tuple[str, ...] | None = None,
    internal: bool = False,
) -> Callable[[Method], Method]:
    """Mark a method of an engine as an action.

    `title` is the label of the button, `description` one sentence on what will happen. `states`
    limits a task action to tasks in these states; None means any. An `internal` action is asked
    for by the server alone, and never offered to people.
    """
    mark = ActionMark(target, title, description, destructive, states, internal)

    def mark_method(method: Method) -> Method:
        setattr(method, _MARK, mark)
        return method

    return mark_method


def actions_of(engine: type, base: type) -> dict[str, Action]:
    """Return the actions that `engine` really implements: marked, and not merely inherited
    from `base`, whose marked methods are declarations.
    """
    found = {}
    for name in dir(engine):
        mark = _mark_of(engine, name)
        method = getattr(engine, name, None)
        if mark is not None and method is not getattr(base, name, None):
            found[name] = _read(name, mark, method)
    return found


def declared_actions(base: type) -> tuple[str, ...]:
    """Return the names of the actions that `base` declares."""
    return tuple(name for name in dir(base) if _mark_of(base, name) is not None)


def is_internal(base: type, name: str) -> bool:
    """Tell whether `base` declares this action for the server alone."""
    mark = _mark_of(base, name)
    return mark is not None and mark.internal


def _mark_of(engine: type, name: str) -> ActionMark | None:
    for owner in engine.__mro__:
        mark = getattr(owner.__dict__.get(name), _MARK, None)
        if isinstance(mark, ActionMark):
            return mark
    return None


def _read(name: str, mark: ActionMark, method: Any) -> Action:
    hints = typing.get_type_hints(method)
    params = hints.get("params", NoParams)
    if not (isinstance(params, type) and issubclass(params, msgspec.Struct)):
        raise TypeError(f"the action {name!r} must annotate `params` with a msgspec Struct")
    return Action(name, mark, params, hints.get("return", type(None)))


def _schema(type_: Any) -> str:
    (schema,), definitions = msgspec.json.schema_components([type_], ref_template="#/$defs/{name}")
    if definitions:
        schema = {**schema, "$defs": definitions}
    return msgspec.json.encode(schema).decode()
