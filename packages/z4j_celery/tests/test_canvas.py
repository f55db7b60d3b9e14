"""Chains, groups and chords are told with what makes a tree of them: parent, root and group."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import Worker, clean_environment

PROGRAM = """
import json
from celery import chain, chord, group
from celery_shop import add, total
last = chain(add.s(1, 1), add.s(2), add.s(3))()
many = group(add.s(n, 1) for n in range(3))()
end = chord([add.s(n, 1) for n in range(2)])(total.s())
print(json.dumps({
    "chain": [last.parent.parent.id, last.parent.id, last.id],
    "group": [one.id for one in many],
    "members": [one.id for one in end.parent.results],
    "end": [end.id],
}))
"""


@pytest.fixture
def published(prefork: Worker, tmp_path: Path) -> dict[str, list[str]]:
    """The ids of a chain, a group and a chord that a publisher without z4j has published."""
    environment = clean_environment(prefork.url, tmp_path / "record") | {"ATTACH": ""}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        check=True,
        capture_output=True,
        timeout=120,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    for ids in found.values():
        for task_id in ids:
            prefork.record.wait_for(task_id, "succeeded")
    return found


def links(worker: Worker, task_id: str) -> tuple[Any, Any, Any]:
    """Return parent, root and group as the worker told them."""
    data = worker.record.wait_for(task_id, "received")["data"]
    return data.get("parent_id"), data.get("root_id"), data.get("group_id")


def test_a_publishers_canvas(prefork: Worker, published: dict[str, list[str]]) -> None:
    first, second, last = published["chain"]
    assert links(prefork, first) == (None, first, None)
    assert links(prefork, second) == (first, first, None)
    assert links(prefork, last) == (second, first, None)
    for ids in (published["group"], published["members"]):
        told = [links(prefork, task_id) for task_id in ids]
        [group] = {group for _, _, group in told}
        assert group is not None
        assert told == [(None, task_id, group) for task_id in ids], "each of them is a root"
    [end] = published["end"]
    parent, root, _ = links(prefork, end)
    assert parent == root
    assert parent in published["members"], "it belongs to the member that ended last"
