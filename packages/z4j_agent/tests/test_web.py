"""Web processes: settings from a framework, a start with the first request, and none at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import z4j_agent
from z4j_agent.testing import LoopbackBrain
from z4j_agent.web import LOOKS, WebFramework
from z4j_core.testing.host import RecordingHost

InChild = Callable[[Callable[[], None]], int]


class Signal:
    """As Django's and Flask's."""

    def __init__(self) -> None:
        self.receivers: list[Any] = []

    def connect(self, receiver: Any, *, weak: bool) -> None:
        assert not weak, "nobody else holds the receiver"
        self.receivers.append(receiver)

    def disconnect(self, receiver: Any) -> None:
        self.receivers.remove(receiver)

    def send(self) -> None:
        for receiver in self.receivers:
            receiver(self, environ={})


class Shop(WebFramework):
    """A framework of its own."""

    name = "shop"
    signal = Signal()

    def request_started(self) -> Signal:
        return self.signal


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The module as it is in a new process, with no `Z4J_` in the environment."""
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(z4j_agent, "_agent", None)
    monkeypatch.setattr(z4j_agent, "_configured", {"Z4J_PLUGINS": "none", "Z4J_SPOOL": "off"})
    monkeypatch.setattr(z4j_agent, "_stays_off", False)
    yield
    z4j_agent.stay_off()


def test_a_process_starts_with_its_first_request_and_so_does_its_child(in_child: InChild) -> None:
    shop, host = Shop(), RecordingHost()
    shop.attach(host)
    assert host.started == []

    def serve() -> None:
        before = len(host.started)
        for _ in range(5):
            shop.signal.send()
        assert host.started[before:] == [("web", None)] * LOOKS

    serve()
    assert in_child(serve) == 0
    serve_again = len(host.started)
    shop.signal.send()
    assert len(host.started) == serve_again
    shop.detach()
    assert Shop.signal.receivers == []


@pytest.mark.usefixtures("unset")
def test_settings_of_a_framework_are_settings_of_the_agent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with LoopbackBrain() as brain:
        assert not z4j_agent.is_wanted()
        monkeypatch.setenv("Z4J_URL", brain.url)
        assert not z4j_agent.get_agent().settings.is_active, "it has no token"
        z4j_agent.configure(
            {
                "Z4J_URL": "http://elsewhere.example",
                "Z4J_TOKEN": brain.credential.token(),
                "Z4J_PLUGINS": ["celery", "django"],
                "Z4J_REDACT_EMAILS": True,
                "Z4J_SPOOL": False,
                "Z4J_SPOOL_DIR": None,
                "SECRET_KEY": "django's own",
            }
        )
        settings = z4j_agent.get_agent().settings
        assert settings.url == brain.url, "the environment wins"
        assert settings.only == {"celery", "django"}
        assert (settings.redact_emails, settings.spool_root) == (True, None)
        assert "SECRET_KEY" not in z4j_agent._configured
        z4j_agent.start("web")
        assert brain.wait_for(lambda: brain.hellos)


@pytest.mark.usefixtures("unset")
def test_an_empty_variable_turns_the_agent_off(monkeypatch: pytest.MonkeyPatch) -> None:
    z4j_agent.configure({"Z4J_URL": "http://z4j.example"})
    assert z4j_agent.is_wanted()
    monkeypatch.setenv("Z4J_URL", "")
    assert not z4j_agent.is_wanted()


@pytest.mark.usefixtures("unset")
def test_a_process_that_stays_off_is_never_heard_of() -> None:
    with LoopbackBrain() as brain:
        z4j_agent.configure(brain.environment())
        z4j_agent.register()
        z4j_agent.stay_off()
        z4j_agent.start("web")
        z4j_agent.emit(None)  # type: ignore[arg-type]
        assert not z4j_agent.is_wanted()
    assert brain.hellos == []
