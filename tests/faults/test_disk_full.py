"""File systems that are really full: a tiny tmpfs each, so these tests need root on Linux."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.arena import Arena
from faults.databases import Template
from faults.processes import EmitterProcess
from faults.schedule import Emitter, Schedule

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can mount a tiny file system"
)
only_sqlite = pytest.mark.parametrize("template", ["sqlite"], indirect=True)


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A folder with room for 4 MiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", str(folder)], check=False
    )
    if done.returncode:
        pytest.skip("this container may not mount anything")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all the room that is left; deleting the file gives it back."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4_096):
                pass
        except OSError:
            return filler
    raise AssertionError("the file system is not full")


def emitter(arena: Arena, tmp_path: Path, **settings: str) -> EmitterProcess:
    environment = {**arena.agent_environment, **settings}
    one = EmitterProcess(Emitter("w8", 400, 0, 0), environment, tmp_path, arena.truth)
    arena.emitters = [one]
    one.start()
    return one


def wait_for_accepted(arena: Arena, more: int) -> None:
    wanted = len(arena.truth.accepted) + more
    deadline = time.monotonic() + 120
    while len(arena.truth.accepted) < wanted:
        assert time.monotonic() < deadline, "the emitter does not emit"
        time.sleep(0.02)


@only_sqlite
def test_the_servers_disk_is_full_for_a_while(
    template: Template, tiny: Path, tmp_path: Path
) -> None:
    arena = Arena(Schedule(0, "sqlite", [], []), template, tiny)
    with arena.open():
        emitter(arena, tmp_path, Z4J_SPOOL_DIR=str(tmp_path / "spool"))
        wait_for_accepted(arena, 200)
        filler = fill(tiny)
        wait_for_accepted(arena, 1_000)
        deadline = time.monotonic() + 120
        while arena.server.readiness()[0] != 503:
            assert time.monotonic() < deadline, "a full disk went unnoticed"
            wait_for_accepted(arena, 100)
        filler.unlink()
        arena.drain()
        verdict = arena.judge("database_full")
    assert verdict.troubles == []
    assert verdict.events == len(arena.truth.accepted)


@only_sqlite
def test_the_agents_disk_is_full(template: Template, tiny: Path, arena: Arena) -> None:
    filler = fill(tiny)
    with filler.open("r+b") as file:
        file.truncate(filler.stat().st_size - 65_536)
    one = emitter(arena, tiny.parent, Z4J_SPOOL_DIR=str(tiny / "spool"))
    wait_for_accepted(arena, 1_000)
    arena.drain()
    verdict = arena.judge()
    assert verdict.troubles == []
    assert verdict.declared == 0
    assert arena.truth.in_memory == {one.name}
