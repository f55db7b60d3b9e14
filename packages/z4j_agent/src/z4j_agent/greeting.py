"""Who this process is, and the hello that says so."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence

import msgspec

from z4j_agent import __version__
from z4j_agent.identity import Identity, storable
from z4j_agent.sampler import micros
from z4j_core.frames import PROTOCOL_VERSION, EngineInfo, Hello
from z4j_core.plugins import Engine
from z4j_core.redaction import Redactor

MAX_ENGINES = 16
MAX_ERRORS = 32
MAX_ERROR = 500
MAX_HELLO_BYTES = 512 * 1024


def hello(
    identity: Identity,
    nonce: bytes,
    engines: Iterable[Engine] = (),
    framework: str | None = None,
    problems: Iterable[str] = (),
    redactor: Redactor | None = None,
    seal_keys: Sequence[str] = (),
) -> Hello:
    """Return the hello of this process. A plugin that describes itself badly is named, not sent.

    `seal_keys` are the ids of the keys that can be opened here.
    """
    said = list(problems)
    infos: list[EngineInfo] = []
    for engine in engines:
        info = _describe(engine, said, seal_keys)
        if info is not None:
            _keep_if_it_fits(infos, info, said)
    return Hello(
        versions=[PROTOCOL_VERSION],
        nonce=nonce,
        worker_id=identity.worker_id,
        epoch=identity.epoch,
        agent_version=__version__,
        host=identity.host,
        pid=identity.pid,
        role=identity.role,
        framework=None if framework is None else storable(framework, 255),
        python_version=platform.python_version(),
        engines=infos,
        plugin_errors=[_short(text, redactor) for text in said[:MAX_ERRORS]],
        started_at=identity.started_at,
        now=micros(),
    )


def hello_of_the_dead(identity: Identity, nonce: bytes) -> Hello:
    """Return the hello of whoever sends what a dead process left behind."""
    return Hello(
        versions=[PROTOCOL_VERSION],
        nonce=nonce,
        worker_id=identity.worker_id,
        epoch=identity.epoch,
        agent_version=__version__,
        host=identity.host,
        pid=identity.pid,
        role=identity.role,
        python_version=platform.python_version(),
        started_at=identity.started_at,
        now=micros(),
        adopted=True,
    )


def _describe(engine: Engine, said: list[str], seal_keys: Sequence[str]) -> EngineInfo | None:
    """Ask a stranger's engine for its description and hold it to the limits of the protocol."""
    try:
        keys = list(seal_keys) if engine.keeps_originals else []
        described = msgspec.json.encode(msgspec.structs.replace(engine.info(), seal_keys=keys))
        if b"\\u0000" in described:
            raise ValueError("its description holds a NUL character")
        return msgspec.json.decode(described, type=EngineInfo)
    except Exception as error:  # a stranger's plugin must not stop the others
        name = str(getattr(engine, "name", type(engine).__name__))
        said.append(f"{name}: cannot be announced: {error!r}")
        return None


def _keep_if_it_fits(infos: list[EngineInfo], info: EngineInfo, said: list[str]) -> None:
    size = len(msgspec.msgpack.encode([*infos, info]))
    if len(infos) >= MAX_ENGINES or size > MAX_HELLO_BYTES:
        said.append(f"{info.name}: cannot be announced: too many engines or schemas")
    else:
        infos.append(info)


def _short(text: str, redactor: Redactor | None) -> str:
    return storable(text if redactor is None else redactor.text(text), MAX_ERROR)
