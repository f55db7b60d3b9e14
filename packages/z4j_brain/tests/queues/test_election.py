"""One worker for each queue, whoever looks; another at once when it is gone or silent."""

from __future__ import annotations

import asyncio
from typing import Any

from queue_yard import BROKER, NOON, Links, knows, sample

from z4j_brain.clock import now
from z4j_brain.store.schema import queues, worker_queues
from z4j_brain.store.worker_queues import MAX_QUEUES
from z4j_core import frames


def test_one_worker_is_elected_for_all_queues_of_a_broker(yard: Any) -> None:
    web = yard.add_worker("web", role="web", first_seen=NOON - 9)
    old, new = yard.add_worker("w1"), yard.add_worker("w2", first_seen=NOON + 1)
    links = Links(web, old, new)
    sampling = yard.sampling(links)

    async def scenario() -> None:
        sampling.told(web, yard.project_id, knows("mail", "reports"))
        sampling.told(new, yard.project_id, knows("mail", consumed=("mail",)))
        sampling.told(old, yard.project_id, knows("mail", "web", consumed=("mail", "web")))
        await sampling.turn()
        assert yard.samplers() == dict.fromkeys(("mail", "web", "reports"), old)
        assert links.told == [
            (old, frames.Watch(10, [frames.Watched("celery", BROKER, ["mail", "reports", "web"])]))
        ]
        await sampling.turn()
        assert len(links.told) == 1, "what has not changed is not told again"

    asyncio.run(scenario())


def test_a_worker_that_is_gone_is_replaced_and_a_new_one_displaces_nobody(yard: Any) -> None:
    first, second = yard.add_worker("w1"), yard.add_worker("w2", first_seen=NOON + 1)
    links = Links(first, second)
    sampling = yard.sampling(links)

    async def scenario() -> None:
        sampling.told(first, yard.project_id, knows("mail"))
        sampling.told(second, yard.project_id, knows("mail"))
        await sampling.turn()
        yard.end(first)
        links.linked.discard(first)
        sampling.link_ended(first)
        await sampling.turn()
        assert yard.samplers() == {"mail": second}
        assert links.names(second) == ["mail"]
        older = yard.add_worker("w0", first_seen=NOON - 1)
        links.linked.add(older)
        sampling.told(older, yard.project_id, knows("mail"))
        await sampling.turn()
        assert yard.samplers() == {"mail": second}
        yard.end(second)
        yard.end(older)
        await sampling.turn()
        assert yard.samplers() == {"mail": second}, "there is nobody else"

    asyncio.run(scenario())


def test_a_silent_worker_gives_way_and_samples_renew_the_claim(yard: Any) -> None:
    first, second = yard.add_worker("w1"), yard.add_worker("w2", first_seen=NOON + 1)
    links = Links(first, second)
    sampling = yard.sampling(links)

    async def scenario() -> None:
        for row in (first, second):
            sampling.told(row, yard.project_id, knows("mail"))
        await sampling.turn()
        yard.change(elected_at=now() - 31_000_000)
        sampling.sampled(first, yard.project_id, frames.Depths([sample("mail", None)]))
        await sampling.turn()
        assert yard.samplers() == {"mail": first}, "a sample that tells nothing is one, too"
        yard.change(sampled_at=now() - 31_000_000)
        await sampling.turn()
        assert yard.samplers() == {"mail": second}
        assert links.names(first) == [], "it is told to stop"
        yard.change(elected_at=now() - 31_000_000)
        await sampling.turn()
        assert yard.samplers() == {"mail": first}, "the next one after the last is the first"

    asyncio.run(scenario())


def test_two_replicas_agree_and_each_tells_its_own_links(yard: Any) -> None:
    here, there = yard.add_worker("w1"), yard.add_worker("w2", first_seen=NOON + 1)
    one, other = Links(here), Links(there)
    first, second = yard.sampling(one), yard.sampling(other)

    async def scenario() -> None:
        first.told(here, yard.project_id, knows("mail"))
        second.told(there, yard.project_id, knows("mail"))
        await asyncio.gather(first.turn(), second.turn())
        await asyncio.gather(first.turn(), second.turn())
        assert first.counters.claims + second.counters.claims == 1
        [elected] = set(yard.samplers().values())
        told = one.names(here) + other.names(there)
        assert told == ["mail"]
        yard.end(elected)
        await asyncio.gather(first.turn(), second.turn())
        await asyncio.gather(first.turn(), second.turn())
        [successor] = set(yard.samplers().values())
        assert {elected, successor} == {here, there}

    asyncio.run(scenario())


def test_a_new_link_is_told_anew(yard: Any) -> None:
    row = yard.add_worker("w1")
    links = Links(row)
    sampling = yard.sampling(links)

    async def scenario() -> None:
        for _ in range(2):
            sampling.told(row, yard.project_id, knows("mail"))
            await sampling.turn()
        assert [watch for _, watch in links.told] == [links.told[0][1]] * 2

    asyncio.run(scenario())


def test_brokers_and_projects_are_told_apart(yard: Any) -> None:
    mine = yard.add_worker("w1")
    other_project = yard.add_project("bank")
    theirs = yard.add_worker("w1", project_id=other_project)
    far = yard.add_worker("w2", project_id=yard.project_id)
    links = Links(mine, theirs, far)
    sampling = yard.sampling(links)

    async def scenario() -> None:
        sampling.told(mine, yard.project_id, knows("mail"))
        sampling.told(theirs, other_project, knows("mail"))
        sampling.told(far, yard.project_id, knows("mail", broker="00000000000000bb"))
        await sampling.turn()
        assert {row for row, _ in links.told} == {mine, theirs, far}
        assert len(yard.rows(queues)) == 3

    asyncio.run(scenario())


def test_what_a_worker_no_longer_knows_is_forgotten(yard: Any) -> None:
    row = yard.add_worker("w1")
    sampling = yard.sampling(Links(row))

    async def scenario() -> None:
        sampling.told(row, yard.project_id, knows("a", "b", consumed=("a",)))
        await sampling.turn()
        sampling.told(row, yard.project_id, knows("b", "c", consumed=("b",)))
        await sampling.turn()
        known = {one["queue"]: one["is_consumed"] for one in yard.rows(worker_queues)}
        assert known == {"b": True, "c": False}

    asyncio.run(scenario())


def test_ten_thousand_queues_are_bounded(yard: Any) -> None:
    rows = [yard.add_worker(f"w{number}") for number in range(50)]
    sampling = yard.sampling(Links(*rows))

    async def scenario() -> None:
        for number, row in enumerate(rows):
            names = [f"q{number}-{place}" for place in range(200)]
            sampling.told(row, yard.project_id, knows(*names))
        await sampling.turn()
        assert len(yard.rows(queues)) == MAX_QUEUES
        assert len(yard.rows(worker_queues)) == MAX_QUEUES
        assert sampling.counters.refused == 10_000 - MAX_QUEUES

    asyncio.run(scenario())


def test_nothing_is_sampled_when_the_setting_is_0(yard: Any) -> None:
    row = yard.add_worker("w1")
    links = Links(row)
    sampling = yard.sampling(links, every_s=0)

    async def scenario() -> None:
        sampling.told(row, yard.project_id, knows("mail"))
        await sampling.turn()
        assert yard.samplers() == {"mail": None}
        assert links.told == []

    asyncio.run(scenario())
