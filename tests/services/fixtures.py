"""The fixtures of every test of the repository; a pytest plugin that needs only pytest.

``pyproject.toml`` loads it with ``-p services.fixtures``, for the packages' own tests too.
"""

from __future__ import annotations

import contextlib
import gc
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services.chromium import running_chromium
from services.folder import own_folder
from services.missing import ServiceMissingError, give_up
from services.postgres import Postgres, running_postgres
from services.rabbitmq import RabbitMQ, running_rabbitmq
from services.redis import Redis, running_redis

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SQLITE, POSTGRESQL = "sqlite", "postgresql"
GARBAGE = (10_000, 20, 50)
"""How much there has to be until the collector looks: far less often than by default."""


def pytest_configure() -> None:
    """No property test fails because the machine is busy."""
    with contextlib.suppress(ImportError):  # a package whose tests have no properties
        from hypothesis import settings

        settings.register_profile("untimed", settings.default, deadline=None)
        settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """Let the collector look at what tests make, not at every module again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


def pytest_unconfigure() -> None:
    """Take away what killed processes left in shared memory; their folders are gone by now."""
    with contextlib.suppress(ImportError):  # a package without the agent
        from z4j_agent.spool.front import sweep

        sweep(0.0)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL 18 server for the whole run. Do not stop it: see ``own_postgres``."""
    try:
        with running_postgres() as server:
            yield server
    except ServiceMissingError as missing:
        give_up(missing)


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """A PostgreSQL 18 server for one test, with fsync on; the test may stop and start it."""
    try:
        with running_postgres(fsync=True) as server:
            yield server
    except ServiceMissingError as missing:
        give_up(missing)


@pytest.fixture(scope="session")
def sqlite_folder() -> Iterator[Path]:
    """Where the SQLite files of the run are: in memory, as each of their commits is a sync."""
    with own_folder("z4j-sqlite-", in_memory=True) as folder:
        yield folder


@contextlib.contextmanager
def _sqlite_url(folder: Path, template: Path | None = None) -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=folder) as own:
        file = Path(own) / "z4j.sqlite3"
        if template is not None:
            shutil.copyfile(template, file)
        yield f"sqlite:///{file}"


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh, empty database: the test runs once on each kind."""
    if request.param == SQLITE:
        with _sqlite_url(request.getfixturevalue("sqlite_folder")) as url:
            yield url
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture(scope="session")
def sqlite_template(sqlite_folder: Path) -> Path:
    """A SQLite file with the tables of this version, to be copied."""
    file = sqlite_folder / "template.sqlite3"
    migrated(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    """The URL of a database with the tables of this version, to be copied."""
    return migrated(postgres.create_database())


def migrated(url: str) -> str:
    """Give the empty database the tables of this version; only for z4j_brain's tests."""
    from z4j_brain.store import migrate
    from z4j_brain.store.database import Database

    database = Database(url)
    migrate.upgrade(database)
    database.close()
    return url


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def record_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh database with the tables of this version, once on each kind.

    A copy of a migrated one: to migrate takes ten times as long. Only for z4j_brain's tests.
    """
    yield from _record(request)


@pytest.fixture(scope="module", params=[SQLITE, POSTGRESQL])
def shared_record_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """As `record_url`, one for all tests of a module."""
    yield from _record(request)


def _record(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == SQLITE:
        template: Path = request.getfixturevalue("sqlite_template")
        with _sqlite_url(template.parent, template) as url:
            yield url
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create_database(request.getfixturevalue("postgres_template"))
    yield url
    server.drop_database(url)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """A Redis server for the whole run. Do not stop it: see ``own_redis``."""
    try:
        with running_redis() as server:
            yield server
    except ServiceMissingError as missing:
        give_up(missing)


@pytest.fixture
def own_redis() -> Iterator[Redis]:
    """A Redis server for one test; the test may stop and start it."""
    try:
        with running_redis() as server:
            yield server
    except ServiceMissingError as missing:
        give_up(missing)


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """The URL of an empty Redis."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitMQ]:
    """A RabbitMQ server for the whole run. Do not stop it: see ``own_rabbitmq``."""
    try:
        with running_rabbitmq() as server:
            yield server
    except ServiceMissingError as missing:
        give_up(missing)


@pytest.fixture
def own_rabbitmq() -> Iterator[RabbitMQ]:
    """A RabbitMQ server for one test, with two virtual hosts; the test may stop and start it."""
    try:
        with running_rabbitmq(vhosts=2) as server:
            yield server
    except ServiceMissingError as missing:
        give_up(missing)


@pytest.fixture
def rabbitmq_url(rabbitmq_server: RabbitMQ) -> str:
    """The URL of an empty virtual host of RabbitMQ."""
    return rabbitmq_server.create_vhost()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for one module of tests.

    Not for the whole run: while Playwright's synchronous side is up, its event loop counts
    as running in this thread, and a later test could not call ``asyncio.run``.
    """
    yield from a_browser()


def a_browser() -> Iterator[Browser]:
    """A Chromium, for a fixture of another scope."""
    try:
        with running_chromium() as browser:
            yield browser
    except ServiceMissingError as missing:
        give_up(missing)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page with cookies and storage of its own, 1280 by 800."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()
