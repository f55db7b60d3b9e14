"""A service as a child process: started, waited for, stopped by its own pid."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

READY_WITHIN_S = 120
STOPPED_WITHIN_S = 60


class ServiceFailedError(RuntimeError):
    """A service that is installed did not start or stop; the text ends with its log."""


def guarded(arguments: Sequence[str], death_signal: str = "TERM") -> list[str]:
    """Return a command that the kernel ends when the thread that started it ends.

    So a killed test run leaves nothing behind, where ``setpriv`` exists (Linux).
    """
    guard = shutil.which("setpriv")
    return [*([guard, "--pdeathsig", death_signal] if guard else []), *arguments]


class ServiceProcess:
    """One server process whose output goes to a log file. Not for use by several threads.

    It ends with the thread that started it: see ``guarded``.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        log: Path,
        *,
        cwd: Path,
        user: int | None = None,
        group: int | None = None,
        environment: Mapping[str, str] | None = None,
        death_signal: str = "TERM",
    ) -> None:
        self._arguments = guarded(arguments, death_signal)
        self._log = log
        self._cwd = cwd
        self._user = user
        self._group = group
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """True from ``start`` until the process has ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, is_ready: Callable[[], bool]) -> None:
        """Start and wait until ``is_ready``, 120 s at most. Raises ServiceFailedError."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._cwd,
                env=None if self._environment is None else dict(self._environment),
                user=self._user,
                group=self._group,
                extra_groups=None if self._user is None else [],
            )
        try:
            self._wait_until(is_ready)
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send one signal and wait 60 s at most, then kill. Nothing to do when it has ended."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(how)
        try:
            process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise self._failed(f"did not stop within {STOPPED_WITHIN_S} s") from None

    def _wait_until(self, is_ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while not is_ready():
            if not self.is_running:
                raise self._failed("ended instead of starting")
            if time.monotonic() > deadline:
                raise self._failed(f"was not ready within {READY_WITHIN_S} s")
            time.sleep(0.02)

    def _failed(self, what: str) -> ServiceFailedError:
        last = self._log.read_text(errors="replace").splitlines()[-30:]
        return ServiceFailedError(f"{' '.join(self._arguments)} {what}.\n" + "\n".join(last))
