"""Assembly: found, sorted, and each inside its own guard."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from z4j_core.events import Kind, TaskEvent
from z4j_core.plugins import Engine, Host, PluginSettings, assemble, hook

SETTINGS = PluginSettings({"A": "1"})


class Point:
    def __init__(self, name: str, module: Any) -> None:
        self.name, self.value, self._module = name, f"{name}.plugin", module

    def load(self) -> Any:
        if isinstance(self._module, Exception):
            raise self._module
        return self._module


class Memory(Engine):
    name = "memory"

    def attach(self, host: Host) -> None: ...
    def detach(self) -> None: ...


@hook
def z4j_engine(settings: PluginSettings) -> Engine | None:
    return Memory() if settings.environment.get("A") else None


GOOD = SimpleNamespace(z4j_engine=z4j_engine)


def test_a_good_plugin_is_found() -> None:
    assembly = assemble([Point("good", GOOD)])
    assert [engine.name for engine in assembly.engines(SETTINGS)] == ["memory"]
    assert assembly.engines(PluginSettings({})) == []
    assert assembly.problems == []


def test_a_plugin_is_asked_again_until_it_answers() -> None:
    @hook(specname="z4j_engine")
    def raises(settings: PluginSettings) -> Engine:
        raise RuntimeError("boom")

    assembly = assemble([Point("good", GOOD), Point("raises", SimpleNamespace(raises=raises))])
    assert assembly.engines(PluginSettings({})) == []
    assert [engine.name for engine in assembly.engines(SETTINGS)] == ["memory"]
    assert assembly.engines(SETTINGS) == []
    assert [problem.plugin for problem in assembly.problems] == ["raises"]


def test_a_plugin_that_cannot_be_imported_harms_nobody() -> None:
    assembly = assemble([Point("a-bad", ImportError("no such library")), Point("good", GOOD)])
    assert len(assembly.engines(SETTINGS)) == 1
    assert [(problem.plugin) for problem in assembly.problems] == ["a-bad"]
    assert "no such library" in assembly.problems[0].detail


def test_a_hook_that_raises_or_returns_nonsense_harms_nobody() -> None:
    @hook(specname="z4j_engine")
    def raises(settings: PluginSettings) -> Engine:
        raise RuntimeError("boom")

    @hook(specname="z4j_engine")
    def nonsense(settings: PluginSettings) -> Any:
        return 5

    points = [
        Point("raises", SimpleNamespace(raises=raises)),
        Point("nonsense", SimpleNamespace(nonsense=nonsense)),
        Point("good", GOOD),
    ]
    assembly = assemble(points)
    assert [engine.name for engine in assembly.engines(SETTINGS)] == ["memory"]
    assert {problem.plugin for problem in assembly.problems} == {"raises", "nonsense"}


def test_plugins_can_be_chosen_and_left_out() -> None:
    points = [Point("one", SimpleNamespace(n=1)), Point("two", SimpleNamespace(n=2))]
    assert assemble(points).names == ["one", "two"]
    assert assemble(points, only=frozenset({"two"})).names == ["two"]
    assert assemble(points, disabled=frozenset({"two"})).names == ["one"]


def test_the_same_plugin_twice_is_one() -> None:
    assert assemble([Point("one", SimpleNamespace())] * 2).names == ["one"]


def test_the_filter_enriches_and_drops() -> None:
    @hook
    def z4j_event(event: TaskEvent) -> TaskEvent | None:
        return None if event.name == "noise" else event

    run = assemble([Point("filter", SimpleNamespace(z4j_event=z4j_event))]).event_filter()
    assert run is not None
    kept = TaskEvent(kind=Kind.STARTED, engine="e", task_id="t", occurred_at=1, name="work")
    noise = TaskEvent(kind=Kind.STARTED, engine="e", task_id="t", occurred_at=1, name="noise")
    assert run(kept) is kept
    assert run(noise) is None
    assert assemble([]).event_filter() is None


def test_a_plugin_can_call_a_key_secret() -> None:
    @hook
    def z4j_redact(key: str) -> bool | None:
        return True if key == "iban" else None

    ask = assemble([Point("keys", SimpleNamespace(z4j_redact=z4j_redact))]).secret_key()
    assert ask is not None
    assert ask("iban") is True
    assert ask("name") is None
