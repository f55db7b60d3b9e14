"""How many events a second a server stores: `python tools/bench/ingest.py --database postgresql`.

Starts a real server in a process of its own on a fresh database, opens synthetic links, sends task
lives of four events as fast as they are acknowledged, and prints the acknowledged events a second
and what each cost the server's CPU. In the same run, the driver alone writes the same rows (binary
COPY into a table like ours and into bare ones; `executemany` for SQLite), and
the ratio is printed. With `--rate` it measures the delay of acknowledgements instead, against what
one such commit costs the database alone. Exits with 1 when something is missing in the record.

Links run on one core and everything else on another, unless there is only one. Takes about half a
minute. `--profile FILE` writes a profile of the server's two threads by cProfile.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from drivers import commit_delays_s, rows_per_s, sync_delays_s
from figures import Figure, add_option, delays, quantile, tell
from machine import CLIENT, SERVER, cpu_s, pin, resident_mib
from sqlalchemy import func, select
from stand import DATABASES, Stand, stand
from synthetic import SyntheticLink, make_events

from z4j_brain.store.database import Database
from z4j_brain.store.schema import events, rollups, tasks
from z4j_core.events import Kind, WireEvent


class Spent(msgspec.Struct):
    """What delivering everything took, in seconds: of the clock, and of CPU on both sides."""

    elapsed: float
    server: float
    database: float
    waits: list[float] = []


def main() -> None:
    """Measure and print."""
    options = read_options()
    program = []
    if options.profile is not None:
        program = [str(Path(__file__).with_name("profiled.py")), str(options.profile)]
    with stand(options.database, program=program) as built:
        measure(options, built)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure how many events a second are stored.")
    parser.add_argument("--database", choices=DATABASES, default="postgresql")
    parser.add_argument("--events", type=int, default=60_000)
    parser.add_argument("--links", type=int, default=4)
    parser.add_argument("--per-frame", type=int, default=50)
    parser.add_argument("--rate", type=int, default=0, help="events a second; 0 is no limit")
    parser.add_argument("--profile", type=Path)
    add_option(parser)
    return parser.parse_args()


def measure(options: argparse.Namespace, built: Stand) -> None:
    """Send everything, check the record, and compare with the driver alone."""
    credential = built.credential()
    share, now = options.events // options.links, time.time_ns() // 1_000
    made = [make_events(share, now) for _ in range(options.links)]
    links = [
        SyntheticLink(built.link_url, credential, f"w{number}", batch, options.per_frame)
        for number, batch in enumerate(made)
    ]
    spent = asyncio.run(drive(links, built, options))
    memory = resident_mib(built.pid)
    sent = list(itertools.chain.from_iterable(made))
    missing = check(built.database, sent)
    pin(SERVER)
    figures = of_rate(options, built, sent, spent) if options.rate else []
    if not options.rate:
        figures = of_speed(options, built, sent, spent)
    pin(CLIENT)
    tell(
        f"{options.database}: {len(sent):,} events over {options.links} links,"
        f" {options.per_frame} a frame, in {spent.elapsed:.1f} s",
        [*figures, Figure(f"ingest_resident_{options.database}", memory)],
        options.json,
    )
    if missing:
        raise SystemExit(f"the record is not what was sent: {missing}")


async def drive(links: Sequence[SyntheticLink], built: Stand, options: argparse.Namespace) -> Spent:
    """Deliver everything, as fast as it goes or at a steady rate."""
    for link in links:
        await link.open()
        if not options.rate:
            link.load()
    pace = options.rate / options.per_frame / options.links
    others = built.database_pids()
    server, behind = cpu_s([built.pid]), cpu_s(others)
    begin = time.perf_counter()
    await asyncio.gather(
        *(
            link.deliver_at(pace, number / len(links)) if pace else link.deliver()
            for number, link in enumerate(links)
        )
    )
    spent = Spent(time.perf_counter() - begin, cpu_s([built.pid]) - server, cpu_s(others) - behind)
    for link in links:
        await link.close()
        spent.waits += link.waits
    return spent


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


def of_speed(
    options: argparse.Namespace, built: Stand, sent: list[WireEvent], spent: Spent
) -> list[Figure]:
    """Return the rate, its cost, and its share of what the driver alone does."""
    rate, database = len(sent) / spent.elapsed, options.database
    figures = [
        Figure(f"ingest_rate_{database}", rate),
        Figure(f"ingest_cpu_{database}", spent.server / len(sent) * 1e6),
    ]
    if spent.database:
        figures.append(Figure("ingest_database_cpu", spent.database / len(sent) * 1e6))
    alone = rows_per_s(built.database_url, built.folder, sent)
    figures.append(Figure(f"ingest_share_bare_{database}", 100 * rate / alone["bare"]))
    if "same" in alone:
        figures.append(Figure("ingest_share_same", 100 * rate / alone["same"]))
    return figures


def of_rate(
    options: argparse.Namespace, built: Stand, sent: list[WireEvent], spent: Spent
) -> list[Figure]:
    """Return how long acknowledgements took, and what the database alone takes for a commit."""
    suffix = f"_{options.database}"
    alone = commit_delays_s(built.database_url, built.folder, sent, options.per_frame)
    return [
        *delays("ack", spent.waits, suffix),
        Figure(f"ack_p99.9{suffix}", quantile(spent.waits, 0.999) * 1_000),
        *delays("floor_commit", alone, suffix),
        *delays("floor_sync", sync_delays_s(built.folder)),
        Figure(f"ack_cpu{suffix}", spent.server / len(sent) * 1e6),
    ]


if __name__ == "__main__":
    main()
