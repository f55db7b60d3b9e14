"""Side by side with the public package of the same name: `python tools/bench/peer.py`.

A Celery worker (prefork, two children, Redis) runs the same no-op tasks under the public package,
which this program installs from the package index into a folder of its own, and under z4j. Each
server has one core, the database included, and the worker the other. Counted are events a second in
the record, from the first one seen until all are there or `--seconds` are over. The public server
is behind all the time, so its rate is what it takes from a worker; with z4j the worker sets the
pace, and what its server takes is measured by `ingest.py` in the same run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import msgspec
from celery_overhead import publish
from figures import Figure, add_option, tell
from machine import CLIENT, SERVER, pin
from sqlalchemy import Connection, create_engine, text
from stand import DATABASES, a_database, stand

from services.ports import free_port
from services.process import guarded
from services.redis import running_redis

VERSION = "1.13.0"
QUEUE, EVENTS_PER_TASK = "side-by-side", 3
PATIENCE_S = 120.0
EMAIL, PASSWORD = "bench@example.org", "Correct-Horse-77-Battery"
_SECRETS = ("Z4J_SECRET", "Z4J_SESSION_SECRET", "Z4J_AUDIT_CHAIN_SECRET")
APP = """
import os
from celery import Celery
import {plugin}
app = Celery("overhead", broker=os.environ["OVERHEAD_BROKER"])
app.conf.update(broker_connection_retry_on_startup=True, task_ignore_result=True)

@app.task(name="overhead.nothing")
def nothing(number, name=""):
    pass
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--tasks", type=int, default=3_000)
    parser.add_argument("--seconds", type=float, default=40, help="at most, for each of the two")
    add_option(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="z4j-peer-") as name, running_redis() as broker:
        folder = Path(name)
        rates = []
        for server in (the_peer, z4j):
            with server(options.database, folder) as (binaries, environment, count):
                publish(broker.url, options.tasks, QUEUE)
                with worker(folder, binaries, {**environment, "OVERHEAD_BROKER": broker.url}):
                    goal = options.tasks * EVENTS_PER_TASK
                    rates.append(rate(count, goal, options.seconds))
            broker.flush()
        limit = saturated(options.database, folder / "ingest.json")
    tell(
        f"{options.database}: the public package {VERSION}, then z4j, {options.tasks} tasks",
        [
            Figure(f"peer_rate_{options.database}", rates[0]),
            Figure(f"peer_own_{options.database}", rates[1]),
            Figure(f"peer_limit_{options.database}", limit),
            Figure(f"peer_ratio_{options.database}", limit / rates[0]),
        ],
        options.json,
    )


def saturated(database: str, report: Path) -> float:
    """Return the events a second that z4j's server takes, by `ingest.py`."""
    program = [sys.executable, str(Path(__file__).with_name("ingest.py"))]
    arguments = ["--database", database, "--events", "100000", "--json", str(report)]
    subprocess.run([*program, *arguments], check=True, stdout=subprocess.DEVNULL)
    figures = msgspec.json.decode(report.read_bytes(), type=list[Figure])
    return next(one.value for one in figures if one.key == f"ingest_rate_{database}")


def rate(count: Callable[[], int], goal: int, seconds: float) -> float:
    """Return events a second, from the first one seen to the goal or to the end of the time."""
    give_up_at = time.monotonic() + PATIENCE_S
    while not (first := count()):
        if time.monotonic() > give_up_at:
            raise SystemExit("no event arrived")
        time.sleep(0.05)
    begin = time.monotonic()
    while (last := count()) < goal and time.monotonic() - begin < seconds:
        time.sleep(0.05)
    return (last - first) / (time.monotonic() - begin)


