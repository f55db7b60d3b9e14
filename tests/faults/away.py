"""PostgreSQL is gone for a while: `python -m tests.faults.away --seconds 120`.

Emitters go on, the server answers `/readyz` with 503 and the reason, and after the return
everything is recorded. Prints what happened; exits with 1 when something did not hold.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.arena import Arena
from faults.databases import Template
from faults.schedule import Emitter, Schedule
from faults.verdict import Verdict
from services.postgres import running_postgres

EMITTERS = [Emitter("w0", 600, 0, 0), Emitter("w1", 300, 2, 0), Emitter("w2", 300, 0, 0)]
OUTAGE = "postgres_stopped"


def stop_for(arena: Arena, seconds: float) -> list[tuple[int, str]]:
    """Stop PostgreSQL for so long under load; return what `/readyz` said meanwhile."""
    arena.start_emitters()
    time.sleep(1.0)
    arena.stop_postgres()
    ends = time.monotonic() + seconds
    said = []
    while time.monotonic() < ends:
        said.append(arena.server.readiness())
        time.sleep(0.25)
    arena.start_postgres()
    return said


def main() -> int:
    """Run it once and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.away", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(running_postgres(fsync=True))
        template = Template(folder, "postgresql", postgres)
        run = folder / "run"
        run.mkdir()
        arena = Arena(Schedule(0, "postgresql", EMITTERS, []), template, run)
        stack.enter_context(arena.open())
        said = stop_for(arena, options.seconds)
        back = time.monotonic()
        arena.server.wait_until_ready()
        recovered = time.monotonic() - back
        arena.drain()
        verdict = arena.judge(OUTAGE)
    return _report(options.seconds, said, recovered, verdict)


def _report(seconds: float, said: list[tuple[int, str]], recovered: float, verdict: Verdict) -> int:
    statuses = {status for status, _ in said}
    reasons = {text for _, text in said}
    print(f"away for {seconds:g} s; /readyz said {statuses}: {sorted(reasons)}")
    print(f"ready {recovered:.1f} s after PostgreSQL was; {verdict.events} events recorded")
    troubles = verdict.troubles + ([] if 200 not in statuses else ["/readyz said 200 meanwhile"])
    print("\n".join(troubles) or "nothing lost, none twice, no gap")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
