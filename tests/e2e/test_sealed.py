"""An exact retry with arguments that the server never had, and every way in which it is refused."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from celery_worker import Shop
from dramatiq_worker import DramatiqShop
from record import every_text
from rq_worker import RqShop
from server import ASK_EVERY_S, PROJECT, Client, Server
from z4j_agent.sealing import new_key
from z4j_brain.store.database import Database
from z4j_brain.store.schema import sealed_payloads as table
from z4j_core.seal import SealKey

SECRETS = [f"hunter2-sealed-{number}" for number in range(4)]
OLD, NEW = new_key(), new_key()
NO_LIBRARY = "raise ImportError('there is none')"


class Scene:
    """One worker at a time, each with keys of its own and without a memory of the last one."""

    def __init__(self, shop: Shop, client: Client, record_url: str) -> None:
        self.shop, self.client, self.database_url = shop, client, record_url

    def worker(self, name: str, *keys: SealKey) -> None:
        """Replace the worker, and wait until the server knows of no other."""
        self.shop.stop()
        self.shop.environment["Z4J_SEAL_KEY"] = ",".join(key.text() for key in keys)
        self.shop.start_worker(name)
        self._wait(lambda: [one.partition("@")[0] for one in self._online()] == [name])

    def charge(self, *secrets: str) -> list[str]:
        """Run tasks that fail, one after the other; return their ids once it is recorded."""
        one_by_one = f'for password in {secrets!r}: print(charge.delay("o", password=password).id)'
        ids = self.shop.publish(one_by_one)
        for task_id in ids:
            self.client.task(task_id, "failed")
        return ids

    def retry(self, task_id: str) -> Any:
        command = self.client.command("retry", target={"task_id": task_id})
        return self.client.finished_command(command["id"])

    def charged(self) -> list[str]:
        """The hashes of the arguments that tasks really got."""
        return Path(f"{self.shop.truth_file}.charged").read_text().split()

    def sealed(self) -> dict[str, bytes]:
        database = Database(self.database_url)
        try:
            with database.read() as connection:
                rows = connection.execute(select(table.c.task_id, table.c.envelope)).all()
                return {row.task_id: bytes(row.envelope) for row in rows}
        finally:
            database.close()

    def forge(self, task_id: str, envelope: bytes) -> None:
        """Write to the database, as its owner can."""
        database = Database(self.database_url)
        try:
            with database.write() as connection:
                connection.execute(
                    update(table).where(table.c.task_id == task_id).values(envelope=envelope)
                )
        finally:
            database.close()

    def _online(self) -> list[str]:
        workers = self.client.project("/workers")["items"]
        return [one["worker_id"] for one in workers if one["role"] == "worker" and one["online"]]

    @staticmethod
    def _wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 90
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(ASK_EVERY_S)


@pytest.fixture
def scene(shop: Shop, client: Client, record_url: str) -> Scene:
    return Scene(shop, client, record_url)


def hash_of(secret: str) -> str:
    return hashlib.sha256(repr(("o", secret)).encode()).hexdigest()


def test_a_life_of_sealed_arguments(scene: Scene, server: Server, tmp_path: Path) -> None:
    client = scene.client
    scene.worker("first", OLD)
    one, two, three = scene.charge(*SECRETS[:3])
    shown = client.project(f"/tasks/celery/{one}")
    assert shown["kwargs"] == {"password": "[redacted]"}
    assert not shown["exact"]
    assert shown["exact_retry"]["key_id"] == OLD.id.hex()

    nothing_is_told(scene, server)

    # The database's owner gives one task the arguments of another, and changes a byte of a third.
    sealed = scene.sealed()
    assert set(sealed) == {one, two, three}
    scene.forge(two, sealed[one])
    scene.forge(three, sealed[three][:-1] + bytes([sealed[three][-1] ^ 1]))

    # A new worker after a rotation: it remembers no message, and seals with the new key.
    scene.worker("rotated", NEW, OLD)
    assert client.project(f"/tasks/celery/{one}")["exact_retry"]["can_be_opened"]
    done = scene.retry(one)
    assert done["state"] == "succeeded", done["error"]
    again = client.task(done["result"]["task_id"], "failed")
    assert again["retried_from"] == one
    assert again["exact_retry"]["key_id"] == NEW.id.hex()
    hashes = [hash_of(secret) for secret in (*SECRETS[:3], SECRETS[0])]
    assert Counter(scene.charged()) == Counter(hashes)
    for task_id in (two, three):
        refused = scene.retry(task_id)
        assert refused["state"] == "failed"
        assert "they were changed, or belong to another task" in refused["error"]

    # The old key is gone; then the library is.
    scene.worker("forgetful", NEW)
    assert not client.project(f"/tasks/celery/{one}")["exact_retry"]["can_be_opened"]
    refused = scene.retry(one)
    assert f"sealed with the key {OLD.id.hex()}, which this process does not" in refused["error"]
    without_library(scene.shop, tmp_path)
    scene.worker("bare", NEW)
    assert "pip install 'z4j-agent[seal]'" in scene.retry(again["task_id"])["error"]
    assert Counter(scene.charged()) == Counter(hashes)
    scene.charge(SECRETS[3])  # the worker works all the same, and says what it lacks
    assert Counter(scene.charged()) == Counter([*hashes, hash_of(SECRETS[3])])
    [bare] = [one for one in client.project("/workers")["items"] if one["worker_id"][:4] == "bare"]
    detail = client.project(f"/workers/{bare['id']}")
    assert "`cryptography` cannot be used here" in detail["plugin_errors"][0]

    ends = [row["action"] for row in client.project("/audit")["items"]]
    assert ends.count("command.retry.failed") == 4
    assert ends.count("command.retry.succeeded") == 1
    nothing_is_told(scene, server)


def nothing_is_told(scene: Scene, server: Server) -> None:
    """Look for what was planted, in text and in the raw files of the database."""
    tasks = scene.client.project("/tasks")["items"]
    answers = [scene.client.project(f"/tasks/celery/{task['task_id']}") for task in tasks]
    answers += [scene.client.project(f"/tasks/celery/{task['task_id']}/events") for task in tasks]
    answers += [scene.client.get(f"/projects/{PROJECT}/{what}") for what in ("commands", "audit")]
    raw = b"".join(file.read_bytes() for file in server.home.glob("z4j.db*"))
    places = [every_text(scene.database_url), repr(answers), server.log.read_text(), repr(raw)]
    for text in places:
        for secret in [*SECRETS, OLD.text(), NEW.text(), OLD.secret.hex(), repr(OLD.secret)]:
            assert secret not in text
    answered = repr(answers).encode()
    for envelope in scene.sealed().values():
        assert envelope[-24:].hex().encode() not in answered


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("kind", "engine", "publish"),
    [
        (RqShop, "rq", 'QUEUE.enqueue(charge, "o", password={!r}).id'),
        (DramatiqShop, "dramatiq", 'charge.send("o", password={!r}).message_id'),
    ],
)
def test_other_engines_retry_what_they_have_forgotten(
    kind: type[Shop],
    engine: str,
    publish: str,
    server: Server,
    client: Client,
    redis_url: str,
    record_url: str,
    tmp_path: Path,
) -> None:
    shop = kind(tmp_path, redis_url, server.url, client.mint("shop"))
    shop.environment["Z4J_SEAL_KEY"] = OLD.text()
    scene = Scene(shop, client, record_url)
    try:
        shop.start_worker("first")
        [task_id] = shop.publish(f"print({publish.format(SECRETS[0])})")
        assert not client.task(task_id, "failed", engine=engine)["exact"]
        shop.stop()
        shop.flush()
        shop.start_worker("second")
        client.wait_for_action("retry")
        command = client.command("retry", engine, target={"task_id": task_id})
        done = client.finished_command(command["id"])
        assert done["state"] == "succeeded", done["error"]
        assert client.task(done["result"]["task_id"], "failed", engine=engine)["retried_from"]
        assert scene.charged() == [hash_of(SECRETS[0])] * 2
        for text in (every_text(record_url), server.log.read_text()):
            assert SECRETS[0] not in text
    finally:
        shop.stop()


def without_library(shop: Shop, folder: Path) -> None:
    """Put a `cryptography` that cannot be imported before the real one."""
    broken = folder / "broken" / "cryptography"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text(NO_LIBRARY)
    shop.environment["PYTHONPATH"] = f"{broken.parent}:{shop.environment['PYTHONPATH']}"
