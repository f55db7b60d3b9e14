"""Run broker, worker and publisher; end them all together, whatever ends first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence

from z4j_celery.demo.broker import start_broker

_GRACE_S = 5.0
_WORKER = ("-m", "celery", "-A", "z4j_celery.demo.app", "worker", "-c", "2", "-l", "WARNING")
_QUEUES = ("-Q", "orders,email,reports", "-n", "shop@%h")
_PUBLISHER = ("-m", "z4j_celery.demo.workload")


def main() -> int:
    """Run until told to end; return 1 if a child ended by itself."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    broker = start_broker()
    environment = {**os.environ, "Z4J_DEMO_BROKER": broker}
    children = [_start(arguments, environment) for arguments in (_WORKER + _QUEUES, _PUBLISHER)]
    threading.Thread(target=_watch_parent, args=(ended,), daemon=True).start()
    failed = _wait(children, ended)
    _end(children)
    return 1 if failed else 0


def _start(arguments: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in the terminal reaches us first, and we end the children.
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _watch_parent(ended: threading.Event) -> None:
    """Our standard input is a pipe from the parent: its end is the parent's end."""
    while sys.stdin.buffer.read(4096):
        pass
    ended.set()


def _wait(children: list[subprocess.Popen[bytes]], ended: threading.Event) -> bool:
    while not ended.wait(0.5):
        for child in children:
            if child.poll() is not None:
                print(f"the demo's {child.args} ended with {child.returncode}", file=sys.stderr)
                return True
    return False


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        _signal(child, signal.SIGTERM)
    for child in children:
        try:
            child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            pass
        _signal(child, signal.SIGKILL)  # whatever of its group is left
        child.wait()


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        pass


if __name__ == "__main__":
    sys.exit(main())