@contextmanager
def worker(folder: Path, binaries: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run a Celery worker on the client's core."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("Z4J_")}
    options = ["-Q", QUEUE, "-P", "prefork", "-c", "2", "-E", "-l", "WARNING"]
    process = subprocess.Popen(
        guarded([str(binaries / "celery"), "-A", "side_by_side", "worker", *options]),
        cwd=folder,
        env={**kept, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


Place = tuple[Path, dict[str, str], Callable[[], int]]
"""Where the worker's programs are, its environment, and a count of the recorded events."""


@contextmanager
def z4j(database: str, folder: Path) -> Iterator[Place]:
    """Serve z4j."""
    (folder / "side_by_side.py").write_text(APP.format(plugin="z4j_celery.auto"))
    with stand(database) as built:
        environment = {"Z4J_URL": built.server.url, "Z4J_TOKEN": built.client.mint("bench")}
        environment["Z4J_SPOOL_DIR"] = str(built.folder / "spool")
        with built.database.engine.connect() as connection:
            yield Path(sys.executable).parent, environment, counter(connection)


@contextmanager
def the_peer(database: str, folder: Path) -> Iterator[Place]:
    """Serve the public package, installed for this moment."""
    (folder / "side_by_side.py").write_text(APP.format(plugin="z4j_celery"))
    binaries = install(folder / "venv")
    pin(SERVER)
    with a_database(database, folder) as url:
        port = free_port()
        home = folder / "home"
        home.mkdir(mode=0o700)
        theirs = url.replace("+psycopg", "+asyncpg").replace("sqlite:", "sqlite+aiosqlite:")
        command = [str(binaries / "z4j"), "serve", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--workers", "1", "--admin-email", EMAIL, "--admin-password", PASSWORD]
        own = {"Z4J_HOME": str(home), "HOME": str(home), "Z4J_DATABASE_URL": theirs}
        own |= {name: token_urlsafe(48) for name in _SECRETS} | {"Z4J_ENVIRONMENT": "dev"}
        with (folder / "peer.log").open("wb") as log:
            process = subprocess.Popen(
                guarded(command),
                env={**os.environ, **own},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        pin(CLIENT)
        try:
            environment = mint(f"http://127.0.0.1:{port}", folder / "peer.log")
            environment["Z4J_HOME"] = str(home)
            with create_engine(url).connect() as connection:
                yield binaries, environment, counter(connection)
        finally:
            process.terminate()
            process.wait(60)
            pin(SERVER)


def install(folder: Path) -> Path:
    """Install the public package; return where its programs are."""
    venv.create(folder, with_pip=True)
    wanted = [f"z4j=={VERSION}", f"z4j-celery=={VERSION}", "celery[redis]", "asyncpg"]
    program = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", *wanted]
    subprocess.run(program, check=True, stderr=subprocess.DEVNULL)
    return folder / "bin"


def mint(url: str, log: Path) -> dict[str, str]:
    """Sign in at the public package's server and make an agent; return its environment."""
    with httpx.Client(base_url=url, timeout=30) as client:
        give_up_at = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = client.post(
                    "/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}
                )
                break
            except httpx.TransportError:
                if time.monotonic() > give_up_at:
                    raise SystemExit(
                        f"its server does not answer: {log.read_text()[-2000:]}"
                    ) from None
                time.sleep(0.2)
        answer.raise_for_status()
        client.headers.update({"X-CSRF-Token": client.cookies["z4j_csrf"], "Origin": url})
        project = client.get("/api/v1/projects").json()[0]["slug"]
        made: Any = client.post(f"/api/v1/projects/{project}/agents", json={"name": "bench"}).json()
    return {
        "Z4J_BRAIN_URL": url,
        "Z4J_TOKEN": made["token"],
        "Z4J_HMAC_SECRET": made["hmac_secret"],
        "Z4J_PROJECT_ID": project,
    }


def counter(opened: Connection) -> Callable[[], int]:
    """Return a count of the rows of `events`; both records have a table of that name."""
    connection = opened.execution_options(isolation_level="AUTOCOMMIT")
    return lambda: connection.execute(text("SELECT count(*) FROM events")).scalar_one()


if __name__ == "__main__":
    main()
