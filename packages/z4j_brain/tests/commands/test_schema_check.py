"""JSON Schemas come from agents: they check parameters, and cannot do harm."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from z4j_brain.commands.schema_check import SchemaError, check_params
from z4j_core.capability import Action, ActionMark, NoParams, Target
from z4j_core.plugins import EditedRetryParams, RetryParams


def schema_of(kind: type[msgspec.Struct]) -> str:
    mark = ActionMark(Target.TASK, "", "", False, None)
    return Action("x", mark, kind, None).info().params_schema


@pytest.mark.parametrize(
    ("kind", "params", "faults"),
    [
        (NoParams, {}, []),
        (RetryParams, {}, []),
        (RetryParams, {"queue": None, "delay_s": 2}, []),
        (RetryParams, {"delay_s": "2"}, ["/delay_s"]),
        (RetryParams, {"when": 2}, [""]),
        (EditedRetryParams, {"args": [1], "kwargs": {"a": None}}, []),
        (EditedRetryParams, {"args": {}, "kwargs": []}, ["/args", "/kwargs"]),
        (EditedRetryParams, {}, [""]),
        (EditedRetryParams, [], [""]),
    ],
)
def test_the_schemas_of_real_actions(kind: Any, params: Any, faults: list[str]) -> None:
    assert sorted(fault.pointer for fault in check_params(params, schema_of(kind))) == faults


def test_a_fault_never_quotes_the_value() -> None:
    faults = check_params({"delay_s": "hunter2", "hunter2": 1}, schema_of(RetryParams))
    assert faults
    assert "hunter2" not in " ".join(fault.detail for fault in faults)


def test_pointers_are_escaped() -> None:
    schema = '{"additionalProperties":{"type":"string"}}'
    [fault] = check_params({"a/b~c": 1}, schema)
    assert fault.pointer == "/a~1b~0c"


def doubling(depth: int) -> str:
    """Return a schema of which each level is checked twice by the level above."""
    definitions: dict[str, Any] = {"d0": {"type": "object"}}
    for level in range(1, depth):
        reference = {"$ref": f"#/$defs/d{level - 1}"}
        definitions[f"d{level}"] = {"allOf": [reference, reference]}
    return msgspec.json.encode({"$ref": f"#/$defs/d{depth - 1}", "$defs": definitions}).decode()


@pytest.mark.parametrize(
    "schema",
    [
        "",
        "{",
        "[" * 10_000,
        '{"$ref":"#"}',
        '{"$ref":"#/$defs/none"}',
        '{"$ref":"http://127.0.0.1:9/schema"}',
        '{"$ref":"file:///etc/passwd"}',
        '{"$schema":"http://127.0.0.1:9/meta","$ref":"http://127.0.0.1:9/x#/y"}',
        '{"type":"nonsense"}',
        '{"type":5}',
        '{"properties":[]}',
        '{"allOf":5}',
        '{"patternProperties":{"(a+)+$":{}}}',
        '{"$dynamicRef":"#x"}',
        doubling(40),
        "5",
        '"x"',
    ],
)
def test_schemas_that_cannot_be_used(schema: str) -> None:
    with pytest.raises(SchemaError):
        check_params({"a": 1.5, "b": "x"}, schema)


def test_regular_expressions_of_agents_are_never_run() -> None:
    slow = '{"pattern":"^(a+)+$","format":"regex"}'
    schema = f'{{"properties":{{"a":{slow}}},"propertyNames":{slow}}}'
    finished = threading.Event()

    def check() -> None:
        assert check_params({"a": "a" * 60 + "!"}, schema) == []
        finished.set()

    thread = threading.Thread(target=check, daemon=True)
    thread.start()
    assert finished.wait(20)


def test_unlike_items_are_not_compared_pairwise() -> None:
    many = [n if n % 2 else {"n": n} for n in range(20_000)]
    assert check_params(many, '{"uniqueItems":true}') == []


def test_the_number_of_faults_is_bounded() -> None:
    assert len(check_params(list(range(500)), '{"items":{"type":"string"}}')) == 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=8,
)
WORDS = st.sampled_from(
    ["type", "properties", "items", "anyOf", "allOf", "$ref", "enum", "const", "required", "not",
     "minimum", "maxLength", "$defs", "dependentSchemas", "contains", "if", "then", "prefixItems"]
)  # fmt: skip
SCHEMAS = st.recursive(
    JSON | st.just("#") | st.just("object"),
    lambda children: st.dictionaries(WORDS, children, max_size=4) | st.lists(children, max_size=3),
    max_leaves=10,
)


@given(SCHEMAS, JSON)
def test_any_schema_is_used_or_refused(schema: Any, params: Any) -> None:
    try:
        faults = check_params(params, msgspec.json.encode(schema).decode())
    except SchemaError:
        return
    assert all(isinstance(fault.detail, str) for fault in faults)
