"""Every setting of the server: one typed Struct, read once from the environment.

The Struct is the table: a field `db_pool_size` is read from `Z4J_DB_POOL_SIZE`, its annotation
says type and range, its `Meta` the help text. Lists are separated by commas. `docs/settings.md`
shows the same table.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

PREFIX = "Z4J_"
ELSEWHERE = frozenset(
    {
        "Z4J_BUILD_DASHBOARD",
        "Z4J_DISABLE_PLUGINS",
        "Z4J_OUTBOX_BYTES",
        "Z4J_PLUGINS",
        "Z4J_SEAL_KEY",
        "Z4J_SECRET",
        "Z4J_SECRET_PREVIOUS",
        "Z4J_SESSION_SECRET",
        "Z4J_TOKEN",
        "Z4J_URL",
    }
)
"""Variables of the agent, of the build and of `keys.py`: known, but no fields here."""


SECRET = frozenset({"metrics_token", "oidc_client_secret"})
"""Fields that are never shown. The password in `database_url` is masked by itself."""


_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SettingsError(ValueError):
    """A variable cannot be read; the message names it and says what is allowed."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator chose. The secrets that a server makes itself are in `keys.py`."""

    home: Annotated[Path, Meta(description="Folder of the SQLite database and of secret.env.")] = (
        Path("~/.z4j")
    )
    database_url: Annotated[
        str,
        Meta(
            description="postgresql://user@host/name or sqlite:////path."
            " Default: the file z4j.db in Z4J_HOME.",
        ),
    ] = ""
    db_pool_size: Annotated[
        int,
        Meta(ge=1, le=200, description="Connections, and threads that use them, per process."),
    ] = 10
    db_statement_timeout_ms: Annotated[
        int,
        Meta(ge=0, description="PostgreSQL ends a query of ours after this time; 0 is never."),
    ] = 30_000
    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="TCP port to listen on; 0 picks a free one.")
    ] = 7700
    root_path: Annotated[
        str,
        Meta(
            pattern=r"^(/[A-Za-z0-9._~-]+)*$",
            description="URL prefix under which a reverse proxy serves z4j, such as /z4j.",
        ),
    ] = ""
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(description="Addresses or networks whose X-Forwarded-For, -Proto, -Host count."),
    ] = ("127.0.0.1", "::1")
    allowed_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Host names that are answered; *.example.com and * are allowed. Default:"
            " that of Z4J_PUBLIC_URL and localhost if it is set, else all."
        ),
    ] = ("*",)
    public_url: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[a-z0-9.-]+(:[0-9]{1,5})?)?(?![\s\S])",
            description="Where browsers reach z4j, such as https://z4j.example.com, without a path."
            " Passkeys belong to it, and the provider sends back to it. Default: the address of"
            " each request.",
        ),
    ] = ""
    second_factor_required: Annotated[
        Literal["nobody", "admins", "all"],
        Meta(description="Who must set up a second step of sign-in before anything else."),
    ] = "nobody"
    session_idle_hours: Annotated[
        int, Meta(ge=1, le=8760, description="A browser is signed out after this time unused.")
    ] = 24
    session_max_hours: Annotated[
        int, Meta(ge=1, le=8760, description="A browser is signed out after this time anyway.")
    ] = 168
    key_requests_per_minute: Annotated[
        int,
        Meta(ge=0, le=1_000_000, description="Requests of one API key a minute; 0 is no limit."),
    ] = 1200
    oidc_issuer: Annotated[
        str,
        Meta(max_length=500, description="Identity provider for sign-in: the URL it calls itself."),
    ] = ""
    oidc_client_id: Annotated[
        str, Meta(max_length=500, description="Name under which the provider knows this server.")
    ] = ""
    oidc_client_secret: Annotated[
        str,
        Meta(max_length=1_000, description="Secret of that client; none for a public client."),
    ] = ""
    oidc_name: Annotated[
        str,
        Meta(max_length=60, description="What the button calls the provider: Sign in with …"),
    ] = "single sign-on"
    oidc_scopes: Annotated[
        tuple[str, ...], Meta(max_length=30, description="Scopes that the provider is asked for.")
    ] = ("openid", "profile", "email")
    oidc_groups_claim: Annotated[
        str, Meta(max_length=200, description="Claim that lists the groups of a person.")
    ] = "groups"
    oidc_roles: Annotated[
        str,
        Meta(
            max_length=65_536,
            description='Groups and what they give, as JSON: {"ops": ["shop:operator"]}.',
        ),
    ] = ""
    oidc_only: Annotated[
        Literal["on", "off"], Meta(description="Nobody signs in by password; z4j sign-in-link can.")
    ] = "off"
    event_retention_days: Annotated[
        int, Meta(ge=0, le=36_500, description="Events are kept for this long; 0 is for ever.")
    ] = 30
    task_retention_days: Annotated[
        Annotated[int, Meta(ge=0, le=36_500)] | None,
        Meta(
            description="Tasks are kept for this long after their last event; 0 is for ever."
            " Default: as long as events."
        ),
    ] = None
    audit_retention_days: Annotated[
        int,
        Meta(ge=0, le=36_500, description="Rows of the audit log are kept; 0 is for ever."),
    ] = 0
    probe_grace_s: Annotated[
        int,
        Meta(ge=5, le=86_400, description="A worker is missed this long before it counts as gone."),
    ] = 120
    probe_after_minutes: Annotated[
        int,
        Meta(ge=1, le=43_200, description="A task that says nothing for this long is asked about."),
    ] = 60
    rollup_minute_retention_days: Annotated[
        int, Meta(ge=0, le=36_500, description="Figures by the minute are kept; 0 is for ever.")
    ] = 2
    rollup_hour_retention_days: Annotated[
        int, Meta(ge=0, le=36_500, description="Figures by the hour are kept; 0 is for ever.")
    ] = 60
    rollup_day_retention_days: Annotated[
        int, Meta(ge=0, le=36_500, description="Figures by the day are kept; 0 is for ever.")
    ] = 730
    queue_sample_s: Annotated[
        int,
        Meta(
            ge=0,
            le=3600,
            description="Each queue's depth is asked of its broker this often; 0 is never.",
        ),
    ] = 10
    redact_emails: Annotated[
        Literal["on", "off"],
        Meta(description="E-mail addresses are hidden before anything is stored."),
    ] = "off"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="Least level that is logged."),
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"], Meta(description="One line of text or one JSON object a record.")
    ] = "text"

    metrics_token: Annotated[
        str,
        Meta(
            min_length=16,
            max_length=256,
            pattern=r"^[!-~]*$",
            description="Secret that Prometheus sends to read /metrics; without one there is none.",
        ),
    ] = ""

    def __repr__(self) -> str:
        return f"Settings(home={str(self.home)!r}, …)"  # the rest holds secrets

    @property
    def is_sqlite(self) -> bool:
        """Whether the record is a file here, owned by this one process."""
        return self.database_url.startswith("sqlite")


