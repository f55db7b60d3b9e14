"""Planted secrets are in no table, no log and no answer of the server."""

from __future__ import annotations

from pathlib import Path

from celery_worker import Shop
from record import every_text
from server import Client, Server

SECRETS = [f"hunter2-planted-{number}" for number in range(6)]
PROGRAM = f"""
ids = [
    sign_in.delay("ada", password={SECRETS[0]!r}).id,
    sign_in.delay("ada", password="x", deep={{"a": [{{"api_key": {SECRETS[1]!r}}}]}}).id,
    leak.delay({SECRETS[2]!r}, api_key={SECRETS[3]!r}).id,
    fail.delay("https://ada:{SECRETS[4]}@example.org/ answered token={SECRETS[5]}").id,
]
print(*ids)
"""


def test_secrets_are_nowhere(
    shop: Shop, server: Server, client: Client, record_url: str, tmp_path: Path
) -> None:
    shop.start_worker()
    ids = shop.publish(PROGRAM)
    states = ["succeeded", "succeeded", "failed", "failed"]
    answers = [client.task(task_id, state) for task_id, state in zip(ids, states, strict=True)]
    answers += [client.project(f"/tasks/celery/{task_id}/events") for task_id in ids]
    answers += [client.project("/tasks"), client.project("/overview"), client.project("/workers")]
    places = {
        "an answer": repr(answers),
        "the database": every_text(record_url),
        "the server's log": server.log.read_text(),
    }
    for place, text in places.items():
        for secret in SECRETS:
            assert secret not in text, f"{secret} is in {place}"
    assert answers[2]["exception_message"]
    assert answers[2]["args"] == ["[redacted]"]  # by the name of its parameter
    token = shop.environment["Z4J_TOKEN"]
    assert token not in places["the database"] + places["the server's log"]
