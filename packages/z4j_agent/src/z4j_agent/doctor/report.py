"""What the doctor found, for people and for programs."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Status(StrEnum):
    """How a check ended; only `failed` keeps the agent from working."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Finding(msgspec.Struct, frozen=True):
    """The outcome of one check. `text` says what was seen and, if need be, what to do."""

    check: str
    status: Status
    text: str


class Report(msgspec.Struct, frozen=True):
    """All findings, in the order of the checks."""

    findings: tuple[Finding, ...]

    @property
    def is_healthy(self) -> bool:
        """Tell whether the agent can work."""
        return all(finding.status is not Status.FAILED for finding in self.findings)

    def as_json(self) -> str:
        """Return the report as a JSON document."""
        document = {"healthy": self.is_healthy, "findings": self.findings}
        return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()

    def as_text(self) -> str:
        """Return the report as lines to read."""
        width = max(len(finding.check) for finding in self.findings)
        lines = [
            f"{finding.status.value:>7}  {finding.check:<{width}}  {finding.text}"
            for finding in self.findings
        ]
        return "\n".join([*lines, "", self._verdict()])

    def _verdict(self) -> str:
        failed = [finding.check for finding in self.findings if finding.status is Status.FAILED]
        if failed:
            return f"The agent cannot work: mend {failed[0]!r} first, then run this again."
        warned = sum(finding.status is Status.WARNING for finding in self.findings)
        if warned:
            return f"The agent works; {warned} thing(s) deserve a look."
        return "All is well."


def ok(check: str, text: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding(check, Status.OK, text)


def warning(check: str, text: str) -> Finding:
    """Return a finding that deserves a look."""
    return Finding(check, Status.WARNING, text)


def failed(check: str, text: str) -> Finding:
    """Return a finding that keeps the agent from working."""
    return Finding(check, Status.FAILED, text)


def skipped(check: str, text: str) -> Finding:
    """Return a finding for a check that was not made."""
    return Finding(check, Status.SKIPPED, text)
