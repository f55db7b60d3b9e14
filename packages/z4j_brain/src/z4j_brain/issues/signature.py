"""What makes failures the same issue (docs/issues.md). Pure: no clock, no database.

With a traceback: the type of the exception, the application's frames with the libraries that they
called, and the same of every exception that it was raised from, in any order. Without one: type,
task name and message without its variable parts.
"""

from __future__ import annotations

import hashlib
from collections import Counter

import msgspec

from z4j_brain.issues.messages import normal_message
from z4j_brain.issues.places import (
    function_of,
    is_engine,
    is_inlined,
    place_of,
    root_of,
)
from z4j_brain.issues.traceback import Section, read_traceback

ID_LENGTH = 20
MAX_FRAMES = 40
"""Different frames of one exception that count; the innermost."""
MAX_STACK = 16_384
_MAX_TYPE = 255
_MAX_CAUSES = 12
_REPEATED = 3
"""Python writes a repeated line this often before it only counts."""
_RULES = "1"
"""Raised when the rules change, so that old and new issues never share an id by chance."""


class Failure(msgspec.Struct, frozen=True, gc=False):
    """What is known of a failure. `module` is that of the exception's type."""

    type: str = ""
    module: str = ""
    message: str = ""
    traceback: str = ""
    task_name: str = ""


class Signature(msgspec.Struct, frozen=True, gc=False):
    """What failures of one issue have in common: the same for each of them.

    `title` says where it happens, or what was said when no traceback tells; `stack` is a line for
    each frame, the innermost last, before it what it was raised from.
    """

    id: str
    type: str
    title: str
    stack: str


def signature_of(failure: Failure) -> Signature:
    """Return the signature of a failure. Never raises, whatever the texts hold."""
    sections = read_traceback(failure.traceback) if failure.traceback else []
    paths = [path for section in sections for path, _ in section.frames]
    if not paths:
        return _of_message(failure)
    root = root_of(paths, failure.task_name)
    own = failure.task_name.partition(".")[0]
    main, others = _main_section(sections)
    kind = failure.type or main.type[:_MAX_TYPE]
    lines = _lines(main.frames, kind, root, own)
    causes = {(one.type, *_lines(one.frames, one.type, root, own)) for one in others}
    causes.discard((kind, *lines))
    described = [line for cause in sorted(causes)[:_MAX_CAUSES] for line in _indented(cause)]
    head = _head(kind, failure.module)
    stack = "\n".join([*described, head, *lines])[:MAX_STACK]
    return Signature(_digest(head, *described, *lines), kind, _culprit(lines), stack)


def _of_message(failure: Failure) -> Signature:
    message = normal_message(failure.message)
    head = _head(failure.type, failure.module)
    title = (message or failure.task_name or failure.type)[:_MAX_TYPE] or "no message"
    stack = "\n".join(filter(None, (head, failure.task_name, message)))[:MAX_STACK]
    return Signature(_digest("", head, failure.task_name, message), failure.type, title, stack)


def _main_section(sections: list[Section]) -> tuple[Section, list[Section]]:
    """Part the exception that ended the task from those behind it: in a chain it stands last.

    What its own message says is not looked at, so that texts which differ only behind the last
    frame have one signature.
    """
    chain = [at for at, section in enumerate(sections) if not section.is_child]
    at = chain[-1] if chain else len(sections) - 1
    return sections[at], sections[:at] + sections[at + 1 :]


def _lines(raw: list[tuple[str, str]], kind: str, root: str, own: str) -> list[str]:
    """Return the application's frames, each once, and the library that the last one called."""
    frames: Counter[str] = Counter()
    inside: dict[str, None] = {}
    called = ""
    for path, function in raw:
        if is_inlined(function):
            continue
        place = place_of(path, root)
        line = f"{place.module} in {function_of(function)}" if function else place.module
        if not place.package or (place.package == own and not is_engine(own)):
            # By the last time that it occurs: what stands last is where it was raised.
            frames[line] = frames.pop(line, 0) + 1
            called = ""
        else:
            called = called or f"{place.package} …"
            inside.setdefault(line)
    if not frames:
        return _of_libraries(inside)[-MAX_FRAMES:]
    if kind == "RecursionError":
        return _of_recursion(frames)
    return [*frames, called][-MAX_FRAMES:] if called else list(frames)[-MAX_FRAMES:]


def _of_recursion(frames: Counter[str]) -> list[str]:
    """The circle, wherever in it the limit was met."""
    circle = [line for line, times in frames.items() if times >= _REPEATED]
    return sorted(circle or frames)[:MAX_FRAMES]


def _of_libraries(lines: dict[str, None]) -> list[str]:
    """Nothing of the application: the libraries' frames, without the engine that called them."""
    called = [line for line in lines if not is_engine(line.partition(".")[0].partition(" ")[0])]
    return called or list(lines)


def _culprit(lines: list[str]) -> str:
    own = [line for line in lines if not line.endswith(" …")]
    return (own or lines or ["unknown place"])[-1]


def _indented(cause: tuple[str, ...]) -> list[str]:
    kind, *lines = cause
    return [f"{kind or 'an exception'} (behind it)", *(f"  {line}" for line in lines)]


def _head(kind: str, module: str) -> str:
    """The type and its package: where in that it is defined changes with the version."""
    return f"{kind} ({module.partition('.')[0]})" if module not in ("", "builtins") else kind


def _digest(*parts: str) -> str:
    text = "\0".join((_RULES, *parts))
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:ID_LENGTH]
