"""What a transaction changed, by key: what writers hand to the hub after their commit."""

from __future__ import annotations

from uuid import UUID

import msgspec

TaskKey = tuple[str, str]
"""Engine and task id."""


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of rows that one transaction wrote; the hub reads the rows themselves.

    `workers`, `commands` and `agents` are the `id` of their rows.
    """

    task_keys: list[TaskKey] = []
    workers: list[UUID] = []
    commands: list[UUID] = []
    agents: list[UUID] = []

    @property
    def size(self) -> int:
        """How many keys these are."""
        return len(self.task_keys) + len(self.workers) + len(self.commands) + len(self.agents)
