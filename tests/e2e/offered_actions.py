"""What the plugins of this repository offer to people; as a program it prints it as JSON."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec

import msgspec

from z4j_core.frames import ActionInfo
from z4j_core.plugins import GROUP, Engine, PluginSettings, Scheduler

Offers = dict[str, dict[str, ActionInfo]]
# A hook answers only where its library is in use.
LIBRARIES = (
    *("apscheduler.schedulers.base", "arq.worker", "celery", "dramatiq", "huey.consumer"),
    *("rq", "taskiq"),
)
ARQ_PYTHON = os.environ.get("Z4J_ARQ_PYTHON")
"""The Python of arq's own environment: its redis-py is another than everybody's. The test command
gives it."""


@functools.cache
def offers() -> Offers:
    """Return the actions of each engine and scheduler, by its name and theirs.

    Read in a process of its own: a test's own shall not have the engines imported.
    """
    found: Offers = {}
    for python in (sys.executable, ARQ_PYTHON):
        if python is not None:
            done = subprocess.run([python, __file__], capture_output=True, check=True, timeout=120)
            found |= msgspec.json.decode(done.stdout, type=Offers)
    return found


def parts(point: EntryPoint) -> Iterator[Engine | Scheduler]:
    """Yield what one plugin gives; one that gives nothing here would go untested."""
    module = point.load()
    for name in ("z4j_engine", "z4j_scheduler"):
        if hasattr(module, name):
            part = getattr(module, name)(PluginSettings())
            if part is None:
                raise LookupError(f"{point.name}: add its library to LIBRARIES, and install it")
            yield part


def own_points() -> list[EntryPoint]:
    """Return the entry points of this repository's packages; the stranger's plugin is none."""
    points = entry_points(group=GROUP)
    return [one for one in points if one.dist is not None and one.dist.name.startswith("z4j-")]


def main() -> None:
    """Print what is offered."""
    for library in LIBRARIES:
        if find_spec(library.partition(".")[0]) is not None:
            import_module(library)
    found = {part.name: part.actions() for point in own_points() for part in parts(point)}
    told = {
        name: {action: one.info() for action, one in actions.items() if not one.mark.internal}
        for name, actions in found.items()
    }
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    main()
