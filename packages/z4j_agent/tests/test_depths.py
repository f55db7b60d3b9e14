"""Queues are sampled on a thread of their own, while a link watches, and only the newest counts."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from z4j_agent.depths import DepthSampler
from z4j_agent.queue_talk import QueueTalk
from z4j_core.frames import Depths, DepthSample, KnownBroker, Queues, Watch, Watched
from z4j_core.plugins import Broker, Depth, Engine

A_BROKER = "00000000000000aa"
SECRET = "planted-broker-password"


class Pond(Engine):
    """An engine whose broker is a dictionary; a value that is an exception is raised."""

    name: ClassVar[str] = "pond"

    def __init__(self) -> None:
        self.depths: dict[str, Any] = {}
        self.threads: set[str] = set()
        self.known: list[Any] = [Broker(id=A_BROKER, queues=["mail"], consumed=["mail"])]

    def brokers(self) -> Sequence[Broker]:
        return self.known

    def queue_depths(self, broker: str, queues: Sequence[str]) -> Mapping[str, Depth]:
        self.threads.add(threading.current_thread().name)
        for value in self.depths.values():
            if isinstance(value, Exception):
                raise value
        return {name: self.depths[name] for name in queues if name in self.depths}


class Mute(Engine):
    """An engine that cannot tell depths."""

    name: ClassVar[str] = "mute"


@pytest.fixture
def pond() -> Pond:
    return Pond()


@pytest.fixture
def sampler(pond: Pond) -> Iterator[DepthSampler]:
    sampler = DepthSampler([Mute(), pond])
    yield sampler
    sampler.close()


def watch(*names: str, every_s: float = 0.1) -> Watch:
    return Watch(every_s, [Watched("pond", A_BROKER, list(names))])


def test_it_samples_on_a_thread_of_its_own(pond: Pond, sampler: DepthSampler) -> None:
    assert sampler._thread is None, "nobody was elected yet"
    pond.depths = {"mail": Depth(waiting=3, oldest_at=1), "web": Depth(waiting=-4)}
    told: queue.Queue[Depths] = queue.Queue()
    sampler.watch(watch("mail", "web", "gone"), told.put)
    for _ in range(2):
        mail, web, gone = told.get(timeout=60).samples
        assert (mail.queue, mail.waiting, mail.unacked) == ("mail", 3, None)
        assert mail.oldest_us is not None
        assert mail.oldest_us > 1_000_000
        assert web == DepthSample("pond", A_BROKER, "web"), "no possible count is no count"
        assert gone == DepthSample("pond", A_BROKER, "gone")
    assert pond.threads == {"z4j-agent-depths"}
    assert threading.main_thread().name not in pond.threads


def test_a_broker_that_fails_is_asked_again_and_nothing_secret_is_said(
    pond: Pond, sampler: DepthSampler, caplog: pytest.LogCaptureFixture
) -> None:
    pond.depths = {"mail": OSError(f"redis://:{SECRET}@host refuses")}
    told: queue.Queue[Depths] = queue.Queue()
    with caplog.at_level(logging.DEBUG, "z4j.agent"):
        sampler.watch(watch("mail"), told.put)
        while "cannot be sampled" not in caplog.text:
            assert told.empty()
            time.sleep(0.01)
        pond.depths = {"mail": Depth(waiting=1)}
        assert told.get(timeout=60).samples[0].waiting == 1
    assert SECRET not in caplog.text


def test_the_end_of_the_link_ends_the_sampling(pond: Pond, sampler: DepthSampler) -> None:
    pond.depths = {"mail": Depth(waiting=1)}
    told: queue.Queue[Depths] = queue.Queue()
    sampler.watch(watch("mail"), told.put)
    told.get(timeout=60)
    sampler.rest()
    again: queue.Queue[Depths] = queue.Queue()
    sampler.watch(watch("web"), again.put)
    assert [one.queue for one in again.get(timeout=60).samples] == ["web"]
    sampler.close()
    for thread in threading.enumerate():
        if thread.name == "z4j-agent-depths":
            thread.join(20)
            assert not thread.is_alive()


def test_a_plugin_that_tells_nonsense_is_left_out(pond: Pond, sampler: DepthSampler) -> None:
    assert sampler.known() == Queues([KnownBroker("pond", pond.known[0])])
    for nonsense in (
        [Broker(id=f"redis://:{SECRET}@host")],
        [Broker(id=A_BROKER, queues=["q"] * 201)],
        [None],
    ):
        pond.known = nonsense
        assert sampler.known() == Queues([])


def test_an_engine_that_cannot_tell_is_never_asked() -> None:
    sampler = DepthSampler([Mute()])
    assert not sampler.can_sample
    assert sampler.known() == Queues([])


def test_only_the_newest_sample_waits_for_a_slow_link(sampler: DepthSampler) -> None:
    sent: list[Any] = []

    async def scenario() -> None:
        gate = asyncio.Event()

        async def send(frame: Any) -> None:
            sent.append(frame)
            await gate.wait()

        talk = QueueTalk(sampler, send)
        for waiting in range(5):
            talk._take(Depths([DepthSample("pond", A_BROKER, "mail", waiting)]))
            await asyncio.sleep(0)
        gate.set()
        assert talk._telling is not None
        await asyncio.wait_for(talk._telling, 20)
        talk._take(Depths([DepthSample("pond", A_BROKER, f"q{n}") for n in range(450)]))
        await asyncio.wait_for(talk._telling, 20)
        talk.end()

    asyncio.run(scenario())
    assert [len(one.samples) for one in sent] == [1, 1, 200, 200, 50]
    assert [sent[0].samples[0].waiting, sent[1].samples[0].waiting] == [0, 4]


def test_queues_are_told_again_only_when_they_change(pond: Pond, sampler: DepthSampler) -> None:
    sent: list[Any] = []

    async def scenario() -> None:
        async def send(frame: Any) -> None:
            sent.append(frame)

        talk = QueueTalk(sampler, send)
        await talk.tell_queues()
        await talk.tell_queues()
        pond.known = [Broker(id=A_BROKER, queues=["mail", "web"])]
        await talk.tell_queues()
        talk.end()

    asyncio.run(scenario())
    assert [one.brokers[0].broker.queues for one in sent] == [["mail"], ["mail", "web"]]
