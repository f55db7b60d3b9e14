"""What an idle link costs the server: `python tools/bench/idle_links.py --links 1000`.

Opens links that only send heartbeats, in a process of its own, and prints the server's resident
memory and CPU time for each. The memory of the first links, which warm up caches, is not counted.
About half a minute for 1,000 links, a minute and a half for 5,000, which need a limit of 5,500 open
files (`ulimit -Hn`).
"""

from __future__ import annotations

import argparse
import asyncio
import time

from figures import Figure, add_option, tell
from machine import allow_files, cpu_s, resident_mib
from stand import DATABASES, Stand, stand
from synthetic import SyntheticLink

from z4j_core.link import HEARTBEAT_S

WARM_UP = 50
AT_ONCE = 20
SETTLE_S = 4.0
SPARE_FILES = 400


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure what idle links cost the server.")
    parser.add_argument("--database", choices=DATABASES, default="postgresql")
    parser.add_argument("--links", type=int, choices=(1_000, 5_000), default=1_000)
    parser.add_argument("--seconds", type=float, default=15.0, help="of idling with heartbeats")
    add_option(parser)
    options = parser.parse_args()
    needed = options.links + WARM_UP + SPARE_FILES
    if allow_files(needed) < needed:
        raise SystemExit(f"{needed} files must be open at once; raise the hard limit (ulimit -Hn)")
    with stand(options.database) as built:
        time.sleep(SETTLE_S)
        idle = Figure("idle_resident", resident_mib(built.pid))
        figures = asyncio.run(measure(built, options.links, options.seconds))
    title = f"{options.database}: {options.links} idle links"
    tell(title, [idle, *figures], options.json)


async def measure(built: Stand, count: int, seconds: float) -> list[Figure]:
    """Open the links and let them idle."""
    credential = built.credential()
    links = [
        SyntheticLink(built.link_url, credential, f"w{number}", [], 1)
        for number in range(WARM_UP + count)
    ]
    await open_all(links[:WARM_UP], [])
    await asyncio.sleep(SETTLE_S)
    before = resident_mib(built.pid)
    begin = time.perf_counter()
    await open_all(links[WARM_UP:], links[:WARM_UP])
    opened_in = time.perf_counter() - begin
    await asyncio.sleep(SETTLE_S)
    held = resident_mib(built.pid) - before
    cpu = await idle(built, links, seconds)
    await asyncio.gather(*(link.close() for link in links))
    return [
        Figure(f"idle_link_{count}", held * 1024 / count),
        Figure(f"idle_open_{count}", count / opened_in),
        Figure(f"idle_cpu_{count}", 100 * cpu / seconds),
    ]


async def open_all(links: list[SyntheticLink], connected: list[SyntheticLink]) -> None:
    """Connect, a few at once; whoever is connected already goes on with heartbeats."""
    waiting, opened = iter(links), list(connected)

    async def connect() -> None:
        for link in waiting:
            await link.open()
            opened.append(link)

    async def stay() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S / 2)
            for link in tuple(opened):
                await link.beat()

    staying = asyncio.create_task(stay())
    await asyncio.gather(*(connect() for _ in range(AT_ONCE)))
    staying.cancel()


async def idle(built: Stand, links: list[SyntheticLink], seconds: float) -> float:
    """Send every link's heartbeats in turn; return the server's CPU seconds."""
    spent, begin = cpu_s([built.pid]), time.perf_counter()
    each = HEARTBEAT_S / len(links)
    for number in range(int(seconds / each)):
        await asyncio.sleep(begin + number * each - time.perf_counter())
        await links[number % len(links)].beat()
    return cpu_s([built.pid]) - spent


if __name__ == "__main__":
    main()
