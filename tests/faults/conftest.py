"""A template of a database for the whole run, and an arena in which a test does what it wants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from faults.arena import Arena
from faults.databases import Template
from faults.schedule import Emitter, Schedule
from services.missing import ServiceMissingError, give_up
from services.postgres import running_postgres

MakeArena = Callable[..., Arena]


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def template(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Template]:
    """A migrated database of each kind, on a PostgreSQL server that tests may stop."""
    folder = tmp_path_factory.mktemp("template")
    with ExitStack() as stack:
        postgres = None
        if request.param == "postgresql":
            try:
                postgres = stack.enter_context(running_postgres(fsync=True))
            except ServiceMissingError as missing:
                give_up(missing)
        yield Template(folder, request.param, postgres)


@pytest.fixture
def arena(template: Template, tmp_path: Path) -> Iterator[Arena]:
    """A server with one emitter of 300 events a second that has not begun."""
    schedule = Schedule(0, template.kind, [Emitter("w0", 300, 0, 0)], [])
    arena = Arena(schedule, template, tmp_path)
    with arena.open():
        yield arena
