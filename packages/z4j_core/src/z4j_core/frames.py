"""The frames of the link, protocol version 1.

A frame is a frozen Struct, encoded as an array that begins with its tag (`z4j_core.codec`). A newer
peer may append fields, which are ignored, and may send new tags, which decode to `UnknownFrame`.
Frames with a `seq` are reliable: they are numbered 1, 2, 3 … for one worker epoch, kept by the
agent until acknowledged, and persisted by the brain exactly once.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from z4j_core.events import EngineName, Micros, WireEvent
from z4j_core.schedules import MAX_SCHEDULES, ScheduleId, StoreId, WireSchedule
from z4j_core.seal import MAX_KEYS, MAX_SEALED
from z4j_core.waiting import (
    MAX_BROKERS,
    MAX_QUEUES,
    MAX_WATCHED,
    Broker,
    BrokerId,
    Count,
    QueueName,
)

PROTOCOL_VERSION = 1
SUBPROTOCOL = "z4j.1"
SUBPROTOCOL_JSON = "z4j.1+json"

MAX_FRAME_BYTES = 1_048_576
MAX_EVENTS = 200
WINDOW = 32
NONCE_BYTES = 16

ShortText = Annotated[str, Meta(max_length=255)]
LongText = Annotated[str, Meta(max_length=4096)]
Nonce = Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
Seq = Annotated[int, Meta(ge=1, lt=1 << 62)]
Position = Annotated[int, Meta(ge=0, lt=1 << 62)]
Identifier = Annotated[str, Meta(min_length=1, max_length=128)]
SealKeyId = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}$")]


class Frame(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Base of all frames; nobody outside this module subclasses it."""


class ActionInfo(msgspec.Struct, frozen=True, gc=False):
    """One action that an engine offers, or the reason why it does not.

    `params_schema` and `result_schema` are JSON Schema documents (2020-12), as JSON text. An
    `internal` action is for the server's own questions: people are not offered it.
    """

    name: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9_]*$")]
    target: str = "engine"
    title: ShortText = ""
    description: LongText = ""
    destructive: bool = False
    states: list[ShortText] | None = None
    params_schema: Annotated[str, Meta(max_length=16_384)] = "{}"
    result_schema: Annotated[str, Meta(max_length=16_384)] = "{}"
    absent: LongText | None = None
    internal: bool = False


class EngineInfo(msgspec.Struct, frozen=True, gc=False):
    """An engine that lives in the agent's process, with its version and its actions.

    `seal_keys` are the ids of the keys with which its retry can open sealed payloads, as
    hexadecimal; the first one seals.
    """

    name: EngineName
    version: ShortText = ""
    actions: Annotated[list[ActionInfo], Meta(max_length=64)] = []
    seal_keys: Annotated[list[SealKeyId], Meta(max_length=MAX_KEYS)] = []


class SchedulerInfo(msgspec.Struct, frozen=True, gc=False):
    """A scheduler whose schedules the agent's process can read, with its actions.

    `engine` names the engine whose tasks it publishes; commands name the scheduler by `name`, which
    no engine of the process has. `store` says whether two processes read the same schedules, and
    `lag_s` by how many seconds a run may stand there late.
    """

    name: EngineName
    engine: EngineName
    store: StoreId
    version: ShortText = ""
    actions: Annotated[list[ActionInfo], Meta(max_length=64)] = []
    lag_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0


class Hello(Frame, frozen=True, tag="hello"):
    """The agent's first frame: who it is, what it can do, how far it has sent.

    `adopted` says that another process speaks for this one, which is gone, to send what it left.
    """

    versions: list[int]
    nonce: Nonce
    worker_id: ShortText
    epoch: Identifier
    agent_version: ShortText = ""
    host: ShortText = ""
    pid: int = 0
    role: ShortText = "worker"
    framework: ShortText | None = None
    python_version: ShortText = ""
    engines: Annotated[list[EngineInfo], Meta(max_length=16)] = []
    plugin_errors: Annotated[list[LongText], Meta(max_length=32)] = []
    started_at: Micros = 0
    now: Micros = 0
    adopted: bool = False
    schedulers: Annotated[list[SchedulerInfo], Meta(max_length=16)] = []


class Welcome(Frame, frozen=True, tag="welcome"):
    """The brain's answer: how far it has received, and the limits to keep."""

    version: int
    nonce: Nonce
    position: Position
    max_frame_bytes: int
    max_events: int
    window: int
    heartbeat_s: int
    project: ShortText
    server_version: ShortText
    now: Micros


class Events(Frame, frozen=True, tag="events"):
    """A batch of events, reliable."""

    seq: Seq
    events: Annotated[list[WireEvent], Meta(max_length=MAX_EVENTS)]


class RawEvents(Frame, frozen=True, tag="events"):
    """An `Events` frame with its events still encoded: what the link decodes and passes on."""

    seq: Seq
    events: msgspec.Raw


class Ack(Frame, frozen=True, tag="ack"):
    """Everything up to and including `position` is committed."""

    position: Position


class TaskRef(msgspec.Struct, frozen=True, gc=False):
    """What the record knows of the task that a command is about.

    `args` and `kwargs` are JSON texts; they equal the real arguments only if `exact`. `sealed` is
    the envelope that came with the task, for a retry.
    """

    task_id: ShortText
    name: ShortText | None = None
    queue: ShortText | None = None
    state: ShortText = ""
    attempt: int = 0
    args: str | None = None
    kwargs: str | None = None
    exact: bool = False
    sealed: Annotated[bytes, Meta(max_length=MAX_SEALED)] | None = None


