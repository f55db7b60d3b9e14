"""What a hello says, checked and made ready for the worker's row."""

from __future__ import annotations

import msgspec

from z4j_brain.ingest.cleaning import without_escaped_nul
from z4j_brain.link.admission import Admitted
from z4j_brain.redaction.cleaner import BUILT_IN, Cleaner
from z4j_brain.store.workers_write import WorkerLink
from z4j_core.frames import Hello
from z4j_core.link import LinkError
from z4j_core.link.errors import BAD_FRAME

_LARGEST_PID = (1 << 31) - 1


def check_hello(hello: Hello) -> None:
    """Raise `LinkError` for what the frame's types allow and the record cannot hold."""
    if not hello.worker_id:
        raise LinkError(BAD_FRAME, "The hello names no worker.")
    encoded = msgspec.json.encode(hello)
    if without_escaped_nul(encoded) != encoded:
        raise LinkError(BAD_FRAME, "The hello holds a NUL character.")


def worker_link(
    hello: Hello,
    admitted: Admitted,
    replica: str,
    clock_offset_us: int | None,
    cleaner: Cleaner = BUILT_IN,
) -> WorkerLink:
    """Return the columns of the worker's row. Schemas stay: commands are held to them."""
    clean = cleaner.events.text
    return WorkerLink(
        project_id=admitted.project_id,
        agent_id=admitted.agent_id,
        worker_id=hello.worker_id,
        epoch=hello.epoch,
        host=clean(hello.host),
        pid=hello.pid if 0 <= hello.pid <= _LARGEST_PID else 0,
        role=hello.role,
        framework=None if hello.framework is None else clean(hello.framework),
        agent_version=hello.agent_version,
        python_version=hello.python_version,
        engines=[msgspec.to_builtins(engine) for engine in hello.engines],
        plugin_errors=[clean(text) for text in hello.plugin_errors],
        schedulers=[msgspec.to_builtins(scheduler) for scheduler in hello.schedulers],
        clock_offset_us=clock_offset_us,
        replica=replica,
    )
