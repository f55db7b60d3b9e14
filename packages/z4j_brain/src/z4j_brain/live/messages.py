"""What `/ws/dashboard` says, as Structs (docs/live.md)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Topic = Literal[
    "tasks", "workers", "commands", "agents", "issues", "schedules", "bulk_runs", "overview"
]


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The subscription counts from `offset` on."""

    offset: int
    lag_ms: int | None


class Reset(msgspec.Struct, frozen=True, tag="reset"):
    """Changes were missed: read everything again."""

    offset: int


class Tick(msgspec.Struct, frozen=True, tag="tick"):
    """A sign of life, every 5 s."""

    offset: int
    now: str
    lag_ms: int | None


class ChangesMessage(msgspec.Struct, frozen=True, tag="changes", omit_defaults=True):
    """Rows in their newest form. `many`: too many tasks changed to be listed."""

    offset: int
    tasks: list[Any] = []
    workers: list[Any] = []
    commands: list[Any] = []
    agents: list[str] = []
    issues: list[str] = []
    schedules: list[str] = []
    bulk_runs: list[str] = []
    many: bool = False


class Views(msgspec.Struct, frozen=True):
    """The rows behind a set of changed keys, as readers are shown them."""

    tasks: list[Any] = []
    workers: list[Any] = []
    commands: list[Any] = []
    agents: list[str] = []
    issues: list[str] = []
    schedules: list[str] = []
    bulk_runs: list[str] = []


class Batch:
    """One flush of a project, encoded once for each set of topics that somebody reads."""

    def __init__(self, offset: int, views: Views, *, is_many: bool) -> None:
        self._offset = offset
        self._views = views
        self._is_many = is_many
        self._encoded: dict[frozenset[str], bytes | None] = {}

    def encode(self, topics: frozenset[str]) -> bytes | None:
        """Return the message for a reader of these topics, None when it holds nothing for it."""
        if topics not in self._encoded:
            self._encoded[topics] = self._encode(topics)
        return self._encoded[topics]

    def _encode(self, topics: frozenset[str]) -> bytes | None:
        views = self._views
        chosen = {
            topic: rows
            for topic, rows in (
                ("tasks", views.tasks),
                ("workers", views.workers),
                ("commands", views.commands),
                ("agents", views.agents),
                ("issues", views.issues),
                ("schedules", views.schedules),
                ("bulk_runs", views.bulk_runs),
            )
            if rows and topic in topics
        }
        is_many = self._is_many and bool(topics & {"tasks", "overview"})
        if not chosen and not is_many and "overview" not in topics:
            return None
        return msgspec.json.encode(ChangesMessage(offset=self._offset, many=is_many, **chosen))
