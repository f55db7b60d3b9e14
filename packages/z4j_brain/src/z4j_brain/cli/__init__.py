"""The command `z4j`: each module here that has no leading underscore is a verb.

A verb's module holds `command`, a click command. It is imported only when it is called, or when
the help is shown.
"""

from __future__ import annotations

import importlib
import pkgutil

import click


class Verbs(click.Group):
    """Finds the verbs among the modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the verbs."""
        names = [info.name for info in pkgutil.iter_modules(__path__)]
        return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{__name__}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The control plane for Python background work.

    \b
    First steps:
      z4j serve      start the server; it prints the URL of the set-up page
      z4j demo       see it at work with a worker of its own
      z4j doctor     find out what is wrong or dangerous
      z4j config     list every setting with its value and its default

    Settings are environment variables that begin with Z4J_.
    """
