"""`/healthz` and `/readyz`, also while the database is away."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text


def _status(running: Any, path: str) -> tuple[int, str]:
    answer = running.browser().http.get(running.url + path)
    return answer.status_code, answer.json()["status"]


def test_a_server_in_order_is_ready(running: Any) -> None:
    assert _status(running, "/healthz") == (200, "ok")
    assert _status(running, "/readyz") == (200, "ok")


def test_missing_migrations_are_told(running: Any) -> None:
    with running.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert _status(running, "/readyz") == (503, "migrations pending")
    assert _status(running, "/healthz") == (200, "ok")


@pytest.mark.parametrize("database_url", [""])
def test_a_database_that_is_away_is_told_and_comes_back(own_postgres: Any, start: Any) -> None:
    url = own_postgres.create_database()
    with start(database_url=url) as running:
        ada = running.set_up()
        own_postgres.stop()
        assert _status(running, "/readyz") == (503, "database unreachable")
        assert _status(running, "/healthz") == (200, "ok")
        answer = ada.get("/session")
        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/database-unavailable"
        own_postgres.start()
        assert _status(running, "/readyz") == (200, "ok")
        assert ada.get("/session").json()["user"] is not None
