"""The hub with a source in memory: coalescing, resuming, slow readers, the end."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest

from z4j_brain.live import channel, feed, subscription
from z4j_brain.live.changes import Changes
from z4j_brain.live.hub import Hub, Pulse
from z4j_brain.live.messages import Views
from z4j_brain.live.subscription import Close, Subscription

ALL = frozenset({"tasks", "workers", "commands", "agents", "overview"})
PROJECT = uuid.uuid4()


class MemorySource:
    """The database of a hub: counts how often it is read."""

    def __init__(self) -> None:
        self.position = 0
        self.reads: list[Changes] = []
        self.fails = False

    async def pulse(self, project_id: uuid.UUID) -> Pulse:
        return Pulse(self.position, "now", 7)

    async def views(self, project_id: uuid.UUID, changes: Changes) -> Views:
        self.reads.append(changes)
        if self.fails:
            raise RuntimeError("no database")
        return Views(
            tasks=[{"task_id": key} for _, key in changes.task_keys],
            workers=[{"id": str(row)} for row in changes.workers],
            agents=[str(row) for row in changes.agents],
        )


class House:
    def __init__(self) -> None:
        self.hub = Hub()
        self.source = MemorySource()

    def change(self, *tasks: str, **fields: Any) -> int:
        """Commit and publish one transaction."""
        self.source.position += 1
        changes = Changes(task_keys=[("celery", task) for task in tasks], **fields)
        self.hub.publish(PROJECT, self.source.position, changes)
        return self.source.position

    async def join(self, offset: int | None = None, topics: frozenset[str] = ALL) -> Subscription:
        return await self.hub.subscribe(self.source, PROJECT, topics, offset)


async def take(reader: Subscription) -> Any:
    async with asyncio.timeout(60):
        message = await reader.next()
    return message if isinstance(message, Close) else msgspec.json.decode(message)


def play(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def test_changes_follow_the_beginning() -> None:
    async def scenario() -> None:
        house = House()
        house.change("before")
        reader = await house.join()
        assert await take(reader) == {"type": "ready", "offset": 1, "lag_ms": 7}
        house.change("a")
        message = await take(reader)
        assert message == {"type": "changes", "offset": 2, "tasks": [{"task_id": "a"}]}
        await house.hub.stop()

    play(scenario())


def test_many_changes_become_few_messages_and_few_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        house = House()
        readers = [await house.join() for _ in range(20)]
        for number in range(300):
            house.change(f"t{number % 5}")
            if number % 50 == 0:
                await asyncio.sleep(0)
        seen: dict[int, list[Any]] = {}
        for index, reader in enumerate(readers):
            await take(reader)
            seen[index] = [await take(reader)]
            while seen[index][-1]["offset"] < 300:
                seen[index].append(await take(reader))
        assert len(house.source.reads) == len(seen[0]) <= 3
        assert all(messages == seen[0] for messages in seen.values())
        assert {task["task_id"] for one in seen[0] for task in one["tasks"]} == {
            f"t{number}" for number in range(5)
        }
        await house.hub.stop()

    play(scenario())


def test_nobody_listening_costs_no_read_and_no_memory() -> None:
    async def scenario() -> None:
        house = House()
        reader = await house.join()
        house.hub.unsubscribe(PROJECT, reader)
        house.hub.unsubscribe(PROJECT, reader)
        house.change("a")
        await asyncio.sleep(2 * channel.FLUSH_EVERY_S)
        assert house.source.reads == []
        assert house.hub.reader_count(PROJECT) == 0
        assert house.hub._feeds[PROJECT].take().size == 0

    play(scenario())


def test_a_reader_resumes_where_it_was() -> None:
    async def scenario() -> None:
        house = House()
        for name in "abc":
            house.change(name)
        reader = await house.join(offset=1)
        assert (await take(reader))["offset"] == 1
        message = await take(reader)
        assert message["offset"] == 3
        assert [task["task_id"] for task in message["tasks"]] == ["b", "c"]
        current = await house.join(offset=3)
        assert (await take(current))["offset"] == 3
        house.change("d")
        assert [task["task_id"] for task in (await take(current))["tasks"]] == ["d"]
        await house.hub.stop()

    play(scenario())


@pytest.mark.parametrize("asked", [0, 99])
def test_an_offset_that_is_not_held_resets(asked: int) -> None:
    async def scenario() -> None:
        house = House()
        house.source.position = 5
        house.change("a")
        reader = await house.join(offset=asked)
        assert await take(reader) == {"type": "ready", "offset": asked, "lag_ms": 7}
        assert await take(reader) == {"type": "reset", "offset": 6}
        await house.hub.stop()

    play(scenario())


def test_each_reader_gets_its_topics() -> None:
    async def scenario() -> None:
        house = House()
        worker, agent = uuid.uuid4(), uuid.uuid4()
        tasks = await house.join(topics=frozenset({"tasks"}))
        workers = await house.join(topics=frozenset({"workers", "agents"}))
        house.change("a", workers=[worker], agents=[agent])
        for reader in (tasks, workers):
            await take(reader)
        assert await take(tasks) == {"type": "changes", "offset": 1, "tasks": [{"task_id": "a"}]}
        assert await take(workers) == {
            "type": "changes",
            "offset": 1,
            "workers": [{"id": str(worker)}],
            "agents": [str(agent)],
        }
        house.change("b")
        assert (await take(tasks))["offset"] == 2
        house.change(workers=[worker])
        assert (await take(workers))["offset"] == 3
        await house.hub.stop()

    play(scenario())


def test_too_many_tasks_are_announced_only() -> None:
    async def scenario() -> None:
        house = House()
        reader = await house.join()
        await take(reader)
        house.change(*(f"t{number}" for number in range(feed.MANY_TASKS)))
        assert await take(reader) == {"type": "changes", "offset": 1, "many": True}
        assert house.source.reads[0].task_keys == []
        resumed = await house.join(offset=0)
        await take(resumed)
        assert await take(resumed) == {"type": "changes", "offset": 1, "many": True}
        await house.hub.stop()

    play(scenario())


def test_a_slow_reader_is_dropped_and_the_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "MAX_WAITING_MESSAGES", 3)
    monkeypatch.setattr(channel, "FLUSH_EVERY_S", 0.0)

    async def scenario() -> None:
        house = House()
        slow, quick = await house.join(), await house.join()
        await take(quick)
        for number in range(1, 9):
            house.change(f"t{number}")
            while (await take(quick))["offset"] < number:
                pass
        assert await take(slow) == Close(1013, "reading too slowly; reconnect")
        assert slow.closed.is_set()
        assert not quick.closed.is_set()
        await house.hub.stop()

    play(scenario())


def test_waiting_bytes_are_bounded_but_one_large_message_passes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subscription, "MAX_WAITING_BYTES", 10)

    async def scenario() -> None:
        reader = Subscription(ALL)
        reader.offer(b"x" * 50)
        assert await reader.next() == b"x" * 50
        reader.offer(b"x" * 6)
        reader.offer(b"x" * 6)
        assert isinstance(await reader.next(), Close)

    play(scenario())


def test_publishing_from_threads() -> None:
    async def scenario() -> None:
        house = House()
        reader = await house.join()
        await take(reader)
        lock = threading.Lock()

        def work(name: int) -> None:
            for number in range(20):
                with lock:
                    house.source.position += 1
                    offset = house.source.position
                keys = [("celery", f"t{name}-{number}")]
                house.hub.publish(PROJECT, offset, Changes(task_keys=keys))

        threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
        for thread in threads:
            thread.start()
        seen: set[str] = set()
        offset = 0
        while len(seen) < 160 or offset < 160:
            message = await take(reader)
            seen |= {task["task_id"] for task in message["tasks"]}
            assert message["offset"] >= offset
            offset = message["offset"]
        for thread in threads:
            thread.join()
        await house.hub.stop()

    play(scenario())


def test_a_failing_read_tells_readers_to_look_again() -> None:
    async def scenario() -> None:
        house = House()
        reader = await house.join()
        await take(reader)
        house.source.fails = True
        house.change("a")
        assert await take(reader) == {"type": "reset", "offset": 1}
        house.source.fails = False
        house.change("b")
        assert (await take(reader))["tasks"] == [{"task_id": "b"}]
        await house.hub.stop()

    play(scenario())


def test_ticks_and_missed_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "TICK_EVERY_S", 0.01)
    monkeypatch.setattr(feed, "PATIENCE_S", 0.0)

    async def scenario() -> None:
        house = House()
        reader = await house.join()
        await take(reader)
        assert await take(reader) == {"type": "tick", "offset": 0, "now": "now", "lag_ms": 7}
        house.source.position = 3  # by a process that publishes elsewhere
        while (message := await take(reader))["type"] == "tick":
            assert message["offset"] == 0
        assert message == {"type": "reset", "offset": 3}
        assert (await take(reader))["offset"] == 3
        await house.hub.stop()

    play(scenario())


def test_the_end_of_the_server() -> None:
    async def scenario() -> None:
        house = House()
        reader = await house.join()
        await take(reader)
        await house.hub.stop()
        assert await take(reader) == Close(1012, "restarting")
        house.change("late")
        late = await house.join()
        assert await take(late) == Close(1012, "restarting")
        house.hub.unsubscribe(PROJECT, late)

    play(scenario())


def test_publishing_after_the_loop_has_ended() -> None:
    house = House()

    async def scenario() -> None:
        await house.join()

    play(scenario())
    house.change("late")
