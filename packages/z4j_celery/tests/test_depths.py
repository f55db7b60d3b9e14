"""Depths as real brokers tell them, and brokers' ids that hold no secret."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import redis
from celery import Celery
from harness import wait
from kombu import Connection
from kombu.exceptions import OperationalError

from services.redis import Redis
from z4j_celery.brokers import brokers, identity_of
from z4j_celery.depths import published_at, queue_depths
from z4j_core.waiting import Depth, broker_id

PASSWORD = "planted-broker-password"
STAMP = 1_700_000_000_000_000


@pytest.fixture
def process_of() -> Iterator[Callable[..., Any]]:
    """Return what a process is to the engine: its apps, one of them used for messages."""
    apps: list[Celery] = []

    def make(broker: str, consumer: Any = None, **settings: Any) -> Any:
        app = Celery("shop", broker=broker, set_as_current=False)
        app.conf.update(task_default_queue="shop", **settings)
        apps.append(app)
        assert app.amqp.queues
        return SimpleNamespace(app=app, apps=lambda: [app], consumer=consumer)

    yield make
    for app in apps:
        app.close()


def publish(process: Any, queue: str, **options: Any) -> None:
    headers = {"z4j_published_at": STAMP} | options.pop("headers", {})
    process.app.send_task("shop.pack", queue=queue, headers=headers, **options)


def ask(process: Any, *queues: str) -> dict[str, Depth]:
    [broker] = brokers(process)
    return dict(queue_depths(process, broker.id, queues))


def test_redis_tells_waiting_and_the_oldest(
    process_of: Callable[..., Any], own_databases: Iterator[str]
) -> None:
    process = process_of(next(own_databases))
    for stamp, priority in ((STAMP + 9, 0), (STAMP + 5, 6), (STAMP + 11, 0)):
        publish(process, "mail", headers={"z4j_published_at": stamp}, priority=priority)
    assert ask(process, "mail", "empty") == {
        "mail": Depth(waiting=3, oldest_at=STAMP + 5),
        "empty": Depth(waiting=0),
    }
    publish(process, "mail", headers={"z4j_published_at": None}, priority=9)
    assert ask(process, "mail")["mail"] == Depth(waiting=4), "one that is not stamped may be older"
    [broker] = brokers(process)
    assert (broker.transport, broker.queues) == ("redis", ["mail", "shop"])


def test_redis_with_a_prefix_and_a_password(
    process_of: Callable[..., Any], own_redis: Redis
) -> None:
    with redis.Redis.from_url(own_redis.url) as admin:
        admin.config_set("requirepass", PASSWORD)
        url = own_redis.url.replace("redis://", f"redis://:{PASSWORD}@")
        process = process_of(url, broker_transport_options={"global_keyprefix": "z-"})
        publish(process, "mail")
        assert admin.llen("z-mail") == 1
    assert ask(process, "mail") == {"mail": Depth(waiting=1, oldest_at=STAMP)}
    assert PASSWORD not in msgspec.json.encode(brokers(process)).decode()
    own_redis.stop()
    with pytest.raises((redis.ConnectionError, OperationalError)):
        ask(process, "mail")


def test_files_and_memory(process_of: Callable[..., Any], tmp_path: Path) -> None:
    folders = {
        "data_folder_in": str(tmp_path),
        "data_folder_out": str(tmp_path),
        "control_folder": str(tmp_path / "control"),
    }
    files = process_of("filesystem://", broker_transport_options=folders)
    memory = process_of("memory://")
    for process in (files, memory):
        for _ in range(2):
            publish(process, "mail-of-depths")
        depths = ask(process, "mail-of-depths", "shop-of-depths")
        assert depths == {
            "mail-of-depths": Depth(waiting=2),
            "shop-of-depths": Depth(waiting=0),
        }
    assert brokers(files)[0].id != brokers(memory)[0].id


def test_rabbitmq_tells_what_is_ready_and_who_consumes(
    process_of: Callable[..., Any], rabbitmq_url: str
) -> None:
    process = process_of(rabbitmq_url)
    for _ in range(3):
        publish(process, "mail")
    with process.app.connection_for_read() as connection, connection.channel() as channel:

        def is_there() -> bool:
            return bool(ask(process, "mail")["mail"].waiting == 3)

        wait(is_there, lambda: "three were published")
        assert channel.basic_get("mail") is not None
        assert ask(process, "mail", "unknown") == {"mail": Depth(waiting=2, consumers=0)}
        channel.basic_qos(0, 1, False)
        channel.basic_consume("mail", callback=lambda _: None)
        assert ask(process, "mail") == {"mail": Depth(waiting=1, consumers=1)}
    assert "guest" not in msgspec.json.encode(brokers(process)).decode()


# kombu's own models, under SQLAlchemy 2.1.
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
def test_tables(process_of: Callable[..., Any], tmp_path: Path) -> None:
    process = process_of(f"sqla+sqlite:///{tmp_path}/broker.db")
    for _ in range(3):
        publish(process, "mail")
    with process.app.connection_for_read() as connection, connection.channel() as channel:
        assert channel.basic_get("mail") is not None
        assert ask(process, "mail", "unknown") == {"mail": Depth(waiting=2)}
        channel.session.close()
        channel._engine_from_config().dispose()


def test_nothing_is_told_of_another_broker_or_of_an_unused_app(
    process_of: Callable[..., Any],
) -> None:
    process = process_of("memory://")
    assert queue_depths(process, broker_id("other"), ["mail"]) == {}
    unused = Celery("unused", broker="memory://", set_as_current=False)
    assert brokers(SimpleNamespace(app=None, apps=lambda: [unused], consumer=None)) == []  # type: ignore[arg-type]


def test_consumed_queues_are_those_of_the_consumer(process_of: Callable[..., Any]) -> None:
    taken = [SimpleNamespace(name="mail"), SimpleNamespace(name="web")]
    consumer = SimpleNamespace(task_consumer=SimpleNamespace(queues=taken))
    [broker] = brokers(process_of("memory://", consumer))
    assert broker.consumed == ["mail", "web"]
    assert broker.queues == ["mail", "web", "shop"], "what it consumes comes first"
    many = [SimpleNamespace(name=f"q{number:05}") for number in range(10_000)]
    consumer.task_consumer = SimpleNamespace(queues=[*many, SimpleNamespace(name="n\0l")])
    [broker] = brokers(process_of("memory://", consumer))
    assert broker.queues == [f"q{number:05}" for number in range(200)]


def identity(url: str, **options: Any) -> str:
    connection = Connection(url, **options)
    return identity_of(connection, connection.get_transport_cls().driver_type)


@pytest.mark.parametrize(
    "url",
    [
        "redis://{}cache.example:6379/2",
        "amqp://{}mq.example//",
        "sqla+postgresql://{}db.example/shop",
    ],
)
def test_an_id_is_the_same_whoever_signs_in(url: str) -> None:
    one, other = url.format(""), url.format(f"anna:{PASSWORD}@")
    assert identity(one) == identity(other)


def test_an_id_knows_defaults_and_cases() -> None:
    assert identity("redis://cache.example") == identity("redis://Cache.example:6379/0")
    assert identity("amqp://mq.example//") == identity("amqp://mq.example:5672")


def test_an_id_tells_brokers_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ["redis://a.example/0", "redis://a.example/1", "redis://b.example/0"]
    urls += ["redis://a.example:6380/0", "amqp://a.example", "amqp://a.example/shop"]
    urls += ["redis://localhost/0", "memory://", "filesystem://"]
    assert len({identity(url) for url in urls}) == len(urls)
    near, far = identity("redis://127.0.0.1/0"), identity("redis://a.example/0")
    monkeypatch.setattr(socket, "gethostname", lambda: "another-machine")
    assert identity("redis://127.0.0.1/0") != near, "another machine's loopback"
    assert identity("redis://a.example/0") == far


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (b'{"headers": {"z4j_published_at": 7, "id": "x"}, "body": "..."}', 7),
        (b'{"headers": {"id": "x"}}', None),
        (b'{"headers": {"z4j_published_at": "soon"}}', None),
        (b'{"headers": []}', None),
        (b"[1]", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_the_stamp_of_a_message(message: bytes, expected: int | None) -> None:
    assert published_at(message) == expected
