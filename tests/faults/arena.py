"""One run: a server, its database, two proxies, emitters, and everything that happens to them."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from faults.databases import SECRETS, Lock, Template, postgres_port, through
from faults.processes import UNLIMITED, EmitterProcess, limit_files, sweep
from faults.proxy import Proxy
from faults.record import read_record
from faults.repeater import Repeater, misbehave
from faults.schedule import DURATION_S, OF_THE_DATABASE, Fault, Schedule
from faults.server import Complaint, ServerProcess
from faults.truth import Truth, process_of
from faults.verdict import Verdict, judge
from services.ports import HOST

LEAST_EVENTS = 100
STARTS_WITHIN_S = 60.0
AWAY = ("psycopg.", "sqlite3.OperationalError", "sqlalchemy.exc.")
"""With these an error's traceback may end in a run in which the database is away."""


class Arena:
    """What one schedule runs in. For the thread that made it."""

    def __init__(self, schedule: Schedule, template: Template, folder: Path) -> None:
        self.schedule = schedule
        self.template = template
        self.folder = folder
        self.url = template.copy(folder)
        self.truth = Truth()
        self.lock = Lock(self.url)
        self.database_proxy: Proxy | None = None
        url = self.url
        if template.postgres is not None:
            self.database_proxy = Proxy(postgres_port(self.url))
            url = through(self.url, self.database_proxy)
        self.server = ServerProcess(folder, {**SECRETS, "Z4J_DATABASE_URL": url})
        self.link_proxy = Proxy(self.server.port)
        self.agent_environment = {
            "Z4J_URL": f"http://{HOST}:{self.link_proxy.port}",
            "Z4J_TOKEN": template.credential.token(),
            "Z4J_SPOOL_DIR": str(folder / "spool"),
        }
        self.emitters = [
            EmitterProcess(spec, self.agent_environment, folder, self.truth)
            for spec in schedule.emitters
        ]
        self._repeaters: list[threading.Thread] = []
        self._troubles: list[str] = []

    def run(self) -> Verdict:
        """Run the schedule and return what came of it."""
        with self.open():
            self.start_emitters()
            self._play()
            self.drain()
            verdict = self.judge()
        if verdict.events < LEAST_EVENTS:
            verdict.troubles.append(f"only {verdict.events} events: this run proves nothing")
        return verdict

    def start_emitters(self) -> None:
        """Start all and wait until each has emitted, so that faults meet something at work."""
        for emitter in self.emitters:
            emitter.start()
        waiting = {emitter.name for emitter in self.emitters}
        deadline = time.monotonic() + STARTS_WITHIN_S
        while waiting and time.monotonic() < deadline:
            time.sleep(0.02)
            waiting -= {process_of(task_id) for _, task_id, _ in list(self.truth.accepted)}

    @contextmanager
    def open(self) -> Iterator[None]:
        """Start the proxies and the server; afterwards end whatever still runs."""
        with ExitStack() as stack:
            stack.enter_context(self.link_proxy)
            if self.database_proxy is not None:
                stack.enter_context(self.database_proxy)
            stack.callback(self._tear_down)
            self.server.start()
            self.server.wait_until_ready()
            yield

    def drain(self) -> None:
        """Heal everything, let the emitters end, have every spool sent."""
        self._heal()
        self.server.start()
        self.server.wait_until_ready()
        # Not before: who keeps events in memory only and ends while the server is away loses them.
        for emitter in self.emitters:
            emitter.ask_to_end()
        self._troubles += [said for one in self.emitters if (said := one.wait()) is not None]
        for thread in self._repeaters:
            thread.join()
        spools = self.folder / "spool"
        if any(spools.glob("[!.]*")) and not sweep(self.agent_environment, self.folder):
            left = [path.name for path in spools.iterdir()]
            self._troubles.append(f"spools that nobody sent: {left}")
        status, text = self.server.readiness()
        if status != 200:
            self._troubles.append(f"not ready at the end: {status} {text}")

    def judge(self, *more: str) -> Verdict:
        """End the server in good order and compare what it recorded with the truth.

        `more` are faults that happened beside those of the schedule.
        """
        code = self.server.stop()
        if code:
            self._troubles.append(f"the server ended with {code}: {self.server.tail()}")
        verdict = judge(self.truth, read_record(self.url))
        verdict.troubles += self._troubles
        verdict.troubles += [f"in the log: {one}" for one in self._unexpected(more)]
        return verdict

    def _play(self) -> None:
        begin = time.monotonic()
        for at, action in self._timeline():
            time.sleep(max(0.0, begin + at - time.monotonic()))
            action()
        time.sleep(max(0.0, begin + DURATION_S - time.monotonic()))

    def _timeline(self) -> list[tuple[float, Callable[[], None]]]:
        moments: list[tuple[float, Callable[[], None]]] = []
        for fault in self.schedule.faults:
            start, end = self._actions(fault)
            moments.append((fault.at, start))
            if end is not None:
                moments.append((fault.at + fault.for_s, end))
        return sorted(moments, key=lambda moment: moment[0])

    def _actions(self, fault: Fault) -> tuple[Callable[[], None], Callable[[], None] | None]:
        """Return what begins a fault and what ends it."""
        emitter = self.emitters[fault.target]
        links, behind = self.link_proxy, self.database_proxy or self.link_proxy
        table: dict[str, tuple[Callable[[], None], Callable[[], None] | None]] = {
            "server_killed": (self.server.kill, self.server.start),
            "emitter_killed": (emitter.kill, emitter.start),
            "child_killed": (emitter.kill_child, None),
            "link_reset": (links.cut, None),
            "link_closed": (lambda: links.cut(politely=True), None),
            "link_delayed": (lambda: links.delay(fault.amount), links.heal),
            "link_throttled": (lambda: links.throttle(int(fault.amount)), links.heal),
            "link_stalled": (links.stall, links.heal),
            "link_half_open": (links.swallow, links.heal),
            "frames_repeated": (self._repeat, None),
            "spool_full": (emitter.fill_disk, emitter.free_disk),
            "database_locked": (self.lock.take, self.lock.give_back),
            "database_full": (self._fill_disk, self._free_disk),
            "backends_terminated": (self._terminate_backends, None),
            "postgres_stopped": (self.stop_postgres, self.start_postgres),
            "database_reset": (behind.cut, None),
            "database_delayed": (lambda: behind.delay(fault.amount / 10), behind.heal),
            "database_half_open": (behind.swallow, behind.heal),
        }
        return table[fault.kind]

    def _heal(self) -> None:
        self.lock.give_back()
        self.start_postgres()
        self._free_disk()
        for proxy in (self.link_proxy, self.database_proxy):
            if proxy is not None:
                proxy.heal()
        for emitter in self.emitters:
            emitter.free_disk()

    def _tear_down(self) -> None:
        self.lock.give_back()
        self.server.kill()
        for emitter in self.emitters:
            emitter.kill()
        self.start_postgres()
        self.template.drop(self.url)

    def _unexpected(self, more: Iterable[str]) -> list[Complaint]:
        complaints = self.server.complaints()
        if self.schedule.has(*OF_THE_DATABASE) or OF_THE_DATABASE.intersection(more):
            complaints = [one for one in complaints if not _is_of_the_database(one)]
        return complaints

    def _repeat(self) -> None:
        name = f"repeater{len(self._repeaters)}"
        url = self.agent_environment["Z4J_URL"]
        repeater = Repeater(url, self.template.credential, name, self.truth)

        def work() -> None:
            try:
                asyncio.run(misbehave(repeater))
            except TimeoutError as error:
                self._troubles.append(f"{name}: {error}")

        self._repeaters.append(threading.Thread(target=work, name=name, daemon=True))
        self._repeaters[-1].start()

    def _fill_disk(self) -> None:
        if self.server.process is not None and self.server.process.poll() is None:
            limit_files(self.server.pid, 1)

    def _free_disk(self) -> None:
        if self.server.process is not None and self.server.process.poll() is None:
            limit_files(self.server.pid, UNLIMITED)

    def _terminate_backends(self) -> None:
        postgres = self.template.postgres
        if postgres is None or not postgres.is_running:
            return
        where = self.url.replace("+psycopg", "").rpartition("/")[0] + "/postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                [self.url.rpartition("/")[2]],
            )

    def stop_postgres(self) -> None:
        """Crash the database server."""
        if self.template.postgres is not None and self.template.postgres.is_running:
            self.template.postgres.stop("immediate")

    def start_postgres(self) -> None:
        """Start it again on the same data and port."""
        if self.template.postgres is not None and not self.template.postgres.is_running:
            self.template.postgres.start()


def _is_of_the_database(complaint: Complaint) -> bool:
    last = complaint.exception.strip().rpartition("\n")[2] or complaint.message
    return any(word in complaint.exception for word in AWAY) or "database" in last


def run_schedule(schedule: Schedule, template: Template) -> Verdict:
    """Run in a folder of its own; it is left there when something did not hold."""
    folder = Path(mkdtemp(prefix=f"z4j-faults-{schedule.database}-{schedule.seed}-"))
    verdict = Arena(schedule, template, folder).run()
    if verdict.troubles:
        verdict.troubles.append(f"logs and data are in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return verdict
