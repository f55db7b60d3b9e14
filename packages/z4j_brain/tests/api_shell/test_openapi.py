"""The OpenAPI document: valid in structure, whole, and true to the routes."""

from __future__ import annotations

import json
import re
from typing import Any

from z4j_brain.api.openapi import describe, statuses
from z4j_brain.api.table import all_routes

PROBLEM = {"$ref": "#/components/responses/Problem"}


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_references, value.values()))
    if isinstance(value, list):
        return set().union(*map(_references, value))
    return set()


def _resolve(document: Any, reference: str) -> Any:
    assert reference.startswith("#/")
    for step in reference[2:].split("/"):
        document = document[step]
    return document


def test_it_covers_every_route_with_its_permission() -> None:
    document = describe(all_routes())
    for one in all_routes():
        operation = document["paths"][one.path][one.method.lower()]
        assert operation["x-permission"] == one.permission
        assert operation["operationId"] == one.name
        assert str(one.status) in operation["responses"]
        for status in statuses(one):
            assert operation["responses"][str(status)] == PROBLEM
        assert set(operation["responses"]) == {str(one.status), *map(str, statuses(one))}
        assert ("requestBody" in operation) == (one.body_type is not None)
        named = re.findall(r"{(\w+)}", one.path)
        in_path = [one for one in operation["parameters"] if one["in"] == "path"]
        assert [parameter["name"] for parameter in in_path] == named
        assert all(parameter["required"] for parameter in in_path)
        assert (operation["security"] == []) == (one.permission == "public")
    assert sum(map(len, document["paths"].values())) == len(all_routes())


def test_every_reference_leads_somewhere_and_it_is_plain_json() -> None:
    document = describe(all_routes(), "/z4j")
    for reference in _references(document):
        assert isinstance(_resolve(document, reference), dict)
    assert json.loads(json.dumps(document)) == document
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "/z4j/api/v1"}]
    names = [
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    ]
    assert len(names) == len(set(names))


def test_limits_of_the_types_are_in_it() -> None:
    document = describe(all_routes())
    form = document["components"]["schemas"]["SetupForm"]
    assert form["properties"]["password"]["minLength"] == 15
    assert sorted(form["required"]) == ["email", "name", "password", "project_name", "token"]
    listing = document["paths"]["/projects/{project}/agents"]["get"]
    limit = next(one for one in listing["parameters"] if one["name"] == "limit")
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}


def test_the_server_serves_it_to_anyone(running: Any) -> None:
    answer = running.browser().get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(describe(all_routes())))
