"""What a full record costs: `python tools/bench/growth.py --events 2000000`.

Measures the rate of acknowledged events on an empty database, fills it with events and their tasks
over eight days, measures the rate again, and then lets retention work under a steady load of
events: it drops the oldest day's partition and deletes old tasks (SQLite: old events and tasks)
while the delay of acknowledgements is taken. One minute for 1,000,000 events, PostgreSQL four for
10,000,000.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable

from figures import Figure, add_option, quantile, tell
from machine import CLIENT, SERVER, cpu_s, pin
from seeding import DAY_US, EVENTS_A_TASK, seed_events, seed_tasks
from sqlalchemy import delete, text
from stand import DATABASES, Stand, stand
from synthetic import SyntheticLink, make_events

from z4j_brain.reconcile.counters import Counters
from z4j_brain.reconcile.retention import RULES
from z4j_brain.reconcile.steps import Steps
from z4j_brain.settings import Settings
from z4j_brain.store.schema import events
from z4j_core.credential import Credential

DAYS = 8
KEPT_DAYS = 6
LINKS = 4
PER_FRAME = 50
SPRINT = 40_000
PACE = 3_000
CALM_S = 6.0
"""How long acknowledgements are measured with and without retention."""
SIZE = {
    "postgresql": "SELECT pg_database_size(current_database())",
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
}


class Load:
    """Links with new worker ids each time; all their events are made before time is taken."""

    def __init__(self, built: Stand, credential: Credential) -> None:
        self._built = built
        self._credential = credential
        self._names = (f"w{number}" for number in itertools.count())

    async def sprint(self) -> tuple[float, float]:
        """Return how many events a second are acknowledged, and the CPU seconds of one."""
        links = await self._links(SPRINT)
        for link in links:
            link.load()
        pids = [self._built.pid, *self._built.database_pids()]
        begin, before = time.perf_counter(), cpu_s(pids)
        await asyncio.gather(*(link.deliver() for link in links))
        elapsed, spent = time.perf_counter() - begin, cpu_s(pids) - before
        await self._close(links)
        return SPRINT / elapsed, spent / SPRINT

    async def walk(self, meanwhile: Callable[[], Awaitable[object]]) -> list[float]:
        """Send at a steady pace while something else is done; return the delays in seconds."""
        links = await self._links(round(PACE * CALM_S))
        pace = PACE / PER_FRAME / LINKS
        sending = asyncio.gather(
            *(link.deliver_at(pace, number / LINKS) for number, link in enumerate(links))
        )
        await asyncio.sleep(CALM_S / 10)
        await meanwhile()
        await sending
        await self._close(links)
        return [wait for link in links for wait in link.waits]

    async def _links(self, count: int) -> list[SyntheticLink]:
        now = time.time_ns() // 1_000
        links = [
            SyntheticLink(
                self._built.link_url,
                self._credential,
                next(self._names),
                make_events(count // LINKS, now),
                PER_FRAME,
            )
            for _ in range(LINKS)
        ]
        await asyncio.gather(*(link.open() for link in links))
        return links

    async def _close(self, links: list[SyntheticLink]) -> None:
        await asyncio.gather(*(link.close() for link in links))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what a full record costs.")
    parser.add_argument("--database", choices=DATABASES, default="postgresql")
    parser.add_argument("--events", type=int, default=2_000_000)
    add_option(parser)
    options = parser.parse_args()
    # The server keeps everything: retention is this program's, at its own moment.
    keep = {"Z4J_EVENT_RETENTION_DAYS": "0", "Z4J_TASK_RETENTION_DAYS": "0"}
    with stand(options.database, settings=keep) as built:
        figures = asyncio.run(measure(built, options))
    tell(f"{options.database}: {options.events:,} events", figures, options.json)


async def measure(built: Stand, options: argparse.Namespace) -> list[Figure]:
    """Sprint, fill, sprint again, and let retention work."""
    suffix = f"_{options.database}"
    load = Load(built, built.credential())
    await load.sprint()  # warms up
    first = await load.sprint()
    empty = size(built)
    fill(built, options.events)
    grown = size(built) - empty
    last = await load.sprint()
    calm = await load.walk(nothing)
    return [
        Figure(f"growth_start{suffix}", first[0]),
        Figure(f"growth_end{suffix}", last[0]),
        Figure(f"growth_cpu_start{suffix}", first[1] * 1e6),
        Figure(f"growth_cpu_end{suffix}", last[1] * 1e6),
        Figure(f"growth_kept{suffix}", 100 * first[1] / last[1]),
        Figure(f"growth_bytes{suffix}", grown / options.events),
        Figure(f"growth_ack_before{suffix}", quantile(calm, 0.99) * 1_000),
        *await retention(built, load, suffix),
    ]


def fill(built: Stand, count: int) -> None:
    """Write events and tasks of the days before today."""
    if not built.database.is_postgres:
        with built.database.write() as connection:  # there, the oldest event is the first row
            connection.execute(delete(events))
    begin, midnight = time.perf_counter(), time.time_ns() // 1_000 // DAY_US * DAY_US
    pin(SERVER)
    days = [midnight - ago * DAY_US for ago in range(DAYS, 0, -1)]
    project_id = built.project_id()
    seed_events(built.database, project_id, count, days)
    seed_tasks(built.database, project_id, count // EVENTS_A_TASK, float(DAYS), midnight)
    pin(CLIENT)
    print(f"{count:,} events and their tasks in {time.perf_counter() - begin:.0f} s", flush=True)


def size(built: Stand) -> int:
    """Return the bytes of the database."""
    kind = "postgresql" if built.database.is_postgres else "sqlite"
    with built.database.read() as connection:
        return int(connection.execute(text(SIZE[kind])).scalar_one())


async def retention(built: Stand, load: Load, suffix: str) -> list[Figure]:
    """Remove what is older than `KEPT_DAYS` under load; return what it takes."""
    settings = Settings(event_retention_days=KEPT_DAYS, task_retention_days=KEPT_DAYS)
    counters = Counters()
    steps = Steps(built.database, settings, counters)
    rules = {rule.table.name: rule for rule in RULES}
    took = 0.0

    async def remove_events() -> None:
        nonlocal took
        begin = time.perf_counter()
        if built.database.is_postgres:
            await steps.drop_partitions(rules["events"])
        else:
            await steps.remove_rows(rules["events"])
        took = time.perf_counter() - begin

    waits = await load.walk(remove_events)
    figures = []
    if built.database.is_postgres:
        figures.append(Figure("growth_drop", took / counters.partitions_dropped))
        figures.append(Figure("growth_ack_drop", max(waits) * 1_000))
    waits = await load.walk(lambda: steps.remove_rows(rules["tasks"]))
    print(f"rows deleted: {counters.deleted}", flush=True)
    return [*figures, Figure(f"growth_ack_tasks{suffix}", quantile(waits, 0.99) * 1_000)]


async def nothing() -> None:
    """Leave the load alone."""


if __name__ == "__main__":
    main()
