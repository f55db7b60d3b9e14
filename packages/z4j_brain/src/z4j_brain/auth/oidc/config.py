"""The settings of the identity provider, checked together: `Z4J_OIDC_…`."""

from __future__ import annotations

from importlib.util import find_spec
from urllib.parse import urlsplit

import msgspec

from z4j_brain.auth.oidc.group_roles import GroupRoles, GroupRolesError, parse
from z4j_brain.settings import Settings, SettingsError

_NEEDED = ("joserfc", "httpx")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class OidcConfig(msgspec.Struct, frozen=True):
    """A provider, and this server as its client."""

    issuer: str
    client_id: str
    client_secret: str
    name: str
    scopes: tuple[str, ...]
    groups_claim: str
    roles: GroupRoles
    is_only_way: bool

    def __repr__(self) -> str:
        return f"OidcConfig({self.issuer})"


def read(settings: Settings) -> OidcConfig | None:
    """Return what is set, None without a provider; raises `SettingsError`."""
    if not settings.oidc_issuer:
        _refuse_rest(settings)
        return None
    if not is_safe_url(settings.oidc_issuer) or urlsplit(settings.oidc_issuer).query:
        raise SettingsError(
            "Z4J_OIDC_ISSUER must be an https:// URL without ? and #, exactly as the provider"
            " calls itself. Only on this machine (localhost) may it be http://."
        )
    if not settings.oidc_client_id:
        raise SettingsError("Z4J_OIDC_CLIENT_ID is missing: it goes with Z4J_OIDC_ISSUER.")
    for scope in settings.oidc_scopes:
        # RFC 6749, section 3.3
        if not all("!" <= letter <= "~" and letter not in '"\\' for letter in scope):
            raise SettingsError(f"Z4J_OIDC_SCOPES: {scope!r} is no scope. Separate them by commas.")
    if "openid" not in settings.oidc_scopes:
        raise SettingsError("Z4J_OIDC_SCOPES must hold openid.")
    if missing := [name for name in _NEEDED if find_spec(name) is None]:
        raise SettingsError(
            f"Z4J_OIDC_ISSUER is set, but {' and '.join(missing)} cannot be imported. Install what"
            " the sign-in by an identity provider needs: pip install 'z4j[oidc]'"
        )
    try:
        roles = parse(settings.oidc_roles)
    except GroupRolesError as error:
        raise SettingsError(str(error)) from None
    return OidcConfig(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        name=settings.oidc_name,
        scopes=settings.oidc_scopes,
        groups_claim=settings.oidc_groups_claim,
        roles=roles,
        is_only_way=settings.oidc_only == "on",
    )


def is_safe_url(text: str) -> bool:
    """Tell whether an address is https, or on this machine, without fragment or password."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.fragment or parts.username is not None or not text.isprintable():
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)


def _refuse_rest(settings: Settings) -> None:
    """Without a provider the other settings would be silently useless."""
    for field in ("oidc_client_id", "oidc_client_secret", "oidc_roles"):
        if getattr(settings, field):
            raise SettingsError(f"Z4J_{field.upper()} is set, but Z4J_OIDC_ISSUER is not.")
    if settings.oidc_only == "on":
        raise SettingsError("Z4J_OIDC_ONLY is on, but Z4J_OIDC_ISSUER is not set.")
