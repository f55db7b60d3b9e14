"""What a transaction changed, by key: what writers hand to the hub after their commit."""

from __future__ import annotations

from uuid import UUID

import msgspec

TaskKey = tuple[str, str]
"""Engine and task id."""

MAX_ISSUES = 100
"""Of the issues, and of the schedules, of a message no more are named."""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of rows that one transaction wrote; the hub reads the rows themselves.

    All but `task_keys` are the `id` of their rows; of issues and schedules only some when very many
    changed, and "" stands for a store of schedules.
    """

    task_keys: list[TaskKey] = []
    workers: list[UUID] = []
    commands: list[UUID] = []
    agents: list[UUID] = []
    issues: list[str] = []
    schedules: list[str] = []
    bulk_runs: list[UUID] = []

    @property
    def size(self) -> int:
        """How many keys these are."""
        return sum(map(len, msgspec.structs.astuple(self)))
