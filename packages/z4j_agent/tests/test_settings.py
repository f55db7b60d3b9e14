from __future__ import annotations

import pytest

from z4j_agent.settings import DEFAULT_OUTBOX_BYTES, Settings, SettingsError, link_url
from z4j_agent.testing import new_credential

TOKEN = new_credential().token()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:7070", "ws://localhost:7070/ws"),
        ("https://z4j.example.com", "wss://z4j.example.com/ws"),
        ("https://z4j.example.com/ops/z4j/", "wss://z4j.example.com/ops/z4j/ws"),
        ("HTTPS://Z4J.example.com", "wss://z4j.example.com/ws"),
        ("http://[::1]:7070", "ws://[::1]:7070/ws"),
    ],
)
def test_the_link_is_below_the_address_of_the_dashboard(url: str, expected: str) -> None:
    assert link_url(url) == expected


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("z4j.example.com", "must begin with http:// or https://"),
        ("ws://z4j.example.com", "must begin with http:// or https://"),
        ("https://", "names no server"),
        ("https://z4j.exa mple.com", "names no server"),
        ("https://z4j.example.com:port", "is not a URL"),
        ("https://z4j.example.com:99999", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://me:secret@z4j.example.com", "must not hold a user or password"),
        ("https://z4j.example.com/?a=1", "without ? or #"),
    ],
)
def test_a_bad_url_is_refused_with_what_to_do(url: str, hint: str) -> None:
    with pytest.raises(SettingsError, match=r"Z4J_URL") as refusal:
        link_url(url)
    assert hint in str(refusal.value)
    assert "secret" not in str(refusal.value)
    settings = Settings.from_environment({"Z4J_URL": url, "Z4J_TOKEN": TOKEN})
    assert not settings.is_active
    assert hint in str(settings.problem)


def test_without_a_url_there_is_nothing_to_do_and_nothing_to_say() -> None:
    settings = Settings.from_environment({"Z4J_TOKEN": "garbage", "Z4J_URL": "  "})
    assert not settings.is_active
    assert settings.problem is None


@pytest.mark.parametrize(
    ("token", "hint"),
    [
        ("", "Z4J_TOKEN is not"),
        ("garbage", "must begin with"),
        (TOKEN[:-3], "cut or too long"),
        (TOKEN[:20] + ("A" if TOKEN[20] != "A" else "B") + TOKEN[21:], "typing error"),
    ],
)
def test_a_bad_token_makes_the_agent_inert(token: str, hint: str) -> None:
    settings = Settings.from_environment({"Z4J_URL": "http://localhost", "Z4J_TOKEN": token})
    assert not settings.is_active
    assert hint in str(settings.problem)
    assert not token or token not in repr(settings)


def test_every_setting_is_read() -> None:
    settings = Settings.from_environment(
        {
            "Z4J_URL": " http://localhost:1 ",
            "Z4J_TOKEN": f" {TOKEN}\n",
            "Z4J_PLUGINS": "celery, mine",
            "Z4J_DISABLE_PLUGINS": "rq",
            "Z4J_OUTBOX_BYTES": "2097152",
            "Z4J_LOG_LEVEL": "debug",
            "Z4J_REDACT_EMAILS": "on",
        }
    )
    assert settings.is_active
    assert settings.url == "http://localhost:1"
    assert settings.only == frozenset({"celery", "mine"})
    assert settings.disabled == {"rq"}
    assert settings.outbox_bytes == 2_097_152
    assert settings.log_level == "DEBUG"
    assert settings.redact_emails
    assert settings.warnings == ()


def test_plugins_are_given_the_environment_without_the_token() -> None:
    settings = Settings.from_environment(
        {"Z4J_URL": "http://localhost", "Z4J_TOKEN": TOKEN, "OTHER": "x"}
    )
    assert settings.environment == {"Z4J_URL": "http://localhost", "OTHER": "x"}


@pytest.mark.parametrize("text", ["-1", "1023", "many", "9" * 5000, "٣٣٣٣٣٣٣", "1e9", "16MB"])
def test_a_bad_number_gives_the_default_and_a_warning(text: str) -> None:
    settings = Settings.from_environment({"Z4J_OUTBOX_BYTES": text})
    assert settings.outbox_bytes == DEFAULT_OUTBOX_BYTES
    assert "Z4J_OUTBOX_BYTES is ignored" in settings.warnings[0]


def test_an_unclear_wish_to_hide_addresses_hides_them() -> None:
    settings = Settings.from_environment({"Z4J_REDACT_EMAILS": "true"})
    assert settings.redact_emails
    assert "Z4J_REDACT_EMAILS is not understood" in settings.warnings[0]
    assert not Settings.from_environment({"Z4J_REDACT_EMAILS": "off"}).redact_emails


def test_a_bad_log_level_gives_a_warning() -> None:
    settings = Settings.from_environment({"Z4J_LOG_LEVEL": "loud"})
    assert settings.log_level is None
    assert "Z4J_LOG_LEVEL is ignored" in settings.warnings[0]
