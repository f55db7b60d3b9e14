from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from services import folder
from services.folder import LOCK, own_folder


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(folder, "MEMORY", tmp_path)
    monkeypatch.setattr(folder, "ROOM", 0)
    return tmp_path


def _age(of: Path) -> None:
    hour_ago = time.time() - 3600
    os.utime(of, (hour_ago, hour_ago))


def test_it_is_gone_afterwards(memory: Path) -> None:
    with own_folder("z4j-test-", in_memory=True) as made:
        assert made.parent == memory
    assert list(memory.iterdir()) == []


def test_without_room_it_is_on_disk(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "ROOM", 1 << 60)
    with own_folder("z4j-test-", in_memory=True) as made:
        assert made.parent != memory


def test_what_a_killed_run_left_is_taken_away(memory: Path) -> None:
    left, young, foreign = (memory / name for name in ("z4j-test-a", "z4j-test-b", "other"))
    for each in (left, young, foreign):
        each.mkdir()
        (each / LOCK).touch()
    _age(left)
    with own_folder("z4j-test-", in_memory=True) as used:
        _age(used)
        with own_folder("z4j-test-", in_memory=True):
            assert used.is_dir()
    assert sorted(memory.iterdir()) == [foreign, young]
