"""Run broker, worker and publisher; end them all together, whatever ends first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import IO

from z4j_celery.demo.broker import start_broker

_GRACE_S = 5.0
_SHOWN_LINES = 30
_WORKER = ("-m", "celery", "-q", "-A", "z4j_celery.demo.app", "worker", "-c", "2", "-l", "INFO")
_QUEUES = ("-Q", "orders,email,reports", "-n", "shop@%h")
_PUBLISHER = ("-m", "z4j_celery.demo.workload")


def main() -> int:
    """Run until told to end; return 1 if a child ended by itself."""
    # Not an Event: a signal that arrives while this very thread is inside of one would hang it.
    ended: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.put(None))
    broker = start_broker()
    environment = {**os.environ, "Z4J_DEMO_BROKER": broker}
    with tempfile.TemporaryFile() as log:
        programs = (_WORKER + _QUEUES, _PUBLISHER)
        children = [_start(arguments, environment, log) for arguments in programs]
        threading.Thread(target=_watch_parent, args=(ended,), daemon=True).start()
        failed = _wait(children, ended)
        _end(children)
        if failed:
            _show_end_of(log)
    return 1 if failed else 0


def _start(
    arguments: Sequence[str], environment: dict[str, str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in the terminal reaches us first, and we end the children.
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def _watch_parent(ended: SimpleQueue[None]) -> None:
    """Our standard input is a pipe from the parent: its end is the parent's end."""
    while sys.stdin.buffer.read(4096):
        pass
    ended.put(None)


def _wait(children: list[subprocess.Popen[bytes]], ended: SimpleQueue[None]) -> bool:
    while not _is_over(ended):
        for child in children:
            if child.poll() is not None:
                print(
                    f"A program of the demo ended with {child.returncode}; its last lines:",
                    file=sys.stderr,
                )
                return True
    return False


def _is_over(ended: SimpleQueue[None]) -> bool:
    with suppress(Empty):
        ended.get(timeout=0.5)
        return True
    return False


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE_S)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # whatever of its group is left
        child.wait()


def _show_end_of(log: IO[bytes]) -> None:
    log.seek(0)
    sys.stderr.buffer.write(b"".join(log.readlines()[-_SHOWN_LINES:]))


if __name__ == "__main__":
    sys.exit(main())
