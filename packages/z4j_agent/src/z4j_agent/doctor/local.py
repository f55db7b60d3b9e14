"""Checks that need no network: the settings and the plugins."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from z4j_agent.doctor.report import Finding, failed, ok, skipped, warning
from z4j_agent.plugin_set import PluginSet
from z4j_agent.sealing import Sealing
from z4j_agent.settings import Settings, SettingsError, link_url
from z4j_agent.spool.place import Place
from z4j_core.credential import CredentialError, parse_token
from z4j_core.plugins import EntryPoint


def check_url(environment: Mapping[str, str]) -> Finding:
    """Look at `Z4J_URL`."""
    url = environment.get("Z4J_URL", "").strip()
    if not url:
        text = "Z4J_URL is not set, so the agent does nothing: set it to the dashboard's address."
        return failed("url", text)
    try:
        target = link_url(url)
    except SettingsError as error:
        return failed("url", str(error))
    if target.startswith("ws://") and not _is_loopback(urlsplit(url).hostname or ""):
        text = (
            f"{url} is not encrypted: whoever can listen on the network reads the token. "
            "Use https:// outside of a trusted network."
        )
        return warning("url", text)
    return ok("url", f"{url} (link: {target})")


def check_token(environment: Mapping[str, str]) -> Finding:
    """Look at the checksum of `Z4J_TOKEN`."""
    token = environment.get("Z4J_TOKEN", "").strip()
    if not token:
        return failed("token", "Z4J_TOKEN is not set: set it to the token of an agent.")
    try:
        credential = parse_token(token)
    except CredentialError as error:
        return failed("token", str(error))
    return ok("token", f"well-formed, for agent {credential.agent_id}")


def check_settings(settings: Settings) -> list[Finding]:
    """Name settings that are ignored."""
    return [warning("settings", text) for text in settings.warnings]


def check_seal(settings: Settings) -> list[Finding]:
    """Say whether arguments can be sealed here, and with which key; silent without one."""
    sealing = Sealing.of(settings)
    if sealing.problem is not None:
        return [warning("seal", sealing.problem)]
    if not sealing.key_ids:
        return []
    first, *rest = sealing.key_ids
    older = f"; opens {', '.join(rest)} too" if rest else ""
    return [ok("seal", f"arguments are sealed with the key {first}{older}")]


def check_plugins(settings: Settings, points: Iterable[EntryPoint] | None = None) -> list[Finding]:
    """Load the plugins, each inside its own guard, and name what does not work."""
    plugins = PluginSet(settings, points)
    findings = [
        warning("plugins", f"{problem.plugin}: {plugins.redactor.text(problem.detail)[:300]}")
        for problem in plugins.problems
        if problem.detail != plugins.sealing.problem
    ]
    if plugins.names:
        engines = ", ".join(f"{engine.name} {engine.version()}" for engine in plugins.engines)
        text = f"loaded: {', '.join(plugins.names)}; engines seen here: {engines or 'none'}"
        findings.append(ok("plugins", text))
    elif not findings:
        text = (
            "no plugin is installed here, so nothing is captured: install the one for your "
            "engine, such as z4j-celery, in this environment."
        )
        findings.append(warning("plugins", text))
    return findings


def check_spool(settings: Settings) -> list[Finding]:
    """Write to the spool's folder, and say what dead processes have left there."""
    if settings.credential is None:
        return []
    if settings.spool_root is None:
        text = "Z4J_SPOOL is off: events that wait are lost when their process is killed."
        return [skipped("spool", text)]
    place = Place(settings.spool_root, settings.credential.agent_id, settings.spool_bytes)
    try:
        place.probe()
    except OSError as error:
        text = (
            f"no spool can be written ({error}), so events that wait are lost when their process "
            "is killed: set Z4J_SPOOL_DIR to a folder that this user can write to."
        )
        return [warning("spool", text)]
    found = place.find()
    size = sum(one.size for one in found) / 1_048_576
    return [ok("spool", f"{place.root} can be written; {len(found)} in it, {size:.1f} MiB")]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
