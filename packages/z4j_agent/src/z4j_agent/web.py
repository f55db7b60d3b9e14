"""Web processes connect at their first request: by then they are forked for the last time."""

from __future__ import annotations

import os
from typing import Any, Protocol

from z4j_core.plugins import Framework, Host

LOOKS = 2
"""The first request may import the views, and they an engine: the second has it found."""


class RequestSignal(Protocol):
    """What Django's signals and Flask's (of blinker) have in common."""

    def connect(self, receiver: Any, *, weak: bool) -> Any:
        """Call `receiver` with each request."""

    def disconnect(self, receiver: Any) -> Any:
        """Call it no more."""


class WebFramework(Framework):
    """A framework with a signal for the start of a request; a subclass says which.

    Nothing is known of a process before it has a request: servers load an application in their
    master, reloaders in their watcher, and tools in a command line, none of which serves.
    """

    def __init__(self) -> None:
        self._host: Host | None = None
        self._served_by = 0
        self._looks = 0

    def request_started(self) -> RequestSignal:
        """Return the signal; it is sent in the process and thread that serve the request."""
        raise NotImplementedError(f"{type(self).__name__} must implement request_started()")

    def attach(self, host: Host) -> None:
        """Wait for the first request."""
        self._host = host
        self.request_started().connect(self.on_request, weak=False)

    def detach(self) -> None:
        """Wait no more."""
        self.request_started().disconnect(self.on_request)
        self._host = None

    def on_request(self, sender: object = None, **_: object) -> None:
        """Connect this process. Never raises; costs a comparison once that is done.

        The process is compared because uWSGI forks without telling Python.
        """
        pid = os.getpid()
        if self._served_by != pid:
            self._served_by, self._looks = pid, LOOKS
        if self._looks > 0 and self._host is not None:
            self._looks -= 1
            self._host.ensure_started("web")