class Loaded(msgspec.Struct, frozen=True):
    """Settings, where each came from (`flag`, `env`, `default`), and what looked wrong."""

    settings: Settings
    sources: dict[str, str]
    warnings: tuple[str, ...]


def variable(field: str) -> str:
    """Return the name of the environment variable of a field."""
    return PREFIX + field.upper()


def descriptions() -> dict[str, str]:
    """Return what each field is for."""
    hints = get_type_hints(Settings, include_extras=True)
    return {
        field: next(str(meta.description) for meta in hints[field].__metadata__)
        for field in Settings.__struct_fields__
    }


def load(environ: Mapping[str, str], flags: Mapping[str, Any] | None = None) -> Loaded:
    """Read the settings; `flags` (None is "not given") win over the environment.

    Raises `SettingsError`. An empty variable counts as not set.
    """
    chosen = {name: value for name, value in (flags or {}).items() if value is not None}
    types = get_type_hints(Settings)
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for field in Settings.__struct_fields__:
        text = environ.get(variable(field), "").strip()
        if field in chosen:
            values[field], sources[field] = chosen[field], "flag"
        elif text:
            is_list = types[field] == tuple[str, ...]
            values[field], sources[field] = _split(text) if is_list else text, "env"
        else:
            sources[field] = "default"
    return Loaded(_convert(values), sources, tuple(_strangers(environ)))


def _convert(values: dict[str, Any]) -> Settings:
    try:
        settings = msgspec.convert(values, Settings, strict=False, dec_hook=_decode_path)
    except msgspec.ValidationError as error:
        raise SettingsError(_explain(str(error))) from None
    for text in settings.trusted_proxies:
        _check_network(text)
    home = settings.home.expanduser().absolute()
    url = settings.database_url or f"sqlite:///{home / 'z4j.db'}"
    if not url.startswith(("sqlite:", "postgresql:", "postgresql+psycopg:", "postgres:")):
        raise SettingsError("Z4J_DATABASE_URL must begin with postgresql:// or sqlite:///.")
    if url.startswith("postgres:"):
        url = "postgresql:" + url.removeprefix("postgres:")
    hosts = settings.allowed_hosts
    if settings.public_url and "allowed_hosts" not in values:
        hosts = (urlsplit(settings.public_url).hostname or "", *_LOOPBACK)
    return msgspec.structs.replace(settings, home=home, database_url=url, allowed_hosts=hosts)


def _check_network(text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise SettingsError(
            f"Z4J_TRUSTED_PROXIES: {text!r} is neither an address nor a network such as 10.0.0.0/8."
        ) from None


def _decode_path(kind: type, value: Any) -> Any:
    return kind(value)


def _split(text: str) -> list[str]:
    return [part for part in (item.strip() for item in text.split(",")) if part]


def _explain(message: str) -> str:
    found = re.match(r"(?P<what>.*) - at `\$\.(?P<field>\w+)", message)
    if found is None:
        return message
    return f"{variable(found['field'])}: {found['what'][0].lower()}{found['what'][1:]}."


def _strangers(environ: Mapping[str, str]) -> list[str]:
    known = {variable(field) for field in Settings.__struct_fields__} | ELSEWHERE
    warnings = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1, cutoff=0.75)
            hint = f" Did you mean {near[0]}?" if near else " `z4j config` lists all settings."
            warnings.append(f"{name} is no setting of z4j.{hint}")
    if environ.get("Z4J_SEAL_KEY", "").strip():
        warnings.append(
            "Z4J_SEAL_KEY is set for the server, which must never have it: what workers seal is"
            " sealed from the server. Give it to the workers only. The server does not read it."
        )
    return warnings
