"""A steady load for a long time: `python -m tests.faults.soak --minutes 10 --rate 5000`.

Starts a real server with everything on, sends task lives at a steady rate over several links, and
looks every second at the server's memory, at how long the oldest frame waits, and at the delay of
the acknowledgements. Prints a line every ten seconds, and at the end whether memory was flat: its
mean over the last quarter against that over the second one (the first is the warm-up). Exits with
1 when it moved by more than 5 %, when events are missing, or when the log holds an error.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast

import msgspec
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "tools/bench"))

from synthetic import SyntheticLink, make_events

from faults.databases import SECRETS, migrate, seed
from faults.server import ServerProcess
from services.ports import HOST
from services.postgres import running_postgres
from z4j_brain.store.database import Database
from z4j_brain.store.schema import events
from z4j_core.credential import Credential
from z4j_core.events import WireEvent

FLAT = 0.05
PER_FRAME = 64
"""Events: twice eight whole lives."""
METRICS_TOKEN = "soak-" + "x" * 40
LAG = "z4j_ingest_oldest_wait_seconds"


class Sample(msgspec.Struct):
    """One second: resident memory of the server in MiB, and the wait of the oldest frame in s."""

    resident: float
    lag: float


class Watcher(threading.Thread):
    """Samples the server every second until `stop`."""

    def __init__(self, server: ServerProcess) -> None:
        super().__init__(daemon=True)
        self.samples: list[Sample] = []
        self.links: list[SyntheticLink] = []
        self._server = server
        self._is_over = threading.Event()

    @property
    def waits(self) -> list[float]:
        """The delays of all acknowledgements so far, in seconds."""
        return [wait for link in self.links for wait in list(link.waits)]

    def run(self) -> None:
        """Sample, and print a line every ten seconds."""
        while not self._is_over.wait(1.0):
            self.samples.append(Sample(resident_mib(self._server.pid), lag_s(self._server)))
            if len(self.samples) % 10 == 0:
                last = self.samples[-1]
                print(
                    f"{len(self.samples):>5} s  {last.resident:7.1f} MiB  lag {last.lag:5.2f} s  "
                    f"ack p99 {percentile(self._latest(), 99) * 1_000:6.1f} ms",
                    flush=True,
                )

    def _latest(self) -> list[float]:
        return [wait for link in self.links for wait in link.waits[-500:]]

    def stop(self) -> None:
        """End."""
        self._is_over.set()
        self.join()


def resident_mib(pid: int) -> float:
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def lag_s(server: ServerProcess) -> float:
    """Return how long the oldest frame has waited, as the server itself says."""
    connection = HTTPConnection(HOST, server.port, timeout=10)
    try:
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    for line in text.splitlines():
        if line.startswith(LAG):
            return float(line.rpartition(" ")[2])
    raise SystemExit(f"/metrics has no {LAG}")


def percentile(values: list[float], cut: int) -> float:
    """Return a percentile; 0 of too few values."""
    return statistics.quantiles(values, n=100)[cut - 1] if len(values) > 1 else 0.0


class Batches(Sequence[list[WireEvent]]):
    """Frames of task lives, made when they are sent, so that this process stays small too."""

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._size = size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if index >= self._count:
            raise IndexError(index)
        return make_events(self._size, time.time_ns() // 1_000)


async def load(
    url: str, credential: Credential, options: argparse.Namespace, watcher: Watcher
) -> int:
    """Send at the rate for as long as was asked; return how many events were sent."""
    pace = options.rate / PER_FRAME / options.links
    count = int(pace * options.minutes * 60)
    links = []
    for number in range(options.links):
        link = SyntheticLink(url, credential, f"soak-{number}", [], PER_FRAME)
        link._batches = cast("list[list[WireEvent]]", Batches(count, PER_FRAME))
        links.append(link)
        await link.open()
    watcher.links = links
    await asyncio.gather(*(link.deliver_at(pace) for link in links))
    for link in links:
        await link.close()
    return count * PER_FRAME * len(links)


def report(watcher: Watcher, sent: int, stored: int, complaints: list[str]) -> int:
    """Print what was seen; 0 when all of it is as it must be."""
    resident = [sample.resident for sample in watcher.samples]
    quarter = max(1, len(resident) // 4)
    early = statistics.mean(resident[quarter : 2 * quarter] or resident)
    late = statistics.mean(resident[-quarter:])
    change = late / early - 1
    slope = statistics.linear_regression(range(len(resident[quarter:])), resident[quarter:]).slope
    print(f"events sent and stored: {sent:,} and {stored:,}")
    print(
        f"memory: {early:.1f} MiB in the second quarter, {late:.1f} in the last: {change:+.1%} "
        f"({slope * 60:+.2f} MiB a minute after the warm-up), greatest {max(resident):.1f}"
    )
    print(f"lag: greatest {max(sample.lag for sample in watcher.samples):.2f} s")
    cuts = [percentile(watcher.waits, cut) * 1_000 for cut in (50, 99)]
    print(f"acknowledgements: p50 {cuts[0]:.1f} ms, p99 {cuts[1]:.1f} ms")
    print(f"errors in the log: {len(complaints)}", *complaints[:5], sep="\n  ")
    return 1 if abs(change) > FLAT or sent != stored or complaints else 0


def count_events(url: str) -> int:
    """Return how many events are recorded."""
    database = Database(url)
    try:
        with database.read() as connection:
            return int(connection.execute(select(func.count()).select_from(events)).scalar_one())
    finally:
        database.close()


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=5_000, help="events a second (5000)")
    parser.add_argument("--links", type=int, default=4)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if options.database == "postgresql":
            url = stack.enter_context(running_postgres(fsync=True)).create_database()
        else:
            url = f"sqlite:///{folder / 'z4j.db'}"
        migrate(url, folder)
        credential = seed(url)
        environment = {"Z4J_DATABASE_URL": url, "Z4J_METRICS_TOKEN": METRICS_TOKEN}
        server = ServerProcess(folder, {**SECRETS, **environment})
        server.start()
        stack.callback(server.kill)
        server.wait_until_ready()
        watcher = Watcher(server)
        watcher.start()
        address = f"ws://{HOST}:{server.port}/ws"
        sent = asyncio.run(load(address, credential, options, watcher))
        watcher.stop()
        server.stop()
        complaints = [str(one) for one in server.complaints()]
        return report(watcher, sent, count_events(url), complaints)


if __name__ == "__main__":
    sys.exit(main())
