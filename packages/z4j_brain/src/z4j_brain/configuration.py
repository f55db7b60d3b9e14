"""Every setting with its value, source, default and purpose, and no secret: what `z4j config` and
`GET /instance/settings` list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from z4j_brain.keys import MASTER, PREVIOUS, SESSION, Keys
from z4j_brain.settings import SECRET, Settings, descriptions, variable

HIDDEN = "(set, not shown)"
_PURPOSES = {
    MASTER: "Master of the projects' signing secrets; changing it cuts off every agent.",
    PREVIOUS: "Former values of Z4J_SECRET, to read what was made under them.",
    SESSION: "Signs the sessions of browsers; changing it signs everybody out.",
}


class SettingRow(msgspec.Struct, frozen=True):
    """A setting as people may see it. `name` is the variable, `default` is empty for none."""

    name: str
    value: str
    source: str
    default: str
    help: str


class SecretState(msgspec.Struct, frozen=True):
    """What may be told of a secret: where it came from, and a text in place of its value."""

    source: str
    value: str


def secret_states(keys: Keys) -> dict[str, SecretState]:
    """Return the state of each secret of a server that has its keys."""
    is_set = {MASTER: True, PREVIOUS: bool(keys.former), SESSION: True}
    return {
        name: SecretState(keys.sources.get(name, "none"), HIDDEN if is_set[name] else "")
        for name in _PURPOSES
    }


def unusable_secrets() -> dict[str, SecretState]:
    """Return the states when the secrets cannot be read; the caller may know a source."""
    return dict.fromkeys(_PURPOSES, SecretState("none", "(missing or too weak)"))


def describe(
    settings: Settings, sources: Mapping[str, str], secrets: Mapping[str, SecretState]
) -> list[SettingRow]:
    """Return one row a setting, secrets first and masked; `sources` is of `settings.Loaded`."""
    rows = [_secret(name, secrets[name]) for name in _PURPOSES]
    defaults = {field.name: field.default for field in msgspec.structs.fields(Settings)}
    purposes = descriptions()
    for field in Settings.__struct_fields__:
        value, default = getattr(settings, field), defaults[field]
        rows.append(
            SettingRow(
                variable(field),
                _shown(field, value),
                sources.get(field, "default"),
                _shown(field, default),
                purposes[field],
            )
        )
    return rows


def masked_url(url: str) -> str:
    """Return a database's URL without any password, wherever libpq takes one."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
        hidden = {name: "***" for name in parsed.query if "password" in name.lower()}
        return parsed.update_query_dict(hidden).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):  # the latter of a port that is no number
        return "(unreadable)"


def _secret(name: str, state: SecretState) -> SettingRow:
    default = "" if name == PREVIOUS else "made on the first start, kept in secret.env"
    return SettingRow(name, state.value, state.source, default, _PURPOSES[name])


def _shown(field: str, value: Any) -> str:
    if value is None:
        return ""
    if field == "database_url" and value:
        return masked_url(value)
    if field in SECRET and value:
        return HIDDEN
    return ",".join(value) if isinstance(value, tuple) else str(value)
