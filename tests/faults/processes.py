"""Emitters as processes: started, killed, starved of disk, and ended in good order."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from faults.schedule import Emitter
from faults.truth import Listener, Truth

TESTS = Path(__file__).parents[1]
ENDS_WITHIN_S = 90.0
UNLIMITED = resource.RLIM_INFINITY


def limit_files(pid: int, size: int) -> None:
    """Let a process write to no file beyond `size` bytes: for it, the disk is full there."""
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))


def children_of(pid: int) -> list[int]:
    """Return the child processes of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found


class EmitterProcess:
    """One emitter and its successors: each incarnation has a name of its own."""

    def __init__(
        self, spec: Emitter, environment: dict[str, str], folder: Path, truth: Truth
    ) -> None:
        self.spec = spec
        self.log = folder / f"{spec.name}.log"
        self._environment = environment_of(spec, environment)
        self._truth = truth
        self._listeners: list[Listener] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._incarnation = 0

    @property
    def name(self) -> str:
        """The present incarnation."""
        return f"{self.spec.name}.{self._incarnation}"

    @property
    def pid(self) -> int:
        """The present process, or -1."""
        return -1 if self._process is None or self._process.poll() is not None else self._pid()

    def start(self) -> None:
        """Start the next incarnation, unless one lives."""
        if self.pid > 0:
            return
        self._incarnation += 1
        arguments = [self.name, str(self.spec.rate), str(self.spec.children)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "faults.emitter", *arguments],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        self._listeners.append(Listener(self._truth, self._process.stdout))

    def kill(self) -> None:
        """`kill -9`."""
        if self._process is None or self.pid < 0:
            return
        at = time.monotonic_ns() // 1_000
        self._truth.killed[self.name] = at
        if self.spec.children:
            self._truth.killed_parents[self.name] = at
        self._process.kill()
        self._process.wait()
        self._close_stdin()

    def kill_child(self) -> None:
        """`kill -9` of one child."""
        children = children_of(self.pid) if self.pid > 0 else []
        if children:
            os.kill(children[0], signal.SIGKILL)

    def fill_disk(self) -> None:
        """Make its spool fail at the next write."""
        if self.pid > 0:
            limit_files(self.pid, 1)

    def free_disk(self) -> None:
        """Undo `fill_disk`."""
        if self.pid > 0:
            limit_files(self.pid, UNLIMITED)

    def ask_to_end(self) -> None:
        """Let it stop emitting, send what it has, and exit."""
        self._close_stdin()

    def wait(self) -> str | None:
        """Wait for its end; return what is wrong with it."""
        if self._process is None:
            return None
        try:
            code = self._process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            code = None
        for listener in self._listeners:
            listener.close()
        was_killed = code == -signal.SIGKILL and self.name in self._truth.killed
        if code not in (0, None) and not was_killed:
            return f"{self.name} ended with {code}"
        return f"{self.name} did not end" if code is None else self._trouble()

    def _trouble(self) -> str | None:
        text = self.log.read_text()
        for word in ("Traceback", " ERROR ", "was dropped"):
            if word in text:
                return f"{self.spec.name} complains:\n{text[-2000:]}"
        return None

    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _close_stdin(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()


def environment_of(spec: Emitter, environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of an emitter, its clock included."""
    path = [str(TESTS)]
    if spec.clock_offset_s:
        path.insert(0, str(TESTS / "faults" / "clock"))
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("Z4J_")},
        "Z4J_PLUGINS": "toy",
        **environment,
        "FAULT_CLOCK_OFFSET_S": str(spec.clock_offset_s),
        "PYTHONPATH": os.pathsep.join(path),
    }


def sweep(environment: dict[str, str], folder: Path) -> bool:
    """Run a last process of the agent until no spool is left; tell whether that came true."""
    spec = Emitter("sweeper", 0, 0, 0)
    with (folder / "sweeper.log").open("ab") as log:
        done = subprocess.run(
            [sys.executable, "-m", "faults.emitter", "sweeper.1", "sweep"],
            env=environment_of(spec, environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            check=False,
        )
    return done.returncode == 0
