"""What kind of process this is: Django calls `ready` in all of them."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from pathlib import Path

SERVERS = frozenset({"runserver"})
OWN_COMMANDS = frozenset({"z4j_check"})


def stays_off(argv: Sequence[str], modules: Container[str], environ: Mapping[str, str]) -> bool:
    """Tell whether nothing that happens in this process is of interest.

    So it is with tests, and with Django's own commands (``migrate``, ``shell``, ``test`` …) except
    ``runserver``. Other commands may work (``rqworker``) or publish, which their engine notices.
    """
    if "pytest" in modules and (_is_pytest(argv) or "PYTEST_XDIST_WORKER" in environ):
        return True
    command = command_of(argv, modules)
    return command is not None and command in _commands_of_django() - SERVERS


def is_development_server(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Tell whether this is ``runserver``, and not the watcher that restarts it after an edit."""
    if argv[1:2] != ["runserver"]:
        return False
    return environ.get("RUN_MAIN") == "true" or "--noreload" in argv


def command_of(argv: Sequence[str], modules: Container[str]) -> str | None:
    """Return the command of `manage.py` or `django-admin`, by whatever name that was called.

    The first argument of a server or of a script may be returned too if the application loads
    the package of the commands.
    """
    if "django.core.management" not in modules or len(argv) < 2:
        return None
    return argv[1]


def _commands_of_django() -> frozenset[str]:
    from django.core import management

    folder = Path(management.__file__).parent
    return OWN_COMMANDS.union(management.find_commands(str(folder)))


def _is_pytest(argv: Sequence[str]) -> bool:
    program = Path(argv[0] if argv else "")
    return program.name in ("pytest", "py.test") or program.parent.name == "pytest"
