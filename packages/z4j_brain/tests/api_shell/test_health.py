"""`/healthz` and `/readyz`, also while the database is away."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from services.fixtures import migrated

OK = (200, {"status": "ok"})


def _asked(running: Any, path: str) -> tuple[int, Any]:
    answer = running.browser().http.get(running.url + path)
    return answer.status_code, answer.json()


def _trouble(running: Any) -> str:
    status, problem = _asked(running, "/readyz")
    assert (status, problem["status"]) == (503, 503)
    return str(problem["type"])


def test_a_server_in_order_is_ready(running: Any) -> None:
    assert _asked(running, "/healthz") == OK
    assert _asked(running, "/readyz") == OK


def test_missing_migrations_are_told(running: Any) -> None:
    with running.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert _trouble(running) == "/problems/migrations-pending"
    assert _asked(running, "/healthz") == OK


@pytest.mark.parametrize("record_url", [""])
def test_a_database_that_is_away_is_told_and_comes_back(own_postgres: Any, start: Any) -> None:
    url = migrated(own_postgres.create_database())
    with start(database_url=url) as running:
        ada = running.set_up()
        own_postgres.stop()
        assert _trouble(running) == "/problems/database-unavailable"
        assert _asked(running, "/healthz") == OK
        answer = ada.get("/session")
        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/database-unavailable"
        own_postgres.start()
        assert _asked(running, "/readyz") == OK
        assert ada.get("/session").json()["user"] is not None
