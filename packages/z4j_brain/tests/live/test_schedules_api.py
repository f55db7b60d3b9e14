"""Schedules over HTTP, read and acted on by an agent on a real link."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from z4j_core import frames
from z4j_core.events import Kind
from z4j_core.schedules import Owner, WireSchedule

STORE = "00000000000000aa"
NAME = "reports/nightly ä"
TARGET = {"store": STORE, "schedule": NAME}
EVERY = '{"type":"object","properties":{"every_s":{"type":"number"}},"additionalProperties":false}'
BEAT = frames.SchedulerInfo(
    "beat",
    "celery",
    STORE,
    "1.0",
    [
        frames.ActionInfo("pause", target="schedule", title="Pause", destructive=True),
        frames.ActionInfo("run_now", target="schedule", title="Run now"),
        frames.ActionInfo("update", target="schedule", title="Change", params_schema=EVERY),
        frames.ActionInfo("create", target="scheduler", title="New", params_schema=EVERY),
        frames.ActionInfo("delete", absent="It stands in the code."),
        frames.ActionInfo("retry", target="task", title="Retry"),
        frames.ActionInfo("explode", target="everything", title="Explode"),
    ],
)


def wire(name: str = NAME, **fields: Any) -> WireSchedule:
    known: dict[str, Any] = {"id": name, "name": name, "timing": "daily", "owner": Owner.CODE}
    return WireSchedule(**(known | {"task": "app.report"} | fields))


def told(*found: WireSchedule) -> frames.Schedules:
    return frames.Schedules("beat", STORE, list(found), len(found))


async def until(served: Any, session: str, path: str, fits: Any) -> Any:
    """Read until the answer is as it should be."""
    async with asyncio.timeout(60):
        while True:
            status, body = await served.call(session, "GET", path)
            assert status == 200
            if fits(body):
                return body
            await asyncio.sleep(0.02)


def test_list_detail_and_feed(play: Any, agent: Any, event: Any) -> None:
    async def scenario(served: Any) -> None:
        viewer = served.session("viewer")
        status, empty = await served.call(viewer, "GET", "/schedulers")
        assert (status, empty["items"]) == (200, [])
        async with served.reader(viewer) as reader, agent(served).connected([], [BEAT]) as worker:
            assert (await worker.reading()).watched == [frames.WatchedStore("beat", STORE)]
            await worker.tell(event("t1", Kind.STARTED, name="app.report"))
            secret = b'{"kwargs":{"password":"planted"}}'
            await worker.send(told(wire(arguments=secret, hidden=["kwargs"]), wire("b")))
            changed = await reader.until(lambda message: "schedules" in message)
            assert len(changed["schedules"]) == 2
            body = await until(served, viewer, "/schedules", lambda body: body["items"])
            assert [one["schedule"] for one in body["items"]] == ["b", NAME]
            assert (body["count"], body["next"]) == (2, None)
            row = body["items"][1]
            assert row["id"] in changed["schedules"]
            detail = await until(
                served, viewer, f"/schedules/{row['id']}", lambda body: body["runs"]
            )
            assert detail["runs"][0]["task_id"] == "t1"
            assert detail["hidden"] == ["kwargs"]
            assert "planted" not in str(detail)
            _, stores = await served.call(viewer, "GET", "/schedulers")
            [store] = stores["items"]
            assert (store["reader"], store["unread"], store["known"]) == ("w1", False, 2)
            assert {one["name"] for one in store["actions"]} == {
                "pause",
                "run_now",
                "update",
                "create",
            }
            assert {one["permission"] for one in store["actions"]} == {"command.schedule"}
            assert store["absent"][0]["reason"] == "It stands in the code."
            _, actions = await served.call(viewer, "GET", "/actions")
            assert actions == {"items": [], "absent": []}, "those of engines only"
            _, page = await served.call(viewer, "GET", "/schedules?limit=1")
            _, rest = await served.call(viewer, "GET", f"/schedules?limit=1&cursor={page['next']}")
            assert [one["schedule"] for one in page["items"] + rest["items"]] == ["b", NAME]
            for query, found in (
                ("?owner=code&state=enabled", 2),
                ("?owner=store", 0),
                ("?state=paused", 0),
                ("?state=missed", 0),
                ("?scheduler=other", 0),
                (f"?store={STORE}", 2),
            ):
                _, body = await served.call(viewer, "GET", "/schedules" + query)
                assert body["count"] == len(body["items"]) == found
            await worker.send(told(wire("b")))
            await until(served, viewer, "/schedules?state=gone", lambda body: body["count"] == 1)
        await until(served, viewer, "/schedulers", lambda body: body["items"][0]["unread"])

    play(scenario)


@pytest.mark.parametrize(
    "path",
    [
        "/schedules?state=asleep",
        "/schedules?store=redis://:secret@host",
        "/schedules?scheduler=A%00",
        "/schedules?limit=201",
        "/schedules?cursor=bad",
    ],
)
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_hostile_queries_are_refused(play: Any, path: str) -> None:
    async def scenario(served: Any) -> None:
        status, body = await served.call(served.session("viewer"), "GET", path)
        assert status == 422
        assert "secret" not in str(body)

    play(scenario)


def test_actions_reach_the_reader(play: Any, agent: Any) -> None:
    async def scenario(served: Any) -> None:
        operator, viewer = served.session("operator"), served.session("viewer")
        pause = {"action": "pause", "engine": "beat", "target": TARGET}
        async with agent(served).connected([], [BEAT]) as worker:
            await worker.reading()
            await worker.send(told(wire(absent={"run_now": "It must not run by hand."})))
            await until(served, viewer, "/schedules", lambda body: body["items"])
            status, _ = await served.call(viewer, "POST", "/commands", pause)
            assert status == 403
            status, made = await served.call(operator, "POST", "/commands", pause)
            assert (status, made["target"]) == (202, TARGET)
            command = await worker.command()
            assert (command.engine, command.action, command.schedule) == ("beat", "pause", NAME)
            await worker.answer(command)
            await until(
                served,
                viewer,
                f"/commands/{made['id']}",
                lambda body: body["state"] == "succeeded",
            )
            create = {"action": "create", "engine": "beat", "params": {"every_s": 5}}
            status, made = await served.call(
                operator, "POST", "/commands", create | {"target": {"store": STORE}}
            )
            assert status == 202
            command = await worker.command()
            assert (command.schedule, command.params) == (None, b'{"every_s": 5}')
            for body, status, pointer in (
                (pause | {"target": {"schedule": NAME}}, 409, None),
                (pause | {"target": {"store": STORE}}, 422, "/target/schedule"),
                (pause | {"target": TARGET | {"schedule": "gone"}}, 422, "/target/schedule"),
                (pause | {"target": TARGET | {"store": "0" * 16}}, 422, "/target/schedule"),
                (pause | {"target": TARGET | {"schedule": "x" * 256}}, 422, "/target/schedule"),
                (pause | {"target": TARGET | {"task_id": "t"}}, 422, "/target/task_id"),
                (create | {"target": TARGET}, 422, "/target/schedule"),
                (pause | {"action": "run_now"}, 409, None),
                (pause | {"action": "delete"}, 409, None),
                (pause | {"action": "update", "params": {"x": 1}}, 422, "/params"),
            ):
                found, said = await served.call(operator, "POST", "/commands", body)
                assert found == status, body
                if pointer is not None:
                    assert said["errors"][0]["pointer"] == pointer

    play(scenario)
