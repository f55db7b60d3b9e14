"""Frames twice, out of order, and replayed, from a client whose signatures are right."""

from __future__ import annotations

import asyncio

from faults.arena import Arena
from faults.repeater import Ended, Repeater


def repeater(arena: Arena) -> Repeater:
    credential = arena.template.credential
    return Repeater(arena.agent_environment["Z4J_URL"], credential, "rep.1", arena.truth)


def check(arena: Arena, one: Repeater, frames: int) -> None:
    one.accept(frames)
    verdict = arena.judge()
    assert verdict.troubles == []
    assert verdict.events == 5 * frames


def test_a_frame_sent_twice_is_recorded_once(arena: Arena) -> None:
    async def scenario() -> Repeater:
        one = repeater(arena)
        assert await one.open() == 0
        for seq in (1, 2, 1, 2, 2, 3):
            await one.send(seq)
        await one.wait_for_ack(3)
        assert await one.open() == 3  # a new link, and everything again
        for seq in (1, 2, 3, 4):
            await one.send(seq)
        await one.wait_for_ack(4)
        await one.close()
        return one

    check(arena, asyncio.run(scenario()), 4)


def test_a_hole_is_refused_and_what_came_before_it_stays(arena: Arena) -> None:
    async def scenario() -> Repeater:
        one = repeater(arena)
        await one.open()
        await one.send(1)
        await one.send(3)
        assert await one.wait_for_end() == Ended(4400, "out_of_order")
        await one.open_at(1)
        await one.send(2)
        await one.send(3)
        await one.wait_for_ack(3)
        await one.close()
        return one

    check(arena, asyncio.run(scenario()), 3)


def test_a_replayed_message_is_refused(arena: Arena) -> None:
    async def scenario() -> Repeater:
        one = repeater(arena)
        await one.open()
        await one.send(1)
        await one.replay(one.sent[-1])
        assert await one.wait_for_end() == Ended(4403, "bad_signature")
        stolen = one.sent[-1]
        await one.open_at(1)
        await one.replay(stolen)  # nor on another link
        assert await one.wait_for_end() == Ended(4403, "bad_signature")
        await one.close()
        return one

    check(arena, asyncio.run(scenario()), 1)
