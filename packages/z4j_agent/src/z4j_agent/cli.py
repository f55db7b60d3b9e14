"""The command `z4j-agent`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from z4j_agent import __version__

_DESCRIPTION = """\
The z4j agent runs inside your workers and web processes; this command only looks
after it. The agent is configured by its environment:

  Z4J_URL    address of the dashboard, such as https://z4j.example.com
  Z4J_TOKEN  the token of an agent, minted in the dashboard (Agents, New agent)

With Z4J_URL unset the agent does nothing at all.
"""
_EPILOG = """\
examples:
  z4j-agent doctor           why does my worker not show up?
  z4j-agent doctor --json    the same, for a health check; exit status 1 if broken
  z4j-agent plugins          what will be captured here, and what is wrong with it
  z4j-agent seal-key         a new key, for exact retries that the server cannot read

Run it in the environment and with the variables of the process it is about.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0 well, 1 something is broken, 2 bad usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.verb == "doctor":
        return _doctor(options.json, options.timeout)
    if options.verb == "plugins":
        return _plugins()
    if options.verb == "version":
        return _version()
    if options.verb == "seal-key":
        return _seal_key()
    parser.print_help()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="z4j-agent",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", title="verbs")
    doctor = verbs.add_parser(
        "doctor",
        help="say what keeps the agent from working, and how to mend it",
        description="Checks settings, plugins, name, port, TLS, token, versions and clock, by "
        "connecting like an agent does. Exit status 1 when the agent cannot work.",
    )
    doctor.add_argument("--json", action="store_true", help="print JSON instead of lines")
    doctor.add_argument(
        "--timeout",
        type=_seconds,
        default=10.0,
        metavar="SECONDS",
        help="longest wait of one check, 1 to 60 (default: 10)",
    )
    verbs.add_parser(
        "plugins",
        help="list the plugins of this environment and their problems",
        description="Loads each plugin inside its own guard, as the agent does. Exit status 1 "
        "when one has a problem.",
    )
    verbs.add_parser(
        "seal-key",
        help="mint a key for Z4J_SEAL_KEY and print it",
        description="Prints a new key for sealed arguments. Give it to your workers as "
        "Z4J_SEAL_KEY, before an older one and a comma, keep a copy where you keep secrets, and "
        "never give it to the server: who has it can read every argument sealed with it.",
    )
    verbs.add_parser("version", help="print the versions of agent, core and Python")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1.0 <= seconds <= 60.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 1 to 60")
    return seconds


def _doctor(as_json: bool, timeout_s: float) -> int:
    from z4j_agent.doctor import diagnose

    _quiet_log()
    report = diagnose(os.environ, timeout_s=timeout_s)
    print(report.as_json() if as_json else report.as_text())
    return 0 if report.is_healthy else 1


def _plugins() -> int:
    from z4j_agent.plugin_set import PluginSet
    from z4j_agent.settings import Settings

    _quiet_log()
    plugins = PluginSet(Settings.from_environment())
    for name in plugins.names:
        print(f"{name}  loaded")
    for kind, parts in (("engine", plugins.engines), ("scheduler", plugins.schedulers)):
        for part in parts:
            offered = [one.name for one in part.announced() if one.absent is None]
            print(f"{kind} {part.name} {part.version()}  actions: {', '.join(offered) or 'none'}")
    for framework in plugins.frameworks:
        print(f"framework {framework.name}")
    for problem in plugins.problems:
        print(f"{problem.plugin}  NOT IN USE: {plugins.redactor.text(problem.detail)[:300]}")
    if not plugins.names and not plugins.problems:
        print("No plugin is installed in this environment, for example z4j-celery.")
    return 1 if plugins.problems else 0


def _version() -> int:
    import platform

    from z4j_core import __version__ as core_version

    print(f"z4j-agent {__version__}, z4j-core {core_version}, Python {platform.python_version()}")
    return 0


def _seal_key() -> int:
    from z4j_agent.sealing import new_key

    key = new_key()
    print(key.text())
    print(f"key id: {key.id.hex()}", file=sys.stderr)
    return 0


def _quiet_log() -> None:
    """What the log would say is printed as findings."""
    import logging

    logging.getLogger("z4j.agent").disabled = True


if __name__ == "__main__":
    sys.exit(main())
