"""What may be shown of the settings."""

from __future__ import annotations

import pytest

from z4j_brain.configuration import describe, masked_url, secret_states
from z4j_brain.keys import Keys
from z4j_brain.settings import load

KEYS = Keys(b"m" * 40, b"s" * 40, {"Z4J_SECRET": "env", "Z4J_SESSION_SECRET": "file"}, (b"f" * 40,))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://z4j:hush@db/z4j",
        "postgresql://z4j@db/z4j?password=hush&sslmode=require",
        "postgresql://db/z4j?user=z4j&sslpassword=hush&PASSWORD=hush",
        "postgresql://z4j:hush@db:port/z4j",
    ],
)
def test_no_password_of_a_database_is_shown(url: str) -> None:
    assert "hush" not in masked_url(url)


def test_the_rest_of_a_url_stays() -> None:
    shown = masked_url("postgresql://z4j:hush@db/z4j?sslmode=require")
    assert shown == "postgresql://z4j:***@db/z4j?sslmode=require"
    assert masked_url("sqlite:////srv/z4j.db") == "sqlite:////srv/z4j.db"


def test_each_row_tells_its_source() -> None:
    loaded = load({"Z4J_TRUSTED_PROXIES": "10.0.0.0/8,::1"}, {"port": 1})
    rows = {row.name: row for row in describe(loaded.settings, loaded.sources, secret_states(KEYS))}
    told = {
        name: (rows[name].value, rows[name].source)
        for name in ("Z4J_TRUSTED_PROXIES", "Z4J_PORT", "Z4J_TASK_RETENTION_DAYS")
    }
    assert told == {
        "Z4J_TRUSTED_PROXIES": ("10.0.0.0/8,::1", "env"),
        "Z4J_PORT": ("1", "flag"),
        "Z4J_TASK_RETENTION_DAYS": ("", "default"),
    }
    assert [
        (rows[name].value, rows[name].source) for name in ("Z4J_SECRET", "Z4J_SECRET_PREVIOUS")
    ] == [
        ("(set, not shown)", "env"),
        ("(set, not shown)", "none"),
    ]
