"""`z4j demo`."""

from __future__ import annotations

import signal
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

import click


@click.command(short_help="See z4j at work: a server and a real worker of its own.")
@click.option("--port", type=click.IntRange(0, 65535), default=7700, show_default=True)
def command(port: int) -> None:
    """Start a server on an empty record, and beside it a real worker with a small workload.

    Prints one address that is signed in already. Everything lives in a temporary folder and is
    gone after Ctrl-C. Needs the extra: pip install 'z4j[demo]'.
    """
    from z4j_brain.demo import DemoError

    # Not an Event: a signal that arrives while this very thread is inside of one would hang it.
    ended: SimpleQueue[None] = SimpleQueue()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.put(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        with tempfile.TemporaryDirectory(prefix="z4j-demo-") as folder:
            _run(Path(folder), port, ended)
    except DemoError as error:
        raise click.ClickException(str(error)) from None


def _run(home: Path, port: int, ended: SimpleQueue[None]) -> None:
    from z4j_brain import demo
    from z4j_brain.server import ListenError, listen

    programs = demo.workloads()
    try:
        with listen("127.0.0.1", port) as probe:
            port = int(probe.getsockname()[1])
    except ListenError as error:
        raise demo.DemoError(str(error)) from None
    variables = demo.environment(home, port)
    click.echo("Making a record …")
    prepared = demo.prepare(variables)
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as children:
        server = children.enter_context(demo.running(["-m", "z4j_brain", "serve"], variables))
        demo.wait_until_ready(url, server)
        agent = {**variables, "Z4J_URL": url, "Z4J_TOKEN": prepared.token}
        running = [server]
        for name, module in programs.items():
            click.echo(f"Starting a worker of {name} …")
            running.append(children.enter_context(demo.running(["-m", module], agent)))
        click.echo(
            f"\nOpen {url}/sign-in/once?token={prepared.link}\n\n"
            "It signs in one browser, once, within ten minutes. Ctrl-C ends the demo.\n"
        )
        while not _is_over(ended):
            if any(child.poll() is not None for child in running):
                raise demo.DemoError("A part of the demo ended by itself; its last lines say why.")
        click.echo("Ending …")


def _is_over(ended: SimpleQueue[None]) -> bool:
    with suppress(Empty):
        ended.get(timeout=0.5)
        return True
    return False
