"""A request publishes a task: the record has it whole, from every framework and its own server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from celery_worker import Shop
from server import Client, Server
from web_server import WebServer

GUNICORN = ("-m", "gunicorn", "--bind", "127.0.0.1:{port}", "-w", "2", "--preload")
UVICORN = ("-m", "uvicorn", "--port", "{port}", "--workers", "2")
SHOPS = {
    "django": (*GUNICORN, "django_shop.wsgi"),
    "flask": (*GUNICORN, "flask_shop:create_app()"),
    "fastapi": (*UVICORN, "fastapi_shop:app"),
}


@pytest.fixture
def environment(shop: Shop) -> dict[str, str]:
    """What the shops and their worker are told."""
    names = ("BROKER_URL", "Z4J_URL", "Z4J_TOKEN")
    return {name: shop.environment[name] for name in names}


@pytest.fixture
def worker(
    environment: dict[str, str], client: Client, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """The worker of the Django project: it needs no more than the project's settings."""
    command = ("-m", "celery", "-A", "django_shop", "worker", "-n", "packer@%h", "-c", "1")
    told = {**environment, "DJANGO_SETTINGS_MODULE": "django_shop.settings"}
    with WebServer(tmp_path, command, told) as web:
        client.wait_for_action("terminate")  # no process that only serves offers it
        assert web.process is not None
        yield web.process
        assert web.stop() == 0


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_what_a_web_process_publishes_is_whole_in_the_record(
    worker: subprocess.Popen[bytes],
    environment: dict[str, str],
    server: Server,
    client: Client,
    tmp_path: Path,
) -> None:
    for number, (name, command) in enumerate(SHOPS.items()):
        with WebServer(tmp_path, command, environment) as web:
            served = web.pids(2)
            for _ in range(2):  # the first order may import the engine
                task_id = web.get(f"/order/{number}")
            task = client.task(task_id, "succeeded")
            events = client.project(f"/tasks/celery/{task_id}/events")["items"]
            whole = ["published", "received", "started", "succeeded"]
            assert [event["kind"] for event in events] == whole
            assert task["published_at"] == events[0]["occurred_at"]
            assert task["wait_ms"] is not None
            assert not task["wait_doubtful"]

            workers = client.project("/workers")["items"]
            mine = {one["worker_id"]: one for one in workers if one["pid"] in served}
            assert {one["framework"] for one in mine.values()} == {name}
            assert {one["role"] for one in mine.values()} == {"web"}
            assert events[0]["worker"] in mine
            assert events[1]["worker"].startswith("packer@")
            web.stop()
