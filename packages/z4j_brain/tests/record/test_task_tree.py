"""Workflows from links between tasks, whatever the links say."""

from __future__ import annotations

from typing import Any

from z4j_brain.store.task_tree import MAX_ROOTS, MAX_STEPS
from z4j_brain.tasks.tree import Tree, read_tree
from z4j_core.events import Kind

S = 1_000_000


def ids(tree: Tree | None) -> list[str]:
    assert tree is not None
    return [branch.task.task_id for branch in tree.items]


def path(tree: Tree | None) -> list[str]:
    assert tree is not None
    return [branch.task.task_id for branch in tree.path]


def read(record: Any, task_id: str, limit: int = 100, after: Any = None) -> Tree | None:
    found: Tree | None = record.read(read_tree, "celery", task_id, after, limit)
    return found


def test_a_chain_is_one_tree_from_wherever_it_is_looked_at(record: Any, event: Any) -> None:
    record.tell(
        event("c1", Kind.SUCCEEDED, 1 * S, data={"root_id": "c1"}),
        event("c2", Kind.FAILED, 2 * S, data={"root_id": "c1", "parent_id": "c1"}),
        event("c3", Kind.RECEIVED, 3 * S, data={"root_id": "c1", "parent_id": "c2"}),
        event("other", Kind.RECEIVED, 3 * S, data={"root_id": "other"}),
        event("c4", Kind.RECEIVED, 4 * S, engine="rq", data={"root_id": "c1", "parent_id": "c2"}),
    )
    for task_id in ("c1", "c2", "c3"):
        assert ids(read(record, task_id)) == ["c1", "c2", "c3"]
    tree = read(record, "c3")
    assert path(tree) == ["c1", "c2", "c3"]
    assert tree is not None
    assert [branch.task.state for branch in tree.items] == ["succeeded", "failed", "received"]
    assert [branch.links.parent_id for branch in tree.items] == [None, "c1", "c2"]
    assert ids(read(record, "other")) == ["other"]
    assert read(record, "nobody") is None


def test_a_chord_published_outside_of_a_task_is_one_tree(record: Any, event: Any) -> None:
    """Each of its members is a root; its end belongs to the one that ended last."""
    record.tell(
        event("h1", Kind.SUCCEEDED, 1 * S, data={"root_id": "h1", "group_id": "g"}),
        event("h2", Kind.SUCCEEDED, 2 * S, data={"root_id": "h2", "group_id": "g"}),
        event("end", Kind.SUCCEEDED, 3 * S, data={"root_id": "h2", "parent_id": "h2"}),
        event("other", Kind.SUCCEEDED, 3 * S, data={"root_id": "other", "group_id": "g2"}),
    )
    for task_id in ("h1", "h2", "end"):
        assert ids(read(record, task_id)) == ["h1", "h2", "end"]
    assert path(read(record, "end")) == ["h2", "end"]


def test_pages_hold_every_task_once(record: Any, event: Any) -> None:
    record.tell(
        event("root", Kind.SUCCEEDED, data={"root_id": "root"}),
        *(event(f"t{number}", Kind.RECEIVED, S, data=_below("root")) for number in range(7)),
    )
    found: list[str] = []
    after = None
    while True:
        tree = read(record, "t3", limit=3, after=after)
        assert tree is not None
        assert path(tree) == ["root", "t3"], "it can be placed on every page"
        found += ids(tree)
        after = tree.next
        if after is None:
            break
    assert found == ["root", *(f"t{number}" for number in range(7))]


def test_links_in_a_circle_or_to_nothing_end(record: Any, event: Any) -> None:
    record.tell(
        event("x", Kind.STARTED, 1 * S, data={"root_id": "x", "parent_id": "y"}),
        event("y", Kind.STARTED, 2 * S, data={"root_id": "x", "parent_id": "x"}),
        event("own", Kind.STARTED, 3 * S, data={"root_id": "own", "parent_id": "own"}),
        event("orphan", Kind.STARTED, 4 * S, data={"root_id": "gone", "parent_id": "gone"}),
        event("sister", Kind.STARTED, 5 * S, data={"root_id": "gone", "parent_id": "gone"}),
    )
    assert path(read(record, "x")) == ["y", "x"]
    assert ids(read(record, "y")) == ["x", "y"]
    assert path(read(record, "own")) == ["own"]
    assert path(read(record, "orphan")) == ["orphan"]
    assert ids(read(record, "orphan")) == ["orphan", "sister"]


def test_what_is_walked_is_bounded(record: Any, event: Any) -> None:
    deep = [
        event(f"d{number:03}", Kind.STARTED, number, data=_below("d000", number))
        for number in range(MAX_STEPS + 10)
    ]
    wide = [
        event(
            f"w{number:03}",
            Kind.STARTED,
            number,
            data={"root_id": f"w{number:03}", "group_id": "w"},
        )
        for number in range(MAX_ROOTS + 10)
    ]
    record.tell(*deep, *wide)
    way = path(read(record, f"d{MAX_STEPS + 9:03}"))
    assert len(way) == MAX_STEPS
    assert way[-1] == f"d{MAX_STEPS + 9:03}"
    assert len(ids(read(record, "w000", limit=200))) == 200


def _below(root: str, number: int = 1) -> dict[str, str]:
    if number == 0:
        return {"root_id": root}
    parent = root if root == "root" else f"d{number - 1:03}"
    return {"root_id": root, "parent_id": parent}
