"""How many events a second a server stores: `python tools/bench/ingest.py --database postgresql`.

Starts a real server in a process of its own on a fresh database, opens synthetic links, sends task
lives of four events as fast as they are acknowledged, and prints the acknowledged events a second
and what each cost the server's CPU. In the same run, the same rows are written by the driver alone
(binary COPY into an unlogged table without an index and into one like ours; `executemany` for
SQLite), and the ratio is printed. With `--rate` the acknowledgements' delay is measured as well.
Exits with 1 when something is missing in the record.

Links run on one core and everything else on another, unless there is only one. Takes about half a
minute. `--profile FILE` writes a profile of the server's two threads by cProfile.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import secrets
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import psycopg
from sqlalchemy import func, select, text

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(Path(__file__).parent)]

from synthetic import SyntheticLink, make_events  # noqa: E402

from services.postgres import running_postgres  # noqa: E402
from z4j_brain.keys import Keys  # noqa: E402
from z4j_brain.store import agent_tokens, agents, projects  # noqa: E402
from z4j_brain.store.database import Database  # noqa: E402
from z4j_brain.store.ingest_batch import Origin, StoredEvent  # noqa: E402
from z4j_brain.store.ingest_postgres import encode_events  # noqa: E402
from z4j_brain.store.schema import events, rollups, tasks  # noqa: E402
from z4j_brain.store.types import new_id  # noqa: E402
from z4j_core.credential import Credential  # noqa: E402
from z4j_core.events import Kind, WireEvent  # noqa: E402

ALL_CORES = sorted(os.sched_getaffinity(0))
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
RAW_BATCH = 5_000
COPY = (
    "COPY copied (project_id, received_at, worker_row, occurred_at, attempt, engine, kind, queue,"
    " name, task_id, payload) FROM STDIN (FORMAT BINARY)"
)
NEEDED = {"postgresql": 5_000, "sqlite": 3_000}
AIMED = {"postgresql": 15_000, "sqlite": 8_000}


class Spent(msgspec.Struct):
    """What delivering everything took, in seconds: of the clock, and of CPU on both sides."""

    elapsed: float
    server: float
    database: float
    waits: list[float] = []


def main() -> None:
    options = read_options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with a_database(options.database, folder) as url:
            measure(options, url, folder)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure how many events a second are stored.")
    parser.add_argument("--database", choices=sorted(NEEDED), default="postgresql")
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--links", type=int, default=4)
    parser.add_argument("--per-frame", type=int, default=50)
    parser.add_argument("--rate", type=int, default=0, help="events a second; 0 is no limit")
    parser.add_argument("--profile", type=Path)
    return parser.parse_args()


@contextmanager
def a_database(kind: str, folder: Path) -> Iterator[str]:
    """Give a fresh database; PostgreSQL with fsync, on the server's core."""
    pin(1)
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'z4j.db'}"
        return
    with running_postgres(fsync=True) as postgres:
        yield postgres.create_database()


def pin(core: int) -> None:
    """Choose the core of this process, and of what it starts from now on."""
    os.sched_setaffinity(0, {ALL_CORES[core % len(ALL_CORES)]})


