"""Check parameters against the JSON Schema that a worker announced.

The schema comes from an agent, so it is hostile input: it may not fetch anything, loop, branch
without end or bring a regular expression that takes for ever. `pattern` and `uniqueItems` are left
to the agent, which decodes the parameters into its own types before it calls the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from itertools import islice
from typing import Any

import msgspec
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import ValidationError, best_match  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]
from referencing import Registry

from z4j_brain.commands.request import CommandError, Fault, Refusal
from z4j_brain.store.actions import OnlineWorker
from z4j_core.frames import ActionInfo

MAX_STEPS = 50_000
MAX_FAULTS = 20
MAX_DETAIL = 300
_LEFT_TO_THE_AGENT = {"pattern", "uniqueItems", "format"}
_REFUSED = ("patternProperties", "$dynamicRef", "unevaluatedProperties", "unevaluatedItems")
_NOTHING_TO_FETCH: Registry[Any] = Registry()
_steps: ContextVar[int] = ContextVar("steps")


class SchemaError(Exception):
    """A worker's schema that cannot be used; the message says why."""


class _TooManyStepsError(Exception):
    pass


def check_params(params: Any, schema_text: str) -> list[Fault]:
    """Return what is wrong with the parameters, at most `MAX_FAULTS`; an empty list is good.

    Raises SchemaError when the schema cannot be used.
    """
    schema = _load(schema_text)
    _steps.set(0)
    try:
        errors = _Validator(schema, registry=_NOTHING_TO_FETCH).iter_errors(params)
        # Of several missing names the library tells one by one.
        return list(dict.fromkeys(_fault(error) for error in islice(errors, MAX_FAULTS)))
    except _TooManyStepsError:
        raise SchemaError("it takes too many steps") from None
    except Exception as error:  # noqa: BLE001 - any fault that a hostile schema can provoke in the library
        raise SchemaError(f"it is not a usable JSON Schema ({type(error).__name__})") from None


def check_fit(params: bytes, info: ActionInfo, worker: OnlineWorker) -> None:
    """Check parameters by the schema that a worker announced. Raises CommandError."""
    try:
        faults = check_params(msgspec.json.decode(params), info.params_schema)
    except SchemaError as error:
        raise CommandError(
            Refusal.CONFLICT,
            f"The schema that {worker.worker_id} announced for “{info.name}” cannot be used:"
            f" {error}. Fix its plugin, then restart the worker.",
        ) from None
    if faults:
        placed = [Fault(f"/params{fault.pointer}", fault.detail) for fault in faults]
        raise CommandError(Refusal.INVALID, placed[0].detail, placed)


def _load(schema_text: str) -> Any:
    try:
        schema = msgspec.json.decode(schema_text)
    except (msgspec.DecodeError, RecursionError):
        raise SchemaError("it is not valid JSON") from None
    for keyword in _REFUSED:
        if f'"{keyword}"' in schema_text:
            raise SchemaError(f"it uses {keyword}, which is not supported")
    return schema


Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


def _counted(keyword: Keyword) -> Keyword:
    def check(validator: Any, value: Any, instance: Any, schema: Any) -> Any:
        steps = _steps.get() + 1
        if steps > MAX_STEPS:
            raise _TooManyStepsError
        _steps.set(steps)
        return keyword(validator, value, instance, schema)

    return check


def _nothing(_validator: Any, _value: Any, _instance: Any, _schema: Any) -> None:
    return None


_Validator = extend(
    Draft202012Validator,
    {
        name: _nothing if name in _LEFT_TO_THE_AGENT else _counted(keyword)
        for name, keyword in Draft202012Validator.VALIDATORS.items()
    },
)


def _fault(error: ValidationError) -> Fault:
    cause = best_match([error]) or error
    path = "".join(f"/{_escape(str(part))}" for part in cause.absolute_path)
    return Fault(path, _detail(cause))


def _detail(error: ValidationError) -> str:
    """Say what is wrong without the value, which may be a secret."""
    expected = error.validator_value
    match error.validator:
        case "required":
            missing = [str(name) for name in expected if name not in error.instance]
            return f"Missing: {', '.join(missing)}."[:MAX_DETAIL]
        case "type":
            wanted = expected if isinstance(expected, str) else " or ".join(map(str, expected))
            return f"This must be of type {wanted}."
        case "additionalProperties":
            known = ", ".join(sorted(map(str, error.schema.get("properties", {})))) or "none"
            return f"Unknown parameters are not accepted; known: {known}."[:MAX_DETAIL]
        case keyword:
            return f"This does not meet “{keyword}: {expected}”."[:MAX_DETAIL]


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
