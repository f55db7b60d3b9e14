"""Django, as the agent sees it."""

from __future__ import annotations

from typing import ClassVar

from django.core.signals import request_started

from z4j_agent.web import RequestSignal, WebFramework


class DjangoFramework(WebFramework):
    """A process that serves requests with Django, whatever server calls it."""

    name: ClassVar[str] = "django"

    def request_started(self) -> RequestSignal:
        """Return Django's own signal; the same for WSGI and ASGI."""
        signal: RequestSignal = request_started
        return signal
