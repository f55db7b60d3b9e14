"""Says in plain words why there is no link, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from z4j_agent.doctor import local
from z4j_agent.doctor.report import Finding, Report, Status, skipped
from z4j_agent.settings import Settings

if TYPE_CHECKING:
    from z4j_core.plugins import EntryPoint

__all__ = ["Finding", "Report", "Status", "diagnose"]

TIMEOUT_S = 10.0


def diagnose(
    environment: Mapping[str, str],
    points: Iterable[EntryPoint] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Report:
    """Make every check and return the report; never raises.

    Really connects, as a worker of the role ``doctor``, and says goodbye at once. A check waits
    at most `timeout_s` seconds. `points` stands in for the installed plugins.
    """
    settings = Settings.from_environment(environment)
    findings = [local.check_url(environment), local.check_token(environment)]
    findings += local.check_settings(settings)
    findings += local.check_plugins(settings, points)
    findings += local.check_seal(settings)
    findings += local.check_spool(settings)
    if settings.url is None or settings.credential is None:
        text = "not made: the settings come first"
        return Report((*findings, skipped("network", text)))
    from z4j_agent.doctor.network import check_network
    from z4j_agent.endpoint import Endpoint

    findings += check_network(Endpoint(settings.url, settings.credential), timeout_s)
    return Report(tuple(findings))
