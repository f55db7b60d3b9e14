"""Who this process is, and the hello that says so."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from z4j_agent import __version__
from z4j_agent.identity import Identity, storable
from z4j_agent.sampler import micros
from z4j_core.frames import PROTOCOL_VERSION, EngineInfo, Hello, SchedulerInfo
from z4j_core.plugins import Engine, Offering, Scheduler
from z4j_core.redaction import Redactor

MAX_ENGINES = 16
MAX_ERRORS = 32
MAX_ERROR = 500
MAX_HELLO_BYTES = 512 * 1024
Info = TypeVar("Info", EngineInfo, SchedulerInfo)


def hello(
    identity: Identity,
    nonce: bytes,
    engines: Iterable[Engine] = (),
    framework: str | None = None,
    problems: Iterable[str] = (),
    redactor: Redactor | None = None,
    seal_keys: Sequence[str] = (),
    schedulers: Iterable[Scheduler] = (),
) -> Hello:
    """Return the hello of this process. A plugin that describes itself badly is named, not sent.

    `seal_keys` are the ids of the keys that can be opened here.
    """
    said = list(problems)
    infos = _described(
        EngineInfo, engines, lambda one: _with_keys(one, seal_keys), said, MAX_HELLO_BYTES
    )
    room = MAX_HELLO_BYTES - len(msgspec.msgpack.encode(infos))
    described = _described(SchedulerInfo, schedulers, lambda one: one.info(), said, room)
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
        schedulers=described,
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


Part = TypeVar("Part", bound=Offering)


def _described(
    kind: type[Info],
    parts: Iterable[Part],
    info_of: Callable[[Part], Info | None],
    said: list[str],
    room: int,
) -> list[Info]:
    """Ask strangers for their descriptions and hold them to the limits of the protocol.

    One that has nothing to say is left out. `room` is how many bytes there are for all of them;
    what is wrong is added to `said`.
    """
    found: list[Info] = []
    for part in parts:
        try:
            told = info_of(part)
            if told is None:
                continue
            described = msgspec.json.encode(told)
            if b"\\u0000" in described:
                raise ValueError("its description holds a NUL character")
            info = msgspec.json.decode(described, type=kind)
        except Exception as error:  # a stranger's plugin must not stop the others
            name = str(getattr(part, "name", type(part).__name__))
            said.append(f"{name}: cannot be announced: {error!r}")
            continue
        if len(found) >= MAX_ENGINES or len(msgspec.msgpack.encode([*found, info])) > room:
            said.append(f"{info.name}: cannot be announced: too many engines or schemas")
        else:
            found.append(info)
    return found


def _with_keys(engine: Engine, seal_keys: Sequence[str]) -> EngineInfo:
    keys = list(seal_keys) if engine.keeps_originals else []
    return msgspec.structs.replace(engine.info(), seal_keys=keys)


def _short(text: str, redactor: Redactor | None) -> str:
    return storable(text if redactor is None else redactor.text(text), MAX_ERROR)
