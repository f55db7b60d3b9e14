"""The marked regions of a page, and who makes each kind.

A region begins with a line `<!-- made: KIND ARGUMENT -->` and ends with `<!-- end -->`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import keys
import offers

ROOT = Path(__file__).resolve().parents[2]
_REGION = re.compile(r"^(<!-- made: (\w+) (\S+) -->\n).*?^(<!-- end -->)$", re.DOTALL | re.M)
_LANGUAGES = {".py": "python", ".toml": "toml"}


def renewed(page: str) -> str:
    """Return the page with its regions made anew. Raise KeyError for a kind that nobody makes."""
    return _REGION.sub(lambda found: found[1] + _MAKERS[found[2]](found[3]) + found[4], page)


def _file(path: str) -> str:
    """Return a whole file, word for word."""
    source = (ROOT / path).read_text()
    return f"```{_LANGUAGES[Path(path).suffix]}\n{source.rstrip()}\n```\n"


def _tests(path: str) -> str:
    """Return each test of a contract with what it wants, by the first sentence that it says."""
    rows = []
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            wanted = (ast.get_docstring(node) or "").split("\n\n")[0]
            rows.append((f"`{node.name}`", " ".join(wanted.split())))
    return offers.table(("test", "what it wants"), rows)


_MAKERS: dict[str, Callable[[str], str]] = {
    "actions": offers.of_plugin,
    "file": _file,
    "keys": keys.of_events,
    "tests": _tests,
}
