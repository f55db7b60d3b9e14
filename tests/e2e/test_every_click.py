"""No action is offered that no test clicks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from offered_actions import offers


def clicked() -> Iterator[tuple[str, str]]:
    """Yield engine and action of each `….do("engine", "action", …)` in the tests beside this."""
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="do"),
                    args=[ast.Constant(str(engine)), ast.Constant(str(action)), *_],
                ):
                    yield engine, action


def test_every_action_that_is_offered_is_clicked() -> None:
    """`Hand.do` clicks it, and knows by itself whether the plugin offers it."""
    offered = {(engine, action) for engine, actions in offers().items() for action in actions}
    assert offered - set(clicked()) == set()
