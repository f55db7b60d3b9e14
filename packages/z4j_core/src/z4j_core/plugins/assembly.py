"""From entry points to a set of plugins, in which one bad plugin harms nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, cast

import msgspec
import pluggy

from z4j_core.events import TaskEvent
from z4j_core.plugins import hooks
from z4j_core.plugins.contracts import Framework, PluginSettings
from z4j_core.plugins.engine import Engine
from z4j_core.plugins.scheduler import Scheduler
from z4j_core.redaction import Rule, ValueRule, compile_value_rules


class EntryPoint(Protocol):
    """The part of `importlib.metadata.EntryPoint` that assembly needs."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> str: ...
    def load(self) -> Any: ...


class Problem(msgspec.Struct, frozen=True):
    """Why a plugin, or one hook of it, is not in use."""

    plugin: str
    detail: str


class Assembly:
    """The loaded plugins and what went wrong with the others. Build it once, then only read."""

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager(hooks.GROUP)
        self.manager.add_hookspecs(hooks)
        self.names: list[str] = []
        self.problems: list[Problem] = []
        self._answered: set[tuple[str, str]] = set()

    def engines(self, settings: PluginSettings) -> list[Engine]:
        """Call each plugin's `z4j_engine` inside its own guard.

        A later call asks only those that had none: their library may have come into use.
        """
        return self._collect("z4j_engine", Engine, settings)

    def schedulers(self, settings: PluginSettings) -> list[Scheduler]:
        """Call each plugin's `z4j_scheduler`; as `engines`."""
        return self._collect("z4j_scheduler", Scheduler, settings)

    def frameworks(self, settings: PluginSettings) -> list[Framework]:
        """Call each plugin's `z4j_framework`; as `engines`."""
        return self._collect("z4j_framework", Framework, settings)

    def secret_key(self) -> Callable[[str], bool | None] | None:
        """Return the plugins' say on secret keys, or None if no plugin has one."""
        if not self.manager.hook.z4j_redact.get_hookimpls():
            return None

        def ask(key: str) -> bool | None:
            answer: bool | None = self.manager.hook.z4j_redact(key=key)
            return answer

        return ask

    def value_rules(self, clock: Callable[[], float]) -> list[Rule]:
        """Return the plugins' shapes of values, each plugin's judged inside its own guard.

        `clock` gives CPU time in seconds. A plugin with one bad rule has none.
        """
        found: list[ValueRule] = []
        compiled: list[Rule] = []
        for implementation in self.manager.hook.z4j_redact_values.get_hookimpls():
            try:
                added = cast("Iterable[ValueRule] | None", implementation.function())
                given = [*found, *(added or ())]
                compiled = compile_value_rules(given, clock)
            except Exception as error:  # noqa: BLE001 - a stranger's plugin must not stop the others
                detail = f"z4j_redact_values failed: {error!r}"
                self.problems.append(Problem(implementation.plugin_name, detail))
            else:
                found = given
        return compiled

    def event_filter(self) -> Callable[[TaskEvent], TaskEvent | None] | None:
        """Return the chain of the plugins' `z4j_event`, or None if there is none."""
        implementations = [
            implementation.function
            for implementation in self.manager.hook.z4j_event.get_hookimpls()
        ]
        if not implementations:
            return None

        def run(event: TaskEvent) -> TaskEvent | None:
            current: TaskEvent | None = event
            for function in implementations:
                if current is None:
                    return None
                current = cast("TaskEvent | None", function(event=current))
            return current

        return run

    def _collect(self, name: str, kind: type[Any], settings: PluginSettings) -> list[Any]:
        found = []
        for implementation in getattr(self.manager.hook, name).get_hookimpls():
            plugin = implementation.plugin_name
            if (name, plugin) in self._answered:
                continue
            try:
                value = implementation.function(settings)
            except Exception as error:  # noqa: BLE001 - a stranger's plugin must not stop the others
                self._answered.add((name, plugin))
                self.problems.append(Problem(plugin, f"{name} failed: {error!r}"))
                continue
            if value is None:
                continue
            self._answered.add((name, plugin))
            if isinstance(value, kind):
                found.append(value)
            else:
                self.problems.append(Problem(plugin, f"{name} must return a {kind.__name__}"))
        return found


def assemble(
    entry_points: Iterable[EntryPoint],
    only: frozenset[str] | None = None,
    disabled: frozenset[str] = frozenset(),
) -> Assembly:
    """Load the plugins in the order of their names.

    `only` keeps these names and no others (``Z4J_PLUGINS``); `disabled` leaves names out
    (``Z4J_DISABLE_PLUGINS``). A plugin that cannot be loaded becomes a `Problem`.
    """
    assembly = Assembly()
    for entry_point in sorted(entry_points, key=lambda point: (point.name, point.value)):
        name = entry_point.name
        if name in disabled or (only is not None and name not in only) or name in assembly.names:
            continue
        try:
            assembly.manager.register(entry_point.load(), name=name)
        except Exception as error:  # noqa: BLE001 - a stranger's plugin must not stop the others
            assembly.problems.append(Problem(name, f"cannot be loaded: {error!r}"))
        else:
            assembly.names.append(name)
    return assembly
