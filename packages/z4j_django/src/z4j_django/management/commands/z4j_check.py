"""`manage.py z4j_check`: what keeps the agent from working, and how to mend it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

import z4j_agent


class Command(BaseCommand):
    """The same as `z4j-agent doctor`, with Django's settings. Exit status 1 when it is broken."""

    help = "Says what keeps the z4j agent from working with these settings, and how to mend it."
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the options of `z4j-agent doctor`."""
        from z4j_agent.cli import seconds

        parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
        parser.add_argument(
            "--timeout",
            type=seconds,
            default=10.0,
            metavar="SECONDS",
            help="longest wait of one check, 1 to 60 (default: 10)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the report."""
        from z4j_agent.doctor import diagnose

        report = diagnose(z4j_agent.environment(), timeout_s=options["timeout"])
        self.stdout.write(report.as_json() if options["json"] else report.as_text())
        if not report.is_healthy:
            raise SystemExit(1)
