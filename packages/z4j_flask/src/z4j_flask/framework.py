"""Flask, as the agent sees it."""

from __future__ import annotations

from typing import ClassVar

from flask import Flask, request_started

from z4j_agent.web import RequestSignal, WebFramework


class FlaskFramework(WebFramework):
    """A process that serves requests with Flask, whatever server calls it."""

    name: ClassVar[str] = "flask"

    def request_started(self) -> RequestSignal:
        """Return Flask's signal; it is sent before any `before_request` of the application."""
        return request_started

    def on_request(self, sender: object = None, **_: object) -> None:
        """As for every framework, but not for the test client."""
        if not (isinstance(sender, Flask) and sender.testing):
            super().on_request(sender)
