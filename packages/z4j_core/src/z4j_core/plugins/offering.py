"""What engines and schedulers have in common: they are attached, and they offer actions."""

from __future__ import annotations

from typing import ClassVar

from z4j_core.capability import Action, actions_of, declared_actions, is_internal
from z4j_core.frames import ActionInfo
from z4j_core.plugins.contracts import Host


class Offering:
    """A part of a plugin with actions of its own. `Engine` and `Scheduler` derive from it."""

    name: ClassVar[str]

    def version(self) -> str:
        """Return the version of the library behind it."""
        return ""

    def attach(self, host: Host) -> None:
        """Begin to capture. Must not start threads, open sockets or block."""
        raise NotImplementedError(f"{type(self).__name__} must implement attach()")

    def detach(self) -> None:
        """Undo everything that `attach` did."""
        raise NotImplementedError(f"{type(self).__name__} must implement detach()")

    def absences(self) -> dict[str, str]:
        """Return, for actions that cannot be offered here and now, the reason in one sentence.

        An implemented action that is named here (for example because of the worker's pool) is
        not offered either.
        """
        return {}

    @classmethod
    def declared(cls) -> type[Offering]:
        """Return the class whose marked methods are declarations, to be overridden."""
        raise NotImplementedError

    @classmethod
    def actions(cls) -> dict[str, Action]:
        """Return the implemented actions by name."""
        return actions_of(cls, cls.declared())

    def announced(self) -> list[ActionInfo]:
        """Return what `hello` says of the actions: the offered, and the reasons for the rest."""
        base = self.declared()
        absent = dict.fromkeys(declared_actions(base), f"{self.name} has no such action.")
        offered = self.actions()
        for name in offered:
            absent.pop(name, None)
        absent.update(self.absences())
        infos = [offered[name].info() for name in sorted(offered) if name not in absent]
        # Nobody misses what only the server asks for.
        return infos + [
            ActionInfo(name=name, absent=reason)
            for name, reason in sorted(absent.items())
            if not is_internal(base, name)
        ]
