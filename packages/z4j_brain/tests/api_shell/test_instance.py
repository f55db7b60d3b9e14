"""The status of the instance, over HTTP."""

from __future__ import annotations

import time
from typing import Any

import pytest

from z4j_brain.settings import Settings, descriptions, variable
from z4j_brain.store.migrate import HEAD
from z4j_brain.store.schema import metadata

STATUS = "/instance/status"
SETTINGS = "/instance/settings"


def test_an_administrator_reads_it(running: Any, ada: Any) -> None:
    answer = ada.get(STATUS)
    assert answer.status_code == 200
    found = answer.json()
    tables = {table["name"]: table for table in found["tables"]}
    assert sorted(tables) == sorted(metadata.tables)
    assert tables["events"]["kept_days"] == 30
    assert tables["users"]["kept_days"] is None
    assert (found["migration"], found["newest_migration"]) == (HEAD, HEAD)
    assert found["workers_online"] == 0
    assert found["oldest_event_at"] is None
    assert found["bytes"] > 0


def test_the_leader_is_told_once_it_is_elected(running: Any, ada: Any) -> None:
    while not running.brain.reconciler.counters.is_leader:  # at its start, on a thread of its own
        time.sleep(0.01)
    found = ada.get(STATUS).json()
    assert found["is_this_replica_leader"] is True
    if running.database.is_postgres:
        assert found["leader"]["replica"] == running.brain.replica
    else:
        assert found["leader"] is None


@pytest.mark.parametrize("role", ["viewer", "auditor", "admin", None])
def test_nobody_else_does(running: Any, ada: Any, role: str | None) -> None:
    member = running.member(role)
    for address in (STATUS, SETTINGS, "/instance/projects"):
        answer = member.get(address)
        assert answer.status_code == 403
        assert answer.json()["type"] == "/problems/permission-missing"
        assert "administrators" in answer.json()["detail"]
        assert running.browser().get(address).status_code == 401


def test_retention_follows_the_settings(start: Any) -> None:
    with start(event_retention_days="7", task_retention_days="0") as running:
        tables = {table["name"]: table for table in running.set_up().get(STATUS).json()["tables"]}
    assert tables["events"]["kept_days"] == 7
    assert tables["tasks"]["kept_days"] is None


def test_settings_are_told_without_any_secret(start: Any) -> None:
    token = "whisper-whisper-whisper"
    with start(metrics_token=token, queue_sample_s="30") as running:
        answer = running.set_up().get(SETTINGS)
        address = running.brain.settings.database_url
    rows = {row["name"]: row for row in answer.json()["items"]}
    fields = {variable(field) for field in Settings.__struct_fields__}
    assert rows.keys() == fields | {"Z4J_SECRET", "Z4J_SECRET_PREVIOUS", "Z4J_SESSION_SECRET"}
    assert (rows["Z4J_QUEUE_SAMPLE_S"]["value"], rows["Z4J_QUEUE_SAMPLE_S"]["source"]) == (
        "30",
        "env",
    )
    assert (rows["Z4J_PORT"]["value"], rows["Z4J_PORT"]["source"]) == ("7700", "default")
    assert rows["Z4J_PORT"]["help"] == descriptions()["port"]
    assert rows["Z4J_DATABASE_URL"]["value"].partition(":")[0] == address.partition(":")[0]
    for name in ("Z4J_METRICS_TOKEN", "Z4J_SECRET", "Z4J_SESSION_SECRET"):
        assert rows[name]["value"] == "(set, not shown)"
    assert rows["Z4J_SECRET_PREVIOUS"]["value"] == ""
    for secret in (token, "m" * 40, "s" * 40):
        assert secret not in answer.text