def measure(options: argparse.Namespace, url: str, folder: Path) -> None:
    keys, process, port = start_server(url, folder, options.profile)
    pin(0)
    database = Database(url)
    try:
        credential = seed(database, keys)
        share = options.events // options.links
        now = time.time_ns() // 1_000
        made = [make_events(share, now) for _ in range(options.links)]
        links = [
            SyntheticLink(
                f"ws://127.0.0.1:{port}/ws", credential, f"w{number}", batch, options.per_frame
            )
            for number, batch in enumerate(made)
        ]
        spent = asyncio.run(drive(links, database, process.pid, options))
        memory = resident_mib(process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    sent = list(itertools.chain.from_iterable(made))
    missing = check(database, sent)
    database.close()
    pin(1)
    raw = raw_postgres(url, sent) if options.database == "postgresql" else raw_sqlite(folder, sent)
    report(options, len(sent), spent, memory, raw)
    if missing:
        raise SystemExit(f"the record is not what was sent: {missing}")


async def drive(
    links: list[SyntheticLink], database: Database, pid: int, options: argparse.Namespace
) -> Spent:
    """Deliver everything, as fast as it goes or at a steady rate."""
    for link in links:
        await link.open()
        if not options.rate:
            link.load()
    pace = options.rate / options.per_frame / options.links
    others = database_pids(database)
    server, behind = cpu_s([pid]), cpu_s(others)
    begin = time.perf_counter()
    await asyncio.gather(*(link.deliver_at(pace) if pace else link.deliver() for link in links))
    spent = Spent(time.perf_counter() - begin, cpu_s([pid]) - server, cpu_s(others) - behind)
    for link in links:
        await link.close()
        spent.waits += link.waits
    return spent


def start_server(
    url: str, folder: Path, profile: Path | None
) -> tuple[Keys, subprocess.Popen[bytes], int]:
    """Make the tables, start `z4j serve` and wait until it answers."""
    names = ("Z4J_SECRET", "Z4J_SESSION_SECRET")
    values = {name: secrets.token_hex(32) for name in names}
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("Z4J_")},
        **values,
        "Z4J_HOME": str(folder),
        "Z4J_DATABASE_URL": url,
    }
    python = [sys.executable]
    if profile is not None:
        python += [str(Path(__file__).with_name("profiled.py")), str(profile)]
    else:
        python += ["-m", "z4j_brain"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    migrate = [sys.executable, "-m", "z4j_brain", "migrate"]
    subprocess.run(migrate, env=environment, check=True, stdout=subprocess.DEVNULL)
    process = subprocess.Popen(
        [*python, "serve", "--port", str(port)], env=environment, stdout=subprocess.DEVNULL
    )
    wait_for(f"http://127.0.0.1:{port}/readyz", process)
    return Keys(values[names[0]].encode(), values[names[1]].encode()), process, port


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Ask until the server answers; give up after 30 seconds."""
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise SystemExit("the server does not answer")


def seed(database: Database, keys: Keys) -> Credential:
    """Make a project, an agent and its token."""
    token_id, secret, now = new_id(), secrets.token_bytes(32), time.time_ns() // 1_000
    with database.write() as connection:
        project_id = projects.create(connection, name="bench", now=now).id
        agent_id = agents.create(connection, project_id, "bench", now)
        agent_tokens.create(
            connection,
            token_id=token_id,
            agent_id=agent_id,
            secret_hash=keys.token_hash(secret),
            now=now,
        )
    key = keys.signing_key(project_id, agent_id, token_id)
    return Credential(agent_id, secret, key, keys.seal_key(project_id))


def check(database: Database, sent: list[WireEvent]) -> str:
    """Compare the record with what was sent; return what differs."""
    ended = sum(event.kind is Kind.SUCCEEDED for event in sent)
    begun = len({event.task_id for event in sent})
    with database.read() as connection:
        stored = connection.execute(select(func.count()).select_from(events)).scalar_one()
        states = connection.execute(select(tasks.c.state, func.count()).group_by(tasks.c.state))
        found = {str(state): int(count) for state, count in states}
        counted = int(connection.execute(select(func.sum(rollups.c.succeeded))).scalar_one())
    is_exact = (stored, sum(found.values()), found["succeeded"], counted) == (
        len(sent),
        begun,
        ended,
        ended,
    )
    return "" if is_exact else f"{stored} events, tasks {found}, {counted} counted as succeeded"


def raw_postgres(url: str, sent: list[WireEvent]) -> dict[str, float]:
    """Write the same rows by binary COPY; return rows a second for each table."""
    origin = Origin(new_id(), new_id(), time.time_ns() // 1_000)
    buffers = [
        encode_events(StoredEvent(origin, event, event.payload) for event in batch)
        for batch in batches(sent)
    ]
    tables = {
        "bare table": "CREATE UNLOGGED TABLE copied (LIKE events)",
        "same table": "CREATE TABLE copied (LIKE events INCLUDING ALL)",
    }
    rates = {}
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for name, create in tables.items():
            connection.execute("DROP TABLE IF EXISTS copied")
            connection.execute(create)
            connection.commit()
            begin = time.perf_counter()
            for buffer in buffers:
                with connection.cursor().copy(COPY) as stream:
                    stream.write(buffer)
                connection.commit()
            elapsed = time.perf_counter() - begin
            [count] = connection.execute("SELECT count(*) FROM copied").fetchone() or [0]
            rates[name] = count / elapsed
    return rates


def raw_sqlite(folder: Path, sent: list[WireEvent]) -> dict[str, float]:
    """Write the same rows by `executemany` into a bare table; return rows a second."""
    ids = new_id().hex, 1, new_id().hex
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE bare (a, b, c, d, e, f, g, h, i, j, k)")
        rows = [
            [(*ids, *msgspec.structs.astuple(event)) for event in batch] for batch in batches(sent)
        ]
        begin = time.perf_counter()
        for batch in rows:
            connection.execute("BEGIN")
            connection.executemany(f"INSERT INTO bare VALUES ({'?,' * 10}?)", batch)
            connection.execute("COMMIT")
        return {"bare table": len(sent) / (time.perf_counter() - begin)}


def batches(sent: list[WireEvent]) -> Iterator[list[WireEvent]]:
    for start in range(0, len(sent), RAW_BATCH):
        yield sent[start : start + RAW_BATCH]


def database_pids(database: Database) -> list[int]:
    """Return PostgreSQL's processes; SQLite has none of its own."""
    if not database.is_postgres:
        return []
    with database.read() as connection:
        return list(connection.execute(text("SELECT pid FROM pg_stat_activity")).scalars())


def cpu_s(pids: list[int]) -> float:
    """Return the CPU time of these processes so far, user and system."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_S


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def report(
    options: argparse.Namespace,
    sent: int,
    spent: Spent,
    memory: float,
    raw: dict[str, float],
) -> None:
    rate = sent / spent.elapsed
    lines = {
        "acknowledged events/s": f"{rate:,.0f}   {rate / NEEDED[options.database]:.1f}x the need,"
        f" {rate / AIMED[options.database]:.2f}x the aim",
        "server CPU, µs/event": f"{spent.server / sent * 1e6:.1f}",
        "database CPU, µs/event": f"{spent.database / sent * 1e6:.1f}",
        "server resident, MiB": f"{memory:.0f}",
    }
    for name, raw_rate in raw.items():
        lines[f"raw rows/s, {name}"] = f"{raw_rate:,.0f}   ours is {rate / raw_rate:.1%} of it"
    if spent.waits:
        cuts = statistics.quantiles(spent.waits, n=100)
        lines["ack p50 / p99, ms"] = f"{cuts[49] * 1000:.1f} / {cuts[98] * 1000:.1f}"
    print(
        f"{options.database}: {sent} events over {options.links} links,"
        f" {options.per_frame} a frame, in {spent.elapsed:.1f} s"
    )
    for what, figure in lines.items():
        print(f"{what:>24}: {figure}")


if __name__ == "__main__":
    main()
