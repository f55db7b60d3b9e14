from __future__ import annotations

import socket

from services.ports import HOST
from services.redis import Redis


def ask(server: Redis, line: bytes) -> bytes:
    with socket.create_connection((HOST, server.port), timeout=60) as connection:
        connection.sendall(line)
        return connection.recv(256)


def test_each_test_begins_empty(redis_server: Redis, redis_url: str) -> None:
    assert redis_url.endswith(f":{redis_server.port}/0")
    assert ask(redis_server, b"DBSIZE\r\n") == b":0\r\n"
    ask(redis_server, b"SET left behind\r\n")


def test_each_test_begins_empty_again(redis_server: Redis, redis_url: str) -> None:
    assert ask(redis_server, b"EXISTS left\r\n") == b":0\r\n"


def test_restart_keeps_the_port(own_redis: Redis) -> None:
    url = own_redis.url
    own_redis.stop()
    own_redis.start()
    assert own_redis.url == url
    assert ask(own_redis, b"PING\r\n") == b"+PONG\r\n"
