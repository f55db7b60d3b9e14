"""Which workers hold a live link, and how to reach them.

Everything here belongs to the event loop. `LocalRegistry` knows the links of this process.
"""

from __future__ import annotations

import logging
from typing import Protocol
from uuid import UUID

from z4j_core import frames
from z4j_core.link import CloseReason
from z4j_core.link.errors import ADVICE, REPLACED, REVOKED

log = logging.getLogger("z4j.link")
AnyWatch = frames.Watch | frames.WatchSchedules


class LiveLink(Protocol):
    """What the registry needs of a session."""

    @property
    def token_id(self) -> UUID:
        """The token that admitted it."""

    @property
    def agent_id(self) -> UUID:
        """The agent that the token belongs to."""

    @property
    def worker_row(self) -> UUID | None:
        """The worker's row, once the link is proven."""

    def send_command(self, command: frames.Command) -> bool:
        """Send a command; tell whether the link was open."""

    def send_watch(self, watch: AnyWatch) -> bool:
        """Say what to sample or to read; tell whether the link was open."""

    def end(self, reason: CloseReason) -> None:
        """End the link soon; returns at once."""


class Registry(Protocol):
    """The interface that commands, gateway and API use."""

    def admit(self, session: LiveLink) -> None:
        """Remember a link whose token was accepted, so that revoking it reaches it at once."""

    def register(self, session: LiveLink, worker_row: UUID) -> None:
        """Make a proven link the one of its worker; an older one of the same worker ends."""

    def unregister(self, session: LiveLink) -> bool:
        """Forget a link; tell whether it was its worker's present one."""

    def deliver(self, worker_row: UUID, command: frames.Command) -> bool:
        """Send a command to a worker; tell whether it has an open link."""

    def watch(self, worker_row: UUID, watch: AnyWatch) -> bool:
        """Tell a worker what to sample or to read; tell whether it has an open link."""

    def drop_token(self, token_id: UUID, reason: str) -> int:
        """End every link of a token; return how many."""

    def drop_agent(self, agent_id: UUID, reason: str) -> int:
        """End every link of an agent; return how many."""

    def online(self) -> set[UUID]:
        """Return the rows of the workers that hold a proven link."""

    def sessions(self) -> list[LiveLink]:
        """Return every admitted link."""


class LocalRegistry:
    """The links of this process, in memory."""

    def __init__(self) -> None:
        self._admitted: set[LiveLink] = set()
        self._by_worker: dict[UUID, LiveLink] = {}

    def admit(self, session: LiveLink) -> None:
        """See `Registry`."""
        self._admitted.add(session)

    def register(self, session: LiveLink, worker_row: UUID) -> None:
        """See `Registry`."""
        self._admitted.add(session)
        older = self._by_worker.get(worker_row)
        self._by_worker[worker_row] = session
        if older is not None and older is not session:
            older.end(CloseReason(REPLACED, ADVICE[REPLACED]))

    def unregister(self, session: LiveLink) -> bool:
        """See `Registry`."""
        self._admitted.discard(session)
        row = session.worker_row
        if row is None or self._by_worker.get(row) is not session:
            return False
        del self._by_worker[row]
        return True

    def deliver(self, worker_row: UUID, command: frames.Command) -> bool:
        """See `Registry`."""
        session = self._by_worker.get(worker_row)
        return session is not None and session.send_command(command)

    def watch(self, worker_row: UUID, watch: AnyWatch) -> bool:
        """See `Registry`."""
        session = self._by_worker.get(worker_row)
        return session is not None and session.send_watch(watch)

    def drop_token(self, token_id: UUID, reason: str = REVOKED) -> int:
        """See `Registry`."""
        return self._drop([one for one in self._admitted if one.token_id == token_id], reason)

    def drop_agent(self, agent_id: UUID, reason: str = REVOKED) -> int:
        """See `Registry`."""
        return self._drop([one for one in self._admitted if one.agent_id == agent_id], reason)

    def online(self) -> set[UUID]:
        """See `Registry`."""
        return set(self._by_worker)

    def sessions(self) -> list[LiveLink]:
        """See `Registry`."""
        return list(self._admitted)

    def _drop(self, sessions: list[LiveLink], reason: str) -> int:
        for session in sessions:
            session.end(CloseReason(REVOKED, ADVICE.get(reason, ADVICE[REVOKED])))
        if sessions:
            log.info("%d link(s) ended: %s", len(sessions), reason)
        return len(sessions)
