"""A server, a signed-in client and a Celery shop for the end-to-end tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect

from celery_worker import Shop
from clicking import Hand
from dramatiq_worker import DramatiqShop
from rq_worker import RqShop
from server import Client, Server
from services.fixtures import a_browser

expect.set_options(timeout=60_000)
AnyShop = TypeVar("AnyShop", bound=Shop)


@pytest.fixture
def server(tmp_path: Path, record_url: str) -> Iterator[Server]:
    """A real server on a fresh database; runs on SQLite and on PostgreSQL."""
    yield from _serving(tmp_path / "home", record_url)


@pytest.fixture(scope="module")
def shared_server(
    shared_record_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """As `server`, one for all tests of a module."""
    yield from _serving(tmp_path_factory.mktemp("home"), shared_record_url)


def _serving(home: Path, record_url: str) -> Iterator[Server]:
    server = Server(home, record_url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    """The first admin, signed in."""
    yield from _signed_in(server)


@pytest.fixture(scope="module")
def shared_client(shared_server: Server) -> Iterator[Client]:
    """The first admin of the shared server, signed in."""
    yield from _signed_in(shared_server)


def _signed_in(server: Server) -> Iterator[Client]:
    client = Client(server)
    client.set_up()
    yield client
    client.http.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this folder: no test here may call `asyncio.run` itself."""
    yield from a_browser()


@pytest.fixture
def hand(page: Page, server: Server, client: Client) -> Hand:
    """The first admin at the dashboard."""
    return Hand(page, server, client)


@pytest.fixture
def shop(tmp_path: Path, redis_url: str, client: Client) -> Iterator[Shop]:
    """A Celery application with z4j, on real Redis; no worker runs yet."""
    yield from _open(Shop, tmp_path, redis_url, client)


@pytest.fixture
def rq_shop(tmp_path: Path, redis_url: str, client: Client) -> Iterator[RqShop]:
    """As `shop`, with RQ."""
    yield from _open(RqShop, tmp_path, redis_url, client)


@pytest.fixture
def dramatiq_shop(tmp_path: Path, redis_url: str, client: Client) -> Iterator[DramatiqShop]:
    """As `shop`, with Dramatiq."""
    yield from _open(DramatiqShop, tmp_path, redis_url, client)


def _open(kind: type[AnyShop], folder: Path, redis_url: str, client: Client) -> Iterator[AnyShop]:
    shop = kind(folder, redis_url, client.server.url, client.mint("shop"))
    shop.flush()
    yield shop
    shop.stop()


@pytest.fixture
def stranger(server: Server, client: Client, tmp_path: Path) -> Iterator[None]:
    """A process with the stranger's engine, whose queue has run one job."""
    program = (
        "import z4j_agent, sys; z4j_agent.register(); from lantern.work import lantern;"
        "lantern.light(print, 'hello'); sys.stdin.read(); z4j_agent.stop()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={
            **os.environ,
            "Z4J_URL": server.url,
            "Z4J_TOKEN": client.mint("lantern"),
            "Z4J_SPOOL_DIR": str(tmp_path / "spool"),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    yield
    assert process.stdin is not None
    process.stdin.close()
    process.wait(60)
