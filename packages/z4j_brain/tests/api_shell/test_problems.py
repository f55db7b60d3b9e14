"""Problems that are raised somewhere can all be told."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import z4j_brain
from z4j_brain.api.problems import Problem

ROOT = Path(z4j_brain.__file__).parent


def _slugs() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            is_problem = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem"
            if is_problem and isinstance(node.args[1], ast.Constant):
                yield path.name, node.args[1].value


def test_every_problem_has_a_title() -> None:
    found = list(_slugs())
    assert len(found) > 10
    assert [(name, slug) for name, slug in found if slug not in Problem.titles] == []
