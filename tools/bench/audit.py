"""How long the proof of the audit log takes: `python tools/bench/audit.py --database sqlite`.

Fills a fresh database with the rows of one project's chain, as the server would write them, and
measures how long it takes to verify them (told for 1,000,000), the peak of the process's memory
over what it had before, and how long one recorded change takes.
"""

from __future__ import annotations

import argparse
import resource
import time
import uuid
from multiprocessing import get_context

import msgspec
from figures import Figure, add_option, tell
from rollups import a_database
from sqlalchemy import insert

from z4j_brain.audit.author import Actor, Author, Target
from z4j_brain.audit.encoding import START, head_of, key_id, row_mac
from z4j_brain.audit.proof import prove
from z4j_brain.audit.recording import begin, record
from z4j_brain.keys import Keys
from z4j_brain.store import audit, migrate, projects
from z4j_brain.store.audit import AuditRow
from z4j_brain.store.database import Database
from z4j_brain.store.schema import audit as table

KEYS = Keys(b"m" * 40, b"s" * 40)
START_US = 1_700_000_000_000_000
BATCH = 5_000
AFTER = (
    '{"command":"01890a5d-ac96-774b-bcce-b302099a8057","engine":"celery","params":{"delay_s":5}}'
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the proof of the audit log.")
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--rows", type=int, default=1_000_000)
    add_option(parser)
    options = parser.parse_args()
    with a_database(options.database) as url:
        database = Database(url, statement_timeout_ms=0)
        migrate.upgrade(database)
        with database.write() as connection:
            project_id = projects.create(connection, name="Bench", now=START_US).id
            begin(connection, KEYS)
        # In a process of its own: what it needs must not hide what verifying needs.
        filling = get_context("spawn").Process(target=fill, args=(url, project_id, options.rows))
        filling.start()
        filling.join()
        figures = [*verify(database, options.rows), append(database, project_id)]
        database.close()
    told = [Figure(f"{one.key}_{options.database}", one.value) for one in figures]
    tell(f"{options.database}: {options.rows:,} rows of the audit log", told, options.json)


def fill(url: str, chain: uuid.UUID, number: int) -> None:
    """Write a good chain, faster than one change after the other."""
    database = Database(url, statement_timeout_ms=0)
    key = KEYS.audit_key(chain)
    previous, name = START, key_id(key)
    for first in range(1, number + 1, BATCH):
        batch = []
        for place in range(first, min(first + BATCH, number + 1)):
            row = _row(chain, place, name, previous)
            previous = row_mac(key, row)
            batch.append(msgspec.structs.asdict(msgspec.structs.replace(row, mac=previous)))
        with database.write() as connection:
            connection.execute(insert(table), batch)
    with database.write() as connection:
        audit.set_head(connection, head_of(key, chain, number, previous))
    database.close()


def _row(chain: uuid.UUID, number: int, key_name: str, previous: bytes) -> AuditRow:
    return AuditRow(
        chain=chain,
        number=number,
        at=START_US + number * 1_000,
        actor_kind="person",
        actor_id="01890a5d-ac96-774b-bcce-b302099a8058",
        actor_name=f"person{number % 40}@example.org",
        action="command.retry",
        object_kind="task",
        object_id=f"{number:032x}",
        object_name="app.tasks.send_invoice",
        before=None,
        after=AFTER,
        address="192.0.2.7",
        request_id=f"{number:016x}",
        key_id=key_name,
        previous=previous,
        mac=b"",
    )


def verify(database: Database, number: int) -> list[Figure]:
    """Verify everything; return time, CPU and memory."""
    before = _peak_mib()
    began, cpu = time.perf_counter(), time.process_time()
    proofs = list(prove(database, [KEYS]))
    took, cpu = time.perf_counter() - began, time.process_time() - cpu
    if any(proof.broken for proof in proofs) or sum(p.report.rows for p in proofs) != number + 1:
        raise SystemExit(f"the log should be whole: {proofs}")
    return [
        Figure("audit_verify", took / number * 1e6),
        Figure("audit_verify_cpu", cpu / number * 1e6),
        Figure("audit_verify_memory", _peak_mib() - before),
    ]


def append(database: Database, project_id: uuid.UUID) -> Figure:
    """Return what one recorded change adds to its transaction."""
    author = Author(KEYS, Actor("person", uuid.UUID(int=1), "ada@example.org"))
    target, times = Target("agent", "a", "billing"), 200
    began = time.perf_counter()
    with database.write() as connection:
        for _ in range(times):
            record(connection, author, "agent.created", target, project_id=project_id)
    return Figure("audit_record", (time.perf_counter() - began) / times * 1_000)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
