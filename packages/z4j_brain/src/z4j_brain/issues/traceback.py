"""Read the text of a Python traceback: which exceptions, each with its frames.

Understands what `traceback.format_exception` of Python 3.6 and newer writes: chains (cause and
context), exception groups, marker lines, repeated lines, syntax errors, and the tracebacks that
pools put into a message (`RemoteTraceback`). Source lines, markers, messages, notes and line
numbers are passed over. Pure, bounded, and never raises, whatever the text is.
"""

from __future__ import annotations

import re

import msgspec

MAX_TEXT = 65_536
"""Characters that are read: the first quarter and the last three of a longer text."""
MAX_SECTIONS = 32
MAX_FRAMES = 200
"""Of one exception; the innermost are kept."""

_COLOUR = re.compile(r"\x1b\[[0-9;]{0,16}m")
_FRAME = re.compile(r'^((?: *\| )?)  File "([^"]*)", line \d+(?:, in (.+))?$')
_TYPE = re.compile(r"([^\W\d][\w.]*(?:\.<locals>\.[\w.]+)*)(?:: |:?$)")
_CHILD = re.compile(r"^[ ]*\+[-+]*-+ (?:\d+|\.\.\.) -+$")
_HEADER = "Traceback (most recent call last):"
_CUT = "… [cut, "
"""What the agent puts in the place of a long traceback's middle, headers perhaps included."""
BEGINNINGS = (_HEADER, _CUT)
"""A text without these tells of no further exception, unless it is of a group."""


class Section(msgspec.Struct, gc=False):
    """One exception of a traceback; `frames` are (path, function), the outermost first.

    The function of a frame that only points into a source (a syntax error) is empty. `is_child`:
    it is a member of an exception group.
    """

    type: str = ""
    frames: list[tuple[str, str]] = []
    is_child: bool = False


def read_traceback(text: str) -> list[Section]:
    """Return the exceptions of a traceback in the order in which they stand there."""
    reader = _Reader()
    for line in _bounded(text).split("\n"):
        reader.take(line.rstrip("\r"))
    return reader.sections


def _bounded(text: str) -> str:
    if len(text) > MAX_TEXT:
        text = f"{text[: MAX_TEXT // 4]}\n{text[-(MAX_TEXT // 4 * 3) :]}"
    return _COLOUR.sub("", text) if "\x1b" in text else text


class _Reader:
    def __init__(self) -> None:
        self.sections: list[Section] = []
        self._open: Section | None = None
        self._margin: str | None = None
        """What stands before the frames of the open section: nothing, or the bar of a group."""

    def take(self, line: str) -> None:
        if "File " in line and (frame := _FRAME.match(line)):
            self._add_frame(frame)
        elif line.endswith(_HEADER):
            # The header of a group's child follows its separator: one section, not two.
            if self._open is None or self._open.frames:
                self._begin(is_child="| " in line)
        elif line.startswith(_CUT):
            self._open = self._open or self._begin()
        elif self._open is None:
            if "-" in line and _CHILD.match(line):
                self._begin(is_child=True)
        elif found := _TYPE.match(self._without_margin(line)):
            self._open.type = found[1].rpartition(".")[2]
            self._open = None

    def _add_frame(self, frame: re.Match[str]) -> None:
        if self._open is None and self.sections:
            return  # a message that quotes frames
        section = self._open or self._begin()
        self._margin = frame[1]
        section.frames.append((frame[2], (frame[3] or "").strip()))
        if len(section.frames) > MAX_FRAMES:
            del section.frames[0]

    def _without_margin(self, line: str) -> str:
        """Source lines are indented below the margin, so that none looks like a type."""
        if self._margin is None:
            return line.lstrip(" |")
        return line[len(self._margin) :] if line.startswith(self._margin) else ""

    def _begin(self, *, is_child: bool = False) -> Section:
        self._open, self._margin = Section(is_child=is_child), None
        if len(self.sections) == MAX_SECTIONS:
            # The last one is the exception itself, the others are what led to it.
            del self.sections[MAX_SECTIONS // 2]
        self.sections.append(self._open)
        return self._open
