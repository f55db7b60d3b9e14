"""Where a frame is, in words that stay the same on another machine, release or Python.

A file of the application is its dotted path below the application's root; of a library, or of the
standard library, only the name of the package counts, because what happens inside changes with
its version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

import msgspec

_INSTALLED = re.compile(r"/(?:site|dist)-packages/|\.(?:whl|egg|pex|pyz|zip)/")
_STANDARD = re.compile(
    r"/(?:lib(?:32|64)?/(?:python|pypy)\d+(?:\.\d+)?t?|lib-python/\d+|python\d+\.zip)/"
    r"|/python\d*/lib/",
    re.IGNORECASE,
)
_ENGINES = frozenset(
    {
        "amqp",
        "apscheduler",
        "arq",
        "billiard",
        "celery",
        "dramatiq",
        "huey",
        "kombu",
        "periodiq",
        "rq",
        "taskiq",
        "vine",
    }
)
_RELEASE = re.compile(r"[-_.]?(?:0x)?[0-9a-f]*\d[0-9a-f]{5,}[-_.]?", re.IGNORECASE)
_ADDRESS = re.compile(r"0x[0-9a-f]+", re.IGNORECASE)
_LONG_NUMBER = re.compile(r"\d{6,}")
_DIGITS = re.compile(r"\d+")
_MAX_PART = 200
_MAX_NAMES, _MAX_PATHS = 8, 64
_COMPREHENSIONS = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})


class Place(msgspec.Struct, frozen=True, gc=False):
    """The module of a frame; `package` is its first part when a library owns it, else empty."""

    module: str
    package: str


@lru_cache(maxsize=2_048)
def place_of(path: str, root: str) -> Place:
    """Return where a file is; `root` is the application's folder if it is known, with a slash."""
    path = path.replace("\\", "/")
    if path.startswith("<"):
        return _place_of_generated(path)
    if root and path.startswith(root) and not _is_of_a_library(path[len(root) - 1 :]):
        return Place(_dotted(path[len(root) :]), "")
    for pattern in (_INSTALLED, _STANDARD):
        ends = [found.end() for found in pattern.finditer(path)]
        if ends:
            module = _dotted(_without_eggs(path[ends[-1] :]))
            return Place(module, module.partition(".")[0])
    return Place(_dotted("/".join(_last_two(path))), "")


def _place_of_generated(path: str) -> Place:
    """`<frozen importlib._bootstrap>` is a library; `<string>` and its like are generated code."""
    inner = path.strip("<>")
    if inner.startswith("frozen "):
        module = _clip(inner.removeprefix("frozen ").strip("<>"))
        return Place(module, module.partition(".")[0])
    name = f"<{_clip(_DIGITS.sub('0', _ADDRESS.sub('0', inner)))}>"
    return Place(name, name)


def root_of(paths: Iterable[str], task_name: str) -> str:
    """Return the folder below which the task's own module lies, or nothing.

    The name of a task is normally its module and function, and the frame of that function is in
    its traceback: what stands before the module in that path is the application's folder.
    """
    names = task_name.split(".")[:_MAX_NAMES]
    distinct = islice(dict.fromkeys(path.replace("\\", "/") for path in paths), _MAX_PATHS)
    stems = [path.removesuffix(".py").removesuffix("/__init__") for path in distinct]
    for length in range(len(names), 0, -1):
        wanted = "/" + "/".join(names[:length])
        for stem in stems:
            if stem.endswith(wanted):
                root = stem[: -len(wanted)] + "/"
                # Of what is installed only the task's own package counts as the application's.
                return "" if _is_of_a_library(root) else root
    return ""


def _is_of_a_library(path: str) -> bool:
    return bool(_INSTALLED.search(path) or _STANDARD.search(path))


def function_of(name: str) -> str:
    """Return a function's name without what a generator numbered or addressed."""
    return _clip(_LONG_NUMBER.sub("0", _ADDRESS.sub("0", name)))


def is_inlined(function: str) -> bool:
    """Tell whether newer Pythons (PEP 709) have no frame of its own for it."""
    return function in _COMPREHENSIONS


def is_engine(package: str) -> bool:
    """Tell whether the package is that of an engine, which called the task."""
    return package in _ENGINES


def _dotted(path: str) -> str:
    path = path.removesuffix(".py").removesuffix(".pyc").removesuffix("/__init__")
    return _clip(path.strip("/").replace("/", "."))


def _without_eggs(path: str) -> str:
    return "/".join(part for part in path.split("/") if not part.endswith((".egg", ".whl")))


def _last_two(path: str) -> list[str]:
    """The file and its folder; a folder that is named after a release says nothing."""
    parts = [part for part in path.split("/") if part]
    keep = parts[-3:] if parts and parts[-1] == "__init__.py" else parts[-2:]
    return [part for part in keep[:-1] if not _RELEASE.search(part)] + keep[-1:]


def _clip(text: str) -> str:
    return text if len(text) <= _MAX_PART else text[: _MAX_PART - 1] + "…"
