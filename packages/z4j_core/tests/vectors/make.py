"""Write the published vectors: `python make.py > link-v1.json`. The test checks them afresh."""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any

from z4j_core import credential, frames, schedules, signing, waiting
from z4j_core.codec import JSON, MSGPACK
from z4j_core.events import Kind, WireEvent

MASTER = bytes(range(32))
PROJECT, AGENT, TOKEN = (uuid.UUID(int=number) for number in (1, 2, 3))
STORE = "0123456789abcdef"
AGENT_NONCE, BRAIN_NONCE = bytes([0xA0]) * 16, bytes([0xB0]) * 16


def keys() -> dict[str, str]:
    project = credential.project_secret(MASTER, PROJECT)
    key = credential.signing_key(project, AGENT, TOKEN)
    return {
        "master": MASTER.hex(),
        "project_secret": project.hex(),
        "signing_key": key.hex(),
        "seal_key": credential.seal_key(project).hex(),
        "hello_key": signing.hello_key(key).hex(),
        "welcome_key": signing.welcome_key(key, AGENT_NONCE).hex(),
        "link_key": signing.link_key(key, AGENT_NONCE, BRAIN_NONCE).hex(),
    }


def sendable() -> dict[str, frames.SendableFrame]:
    event = WireEvent(Kind.FAILED, "celery", "t1", 1, 1_700_000_000_000_000, "app.add", "q", b"{}")
    return {
        "hello": frames.Hello([1], AGENT_NONCE, "worker@host", "e1", pid=7),
        "welcome": frames.Welcome(
            1, BRAIN_NONCE, 4, frames.MAX_FRAME_BYTES, 200, 32, 30, "shop", "0.1.0", 5
        ),
        "events": frames.Events(5, [event]),
        "ack": frames.Ack(5),
        "hello_with_scheduler": frames.Hello(
            [1],
            AGENT_NONCE,
            "worker@host",
            "e1",
            schedulers=[frames.SchedulerInfo("beat", "celery", STORE)],
        ),
        "command_on_schedule": frames.Command("c2", "beat", "pause", b"{}", schedule="nightly"),
        "command": frames.Command("c1", "celery", "retry", b'{"queue":null}', deadline=9),
        "result": frames.Result(6, "c1", True, b'{"task_id":"t2"}', None, 8),
        "gap": frames.Gap(7, 3, {"started": 3}, 1, 2, "outbox full"),
        "heartbeat": frames.Heartbeat(9, outbox_events=1),
        "queues": frames.Queues(
            [
                frames.KnownBroker(
                    "celery",
                    waiting.Broker(
                        id=waiting.broker_id("redis", "cache.example", 6379, "0"),
                        transport="redis",
                        queues=["mail", "web"],
                        consumed=["mail"],
                    ),
                )
            ]
        ),
        "watch": frames.Watch(10.0, [frames.Watched("celery", "0123456789abcdef", ["mail"])]),
        "depths": frames.Depths(
            [frames.DepthSample("celery", "0123456789abcdef", "mail", 12, None, None, 4_000_000)]
        ),
        "watch_schedules": frames.WatchSchedules(5.0, [frames.WatchedStore("beat", STORE)]),
        "schedules": frames.Schedules(
            "beat",
            STORE,
            [
                schedules.WireSchedule(
                    id="nightly",
                    name="nightly",
                    timing="0 3 * * *",
                    owner=schedules.Owner.STORE,
                    task="app.report",
                    arguments=b'{"args":[1]}',
                    next_run_at=1_700_000_000_000_000,
                )
            ],
            total=1,
        ),
        "error": frames.Error("unknown_frame", "The frame 'x' is not known."),
        "goodbye": frames.Goodbye("shutdown", "The server restarts.", 2.5),
    }


def vectors() -> dict[str, Any]:
    link = bytes.fromhex(keys()["link_key"])
    signer = signing.Signer(link, signing.Direction.TO_BRAIN)
    messages = [
        signer.sign(MSGPACK.encode(sendable()[name])).hex() for name in ("events", "heartbeat")
    ]
    made = credential.Credential(AGENT, bytes(32), bytes([1]) * 32, bytes([2]) * 32)
    return {
        "token": {"token": made.token(), "bearer": made.bearer(), "agent_id": str(AGENT)},
        "keys": keys(),
        "frames": {
            name: {"msgpack": MSGPACK.encode(frame).hex(), "json": JSON.encode(frame).decode()}
            for name, frame in sendable().items()
        },
        "messages_to_brain": messages,
    }


if __name__ == "__main__":
    json.dump(vectors(), sys.stdout, indent=1)
    sys.stdout.write("\n")
