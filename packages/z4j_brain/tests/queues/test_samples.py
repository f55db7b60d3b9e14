"""What is stored of samples, what is refused, and what the pages make of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from queue_yard import BROKER, MINUTE, Links, knows, sample
from sqlalchemy import insert

from z4j_brain.clock import now
from z4j_brain.overview.notices import notices
from z4j_brain.queues.report import QueueReport, Rates, drain_s, report
from z4j_brain.queues.series import Window, series
from z4j_brain.store import figures
from z4j_brain.store.queue_election import QueueKey
from z4j_brain.store.queue_samples import Sample, store
from z4j_brain.store.schema import queue_samples, queues, rollups
from z4j_core import frames
from z4j_core.codec import JSON, MSGPACK, FrameError


def elect(yard: Any, *names: str) -> Any:
    """Return a worker that is elected for these queues, and the service."""
    row = yard.add_worker("w1")
    sampling = yard.sampling(Links(row))

    async def scenario() -> None:
        sampling.told(row, yard.project_id, knows(*names, consumed=names[:1]))
        await sampling.turn()

    asyncio.run(scenario())
    return row, sampling


def test_samples_of_what_was_not_asked_for_are_refused(yard: Any) -> None:
    row, sampling = elect(yard, "mail")
    stranger = yard.add_worker("w2")

    async def scenario() -> None:
        for who, told in (
            (row, sample("other")),
            (row, sample("mail", broker="00000000000000bb")),
            (stranger, sample("mail", 99)),
        ):
            sampling.sampled(who, yard.project_id, frames.Depths([told]))
        other_project = yard.add_project("bank")
        sampling.sampled(row, other_project, frames.Depths([sample("mail", 98)]))
        await sampling.turn()
        assert yard.rows(queue_samples) == []
        assert sampling.counters.refused == 4
        sampling.sampled(row, yard.project_id, frames.Depths([sample("mail", 5)]))
        await sampling.turn()
        assert [one["waiting"] for one in yard.rows(queues)] == [5]

    asyncio.run(scenario())


@pytest.mark.parametrize("codec", [MSGPACK, JSON])
@pytest.mark.parametrize(
    "hostile",
    [
        frames.Depths([sample("mail", -1)]),
        frames.Depths([sample("mail", 1 << 60)]),
        frames.Depths([sample("mail", 1, oldest_us=-5)]),
        frames.Depths([sample("q\0")]),
        frames.Depths([sample("")]),
        frames.Depths([sample("q" * 256)]),
        frames.Depths([sample("mail", broker="redis://:secret@host")]),
        frames.Depths([sample(f"q{number}") for number in range(201)]),
        knows(*(f"q{number}" for number in range(10_000))),
        knows("a", broker="x"),
        frames.Queues(knows("a").brokers * 9),
    ],
)
def test_hostile_frames_are_no_frames(codec: Any, hostile: Any) -> None:
    with pytest.raises(FrameError):
        codec.decode(codec.encode(hostile))


def test_a_minute_keeps_the_last_and_the_greatest(yard: Any) -> None:
    row, _ = elect(yard, "mail")
    at = now() // MINUTE * MINUTE
    key = QueueKey(yard.project_id, "celery", BROKER, "mail")
    told = [(0, 4, None), (1, 9, 700), (2, None, 300), (3, 2, None)]
    with yard.database.write() as connection:
        for second, waiting, oldest in told:
            one = Sample(key=key, sampler=row, at=at + second, waiting=waiting, oldest_us=oldest)
            assert store(connection, [one]) == 1
        late = Sample(key=key, sampler=yard.agent_id, at=at, waiting=77)
        assert store(connection, [late]) == 0, "it was replaced meanwhile"
    [minute] = yard.rows(queue_samples)
    names = ("samples", "waiting", "waiting_max", "oldest_us")
    assert [minute[name] for name in names] == [4, 2, 9, 700]
    with yard.database.read() as connection:
        points = series(
            connection, yard.project_id, "celery", BROKER, "mail", Window.HOUR, at + MINUTE
        )
    assert len(points) == 60
    assert [point.waiting for point in points[-3:]] == [None, 2, None], "no sample is not 0"
    assert points[-1].is_partial


def test_the_list_tells_stale_from_current_and_unknown_from_empty(yard: Any) -> None:
    row, sampling = elect(yard, "mail", "reports", "web")

    async def scenario() -> None:
        depths = [sample("mail", 0, consumers=2), sample("reports", 8, oldest_us=5_000_000)]
        sampling.sampled(row, yard.project_id, frames.Depths(depths))
        await sampling.turn()

    asyncio.run(scenario())
    found = read(yard, now())
    mail, reports, web = found["mail"], found["reports"], found["web"]
    assert (mail.waiting, mail.is_stale, mail.consumers) == (0, False, ["w1"])
    assert (reports.waiting, reports.oldest_us, reports.oldest_by) == (8, 5_000_000, "broker")
    assert reports.is_unconsumed
    assert not mail.is_unconsumed
    assert (web.waiting, web.sampled_at, web.is_stale) == (None, None, False)
    assert [one for one in reports.spark if one is not None] == [8]
    assert list(found) == ["reports", "mail", "web"], "the deepest first"
    assert read(yard, now() + 31_000_000)["mail"].is_stale
    yard.end(row)
    gone = read(yard, now())["reports"]
    assert (gone.is_stale, gone.waiting, gone.sampler) == (True, 8, None)


def test_the_overview_names_queues_without_consumers(yard: Any) -> None:
    row, sampling = elect(yard, "mail", "reports", "web", "far")

    async def scenario() -> None:
        depths = [sample("mail", 5), sample("reports", 1200), sample("web", 0)]
        depths.append(sample("far", 3, consumers=1))
        sampling.sampled(row, yard.project_id, frames.Depths(depths))
        await sampling.turn()

    asyncio.run(scenario())
    with yard.database.read() as connection:
        [notice] = notices(connection, yard.project_id, [], now(), 0)
    assert notice.kind == "queue_unconsumed"
    assert notice.text == "1,200 wait in the queue reports, and no known worker takes from it."
    yard.end(row)
    with yard.database.read() as connection:
        assert notices(connection, yard.project_id, [], now(), 0) == [], "that is not of now"


def test_flow_comes_from_the_record(yard: Any) -> None:
    _, _ = elect(yard, "mail", "quiet")
    at = now() // MINUTE * MINUTE
    key = {"project_id": yard.project_id, "engine": "celery", "name": "app.send", "writer": "t"}
    counted = [
        {**key, "queue": "mail", "bucket": at - MINUTE, "published": 20, "succeeded": 25},
        {**key, "queue": "mail", "bucket": at - 5 * MINUTE, "published": 5, "failed": 10},
        {**key, "queue": "mail", "bucket": at - 6 * MINUTE, "published": 999},
        {**key, "queue": "mail", "bucket": at, "published": 999},
        {**key, "queue": "untold", "bucket": at - MINUTE, "started": 5, "succeeded": 5},
    ]
    with yard.database.write() as connection:
        for one in counted:
            connection.execute(insert(rollups).values(one))
    found = read(yard, at)
    assert found["mail"].rates == Rates(arrivals=5.0, completions=7.0)
    assert found["untold"].rates == Rates(arrivals=None, completions=1.0)
    assert (found["untold"].broker, found["untold"].waiting) == (None, None)
    assert found["quiet"].rates == Rates(arrivals=0.0, completions=0.0)


def test_the_time_to_drain() -> None:
    def queue(waiting: int | None, arrivals: float | None, completions: float) -> QueueReport:
        rates = Rates(arrivals, completions)
        return QueueReport(engine="celery", queue="q", waiting=waiting, rates=rates)

    assert drain_s(queue(30, 5.0, 20.0)) == 120.0
    assert drain_s(queue(30, 20.0, 20.0)) is None
    assert drain_s(queue(30, None, 20.0)) is None
    assert drain_s(queue(None, 1.0, 20.0)) is None
    assert drain_s(queue(0, 9.0, 1.0)) == 0.0


def test_metrics_show_fresh_depths_of_all_brokers(yard: Any) -> None:
    row, sampling = elect(yard, "mail", "unknown")

    async def scenario() -> None:
        sampling.sampled(row, yard.project_id, frames.Depths([sample("mail", 6, oldest_us=9)]))
        await sampling.turn()

    asyncio.run(scenario())
    with yard.database.read() as connection:
        shown = figures.read(connection, now() - MINUTE).queues
        assert shown == [figures.QueueDepth("shop", "celery", "mail", 6, 9)]
        assert figures.read(connection, now() + MINUTE).queues == []


def read(yard: Any, at: int) -> dict[str, QueueReport]:
    with yard.database.read() as connection:
        return {one.queue: one for one in report(connection, yard.project_id, at, 10)}