class Command(Frame, frozen=True, tag="command"):
    """One action to carry out, once per `id`; sent again until its result is recorded."""

    id: Identifier
    engine: EngineName
    action: Identifier
    params: Annotated[bytes, Meta(max_length=262_144)]
    task: TaskRef | None = None
    queue: ShortText | None = None
    deadline: Micros = 0
    schedule: ScheduleId | None = None


class Result(Frame, frozen=True, tag="result"):
    """What became of a command, reliable. `result` is JSON, redacted; `error` says what to do."""

    seq: Seq
    id: Identifier
    ok: bool
    result: Annotated[bytes, Meta(max_length=262_144)] = b"null"
    error: LongText | None = None
    finished_at: Micros = 0


class Gap(Frame, frozen=True, tag="gap"):
    """Events that the agent had to drop, reliable: how many, of which kinds, and when."""

    seq: Seq
    count: Annotated[int, Meta(ge=1)]
    kinds: dict[ShortText, int]
    since: Micros
    until: Micros
    reason: ShortText


class Heartbeat(Frame, frozen=True, tag="heartbeat"):
    """Sign of life of either side; the agent's carries its state. Sizes in bytes.

    `echo` is the `now` of the welcome or heartbeat that the agent heard last, and `echo_age_us` how
    long ago that was by its monotonic clock: so the brain learns the round trip, and from it how
    far the agent's clock is off. 0 where the agent does not tell. `processed` counts the runs whose
    ends were sent since the process began.
    """

    now: Micros
    outbox_events: int = 0
    outbox_bytes: int = 0
    oldest_us: int = 0
    dropped: int = 0
    cpu_us: int = 0
    rss_bytes: int = 0
    processed: int = 0
    echo: int = 0
    echo_age_us: int = 0


class KnownBroker(msgspec.Struct, frozen=True, gc=False):
    """A broker of one engine in the agent's process."""

    engine: EngineName
    broker: Broker


class Queues(Frame, frozen=True, tag="queues"):
    """The brokers and queues that the agent's process knows now; replaces what it said before."""

    brokers: Annotated[list[KnownBroker], Meta(max_length=MAX_BROKERS)]


class Watched(msgspec.Struct, frozen=True, gc=False):
    """Queues of one broker to sample; the process may know them from nobody but the brain."""

    engine: EngineName
    broker: BrokerId
    queues: Annotated[list[QueueName], Meta(max_length=MAX_WATCHED)]


class Watch(Frame, frozen=True, tag="watch"):
    """The brain elects this process to sample these queues, and no others, on this link.

    `every_s` is the time between two samples of a queue, in seconds.
    """

    every_s: Annotated[float, Meta(ge=0.1, le=86_400.0)]
    watched: Annotated[list[Watched], Meta(max_length=MAX_BROKERS)]


class DepthSample(msgspec.Struct, frozen=True, gc=False):
    """One queue as its broker told it (`z4j_core.waiting.Depth`); None is "cannot be told".

    `oldest_us` is the age of the oldest waiting message in microseconds, by the sampler's clock.
    """

    engine: EngineName
    broker: BrokerId
    queue: QueueName
    waiting: Count | None = None
    unacked: Count | None = None
    consumers: Count | None = None
    oldest_us: Count | None = None


class Depths(Frame, frozen=True, tag="depths"):
    """Samples of queues that the agent was told to watch.

    Not numbered and never kept: a sample that finds no link is superseded by the next one.
    """

    samples: Annotated[list[DepthSample], Meta(max_length=MAX_QUEUES)]


class WatchedStore(msgspec.Struct, frozen=True, gc=False):
    """The schedules of one scheduler, in one store."""

    scheduler: EngineName
    store: StoreId


class WatchSchedules(Frame, frozen=True, tag="watch_schedules"):
    """The brain elects this process to read these schedules, and no others, on this link.

    `every_s` is the time between two readings, in seconds. Only a process whose hello names
    schedulers is told.
    """

    every_s: Annotated[float, Meta(ge=0.1, le=86_400.0)]
    watched: Annotated[list[WatchedStore], Meta(max_length=16)]


class Schedules(Frame, frozen=True, tag="schedules"):
    """All schedules of one store as they are now, or in `error` why they cannot be read.

    Of more than `MAX_SCHEDULES`, or more than fit into a frame, the first by name and id are told;
    `total` says how many there are. Not numbered and never kept: the next one says it anew.
    """

    scheduler: EngineName
    store: StoreId
    schedules: Annotated[list[WireSchedule], Meta(max_length=MAX_SCHEDULES)] = []
    total: Count = 0
    error: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] | None = None


class Error(Frame, frozen=True, tag="error"):
    """A complaint that does not end the link."""

    code: ShortText
    detail: LongText


class Goodbye(Frame, frozen=True, tag="goodbye"):
    """The end of the link. `retry_after_s` is 0 when the peer does not come back."""

    code: ShortText
    detail: LongText
    retry_after_s: float = 0.0


class UnknownFrame(Frame, frozen=True, tag="unknown"):
    """Stands for a frame whose tag this version does not know; never sent."""

    name: str


AnyFrame = (
    Hello
    | Welcome
    | RawEvents
    | Ack
    | Command
    | Result
    | Gap
    | Heartbeat
    | Queues
    | Watch
    | Depths
    | WatchSchedules
    | Schedules
    | Error
    | Goodbye
)
SendableFrame = AnyFrame | Events
