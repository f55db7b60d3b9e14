"""Every setting is read, typed, limited and shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from z4j_brain.settings import ELSEWHERE, Settings, SettingsError, load, variable

EXAMPLES: dict[str, tuple[str, Any]] = {
    "home": ("/srv/z4j", Path("/srv/z4j")),
    "database_url": ("postgresql://z4j@db/z4j", "postgresql://z4j@db/z4j"),
    "db_pool_size": ("7", 7),
    "db_statement_timeout_ms": ("1500", 1500),
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("8080", 8080),
    "root_path": ("/ops/z4j", "/ops/z4j"),
    "trusted_proxies": ("10.0.0.0/8, ::1", ("10.0.0.0/8", "::1")),
    "allowed_hosts": ("a.example,b.example", ("a.example", "b.example")),
    "public_url": ("https://z4j.example", "https://z4j.example"),
    "second_factor_required": ("admins", "admins"),
    "session_idle_hours": ("3", 3),
    "session_max_hours": ("9", 9),
    "key_requests_per_minute": ("0", 0),
    "oidc_issuer": ("https://id.example", "https://id.example"),
    "oidc_client_id": ("z4j", "z4j"),
    "oidc_client_secret": ("hush", "hush"),
    "oidc_name": ("Shop ID", "Shop ID"),
    "oidc_scopes": ("openid,email", ("openid", "email")),
    "oidc_groups_claim": ("roles", "roles"),
    "oidc_roles": ('{"ops": "shop:operator"}', '{"ops": "shop:operator"}'),
    "oidc_only": ("on", "on"),
    "event_retention_days": ("90", 90),
    "task_retention_days": ("0", 0),
    "audit_retention_days": ("400", 400),
    "probe_grace_s": ("30", 30),
    "probe_after_minutes": ("5", 5),
    "rollup_minute_retention_days": ("5", 5),
    "rollup_hour_retention_days": ("0", 0),
    "rollup_day_retention_days": ("36500", 36500),
    "queue_sample_s": ("60", 60),
    "redact_emails": ("on", "on"),
    "log_level": ("debug", "debug"),
    "log_format": ("json", "json"),
    "metrics_token": ("0123456789abcdef", "0123456789abcdef"),
}


def test_every_setting_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(Settings.__struct_fields__)
    assert len(EXAMPLES) < 60


@pytest.mark.parametrize("field", EXAMPLES)
def test_it_is_read(field: str) -> None:
    text, value = EXAMPLES[field]
    loaded = load({variable(field): f" {text} "})
    assert getattr(loaded.settings, field) == value
    assert loaded.sources[field] == "env"
    assert set(loaded.sources.values()) == {"env", "default"}
    default = load({})
    assert getattr(default.settings, field) != value
    assert default.sources[field] == "default"


def test_the_public_address_is_the_only_host_unless_others_are_named() -> None:
    public = {"Z4J_PUBLIC_URL": "https://z4j.example:8443"}
    assert load({}).settings.allowed_hosts == ("*",)
    assert load(public).settings.allowed_hosts == ("z4j.example", "localhost", "127.0.0.1", "::1")
    named = load({**public, "Z4J_ALLOWED_HOSTS": "*"}).settings
    assert named.allowed_hosts == ("*",)


@pytest.mark.parametrize("field", EXAMPLES)
def test_empty_is_not_set(field: str) -> None:
    assert load({variable(field): " "}).settings == load({}).settings


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Z4J_PORT", "http"),
        ("Z4J_PORT", "65536"),
        ("Z4J_PORT", "-1"),
        ("Z4J_PORT", "7700.5"),
        ("Z4J_DB_POOL_SIZE", "0"),
        ("Z4J_ROOT_PATH", "z4j"),
        ("Z4J_ROOT_PATH", "/z4j/"),
        ("Z4J_ROOT_PATH", '/"><script>'),
        ("Z4J_EVENT_RETENTION_DAYS", "-1"),
        ("Z4J_EVENT_RETENTION_DAYS", "for ever"),
        ("Z4J_TASK_RETENTION_DAYS", "-1"),
        ("Z4J_PUBLIC_URL", "z4j.example"),
        ("Z4J_PUBLIC_URL", "https://z4j.example/"),
        ("Z4J_PUBLIC_URL", "ftp://z4j.example"),
        ("Z4J_SECOND_FACTOR_REQUIRED", "yes"),
        ("Z4J_LOG_LEVEL", "loud"),
        ("Z4J_METRICS_TOKEN", "short"),
        ("Z4J_METRICS_TOKEN", "two words and more of them"),
        ("Z4J_DATABASE_URL", "mysql://x"),
        ("Z4J_TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
        ("Z4J_TRUSTED_PROXIES", "10.0.0.0/99"),
    ],
)
def test_what_cannot_be_read_names_the_variable(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load({name: text})


def test_flags_win_over_the_environment() -> None:
    loaded = load({"Z4J_PORT": "1", "Z4J_HOST": "::1"}, {"port": 2, "host": None})
    assert (loaded.settings.port, loaded.sources["port"]) == (2, "flag")
    assert (loaded.settings.host, loaded.sources["host"]) == ("::1", "env")


def test_the_defaults_are_the_embedded_server() -> None:
    settings = load({}).settings
    assert settings.home == Path.home() / ".z4j"
    assert settings.database_url == f"sqlite:///{Path.home()}/.z4j/z4j.db"
    assert settings.is_sqlite
    assert (settings.host, settings.port) == ("127.0.0.1", 7700)
    assert load({"Z4J_DATABASE_URL": "postgres://z4j@db/z4j"}).settings.database_url == (
        "postgresql://z4j@db/z4j"
    )


def test_a_mistyped_variable_is_told_with_the_likely_one() -> None:
    warnings = load({"Z4J_PROT": "1", "Z4J_HOSTS": "x", "Z4J_WHATEVER_ELSE": "x"}).warnings
    assert [re.findall(r"Did you mean (\w+)\?", warning) for warning in warnings] == [
        ["Z4J_HOST"],
        ["Z4J_PORT"],
        [],
    ]
    elsewhere = dict.fromkeys(ELSEWHERE - {"Z4J_SEAL_KEY"}, "x")
    assert not load(elsewhere | {"PATH": "x", "z4j_x": "x"}).warnings


def test_a_key_that_the_server_must_not_have_is_warned_of_and_not_quoted() -> None:
    [warning] = load({"Z4J_SEAL_KEY": "z4j_seal_the-key"}).warnings
    assert "Z4J_SEAL_KEY is set for the server, which must never have it" in warning
    assert "the-key" not in warning


def test_a_value_is_never_shown_in_a_warning() -> None:
    assert "hush" not in str(load({"Z4J_SECERT": "hush"}).warnings)


def test_secrets_do_not_show_in_a_log() -> None:
    loaded = load({"Z4J_METRICS_TOKEN": "hush" * 5, "Z4J_DATABASE_URL": "postgresql://a:hush@b/c"})
    assert "hush" not in repr(loaded)
    with pytest.raises(SettingsError) as refused:
        load({"Z4J_METRICS_TOKEN": "hush"})
    assert "hush" not in str(refused.value)


def test_the_page_of_settings_is_whole() -> None:
    page = Path(__file__).parents[4] / "docs" / "settings.md"
    text = page.read_text()
    for field in msgspec.structs.fields(Settings):
        assert f"`{variable(field.name)}`" in text, field.name
    for name in ("Z4J_SECRET", "Z4J_SESSION_SECRET"):
        assert f"`{name}`" in text
