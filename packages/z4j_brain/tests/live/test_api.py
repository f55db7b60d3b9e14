"""The record's addresses on a real server: shapes, permissions, refusals."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from z4j_core.events import Kind
from z4j_core.frames import ActionInfo, EngineInfo

ENGINES = [
    EngineInfo(
        "celery",
        "5",
        [
            ActionInfo("retry", "task", params_schema='{"type":"object"}', states=["failed"]),
            ActionInfo("fly", "engine", title="Fly"),
            ActionInfo("purge", absent="No broker."),
        ],
    )
]
on_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
UNKNOWN = uuid.UUID(int=5)


@pytest.fixture
def filled(play: Any, agent: Any, event: Any) -> Any:
    """Run a scenario against a server with five tasks and one linked worker."""

    def run(scenario: Any) -> None:
        async def whole(served: Any) -> None:
            token = served.session("operator")
            async with agent(served).connected(ENGINES) as worker:
                await worker.tell(
                    *(event(f"t{n}", Kind.FAILED) for n in range(3)),
                    event("a/b?c#d %2F", Kind.SUCCEEDED, data={"result": [1]}),
                    event("\u00e4\U0001f600", Kind.STARTED),
                )
                async with served.reader(token, offset=0) as reader:
                    await reader.until(lambda message: "tasks" in message)
                await scenario(served, token, worker)

        play(whole)

    return run


@on_sqlite
def test_lists_have_one_shape(filled: Any) -> None:
    async def scenario(served: Any, token: str, worker: Any) -> None:
        for path in ("/tasks", "/workers", "/commands", "/agents"):
            status, body = await served.call(token, "GET", path)
            assert status == 200
            assert set(body) == {"items", "next", "count", "count_capped", "offset"}
            assert body["count"] == len(body["items"])

    filled(scenario)


@on_sqlite
def test_cursors(filled: Any) -> None:
    async def scenario(served: Any, token: str, worker: Any) -> None:
        seen: list[str] = []
        path = "/tasks?limit=2"
        while True:
            status, body = await served.call(token, "GET", path)
            assert (status, body["count"]) == (200, 5)
            seen += [task["task_id"] for task in body["items"]]
            if body["next"] is None:
                break
            path = f"/tasks?limit=2&cursor={quote(body['next'])}"
        assert len(set(seen)) == len(seen) == 5
        _, body = await served.call(token, "GET", "/tasks?limit=1")
        for wrong in (
            f"/tasks?q=state:failed&cursor={body['next']}",
            f"/tasks?sort=first_at&cursor={body['next']}",
            f"/workers?cursor={body['next']}",
            "/tasks?cursor=WzFd",
            "/tasks?cursor=%00",
            "/tasks?cursor=%F0%9F%98%80",
            "/commands?cursor=e30",
            "/tasks?cursor=" + "A" * 2_000,
        ):
            status, problem = await served.call(token, "GET", wrong)
            assert (status, problem["errors"][0]["pointer"]) == (422, "?cursor"), wrong
        status, body = await served.call(token, "GET", "/tasks?sort=first_at&limit=200")
        assert [task["task_id"] for task in body["items"]] == seen[::-1]

    filled(scenario)


@on_sqlite
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("q=bogus:1", "?q[0:7]"),
        ("q=x%20state:done", "?q[2:12]"),
        ("q=" + "x" * 1_001, "?q[1000:1001]"),
        ("q=a%00", "?q"),
        ("limit=0", "?limit"),
        ("limit=201", "?limit"),
        ("sort=name", "?sort"),
        ("offset=5", "?offset"),
    ],
)
def test_refused_queries(filled: Any, query: str, pointer: str) -> None:
    async def scenario(served: Any, token: str, worker: Any) -> None:
        status, problem = await served.call(token, "GET", f"/tasks?{query}")
        assert (status, problem["type"]) == (422, "/problems/invalid-input")
        assert problem["errors"][0]["pointer"] == pointer

    filled(scenario)


@on_sqlite
def test_single_things(filled: Any) -> None:
    async def scenario(served: Any, token: str, worker: Any) -> None:
        for task_id in ("t1", "a/b?c#d %2F", "\u00e4\U0001f600"):
            path = f"/tasks/celery/{quote(task_id, safe='')}"
            status, body = await served.call(token, "GET", path)
            assert (status, body["task_id"]) == (200, task_id)
            status, body = await served.call(token, "GET", f"{path}/events")
            assert (status, len(body["items"]), body["truncated"]) == (200, 1, False)
            assert body["items"][0]["worker"] == "w1"
            status, body = await served.call(token, "GET", f"{path}/tree")
            assert (status, body["path"], body["next"]) == (200, body["items"], None)
            assert [one["task_id"] for one in body["items"]] == [task_id]
        [worker_view] = (await served.call(token, "GET", "/workers"))[1]["items"]
        status, body = await served.call(token, "GET", f"/workers/{worker_view['id']}")
        assert status == 200
        assert [task["task_id"] for task in body["running"]] == ["\u00e4\U0001f600"]
        assert worker_view["running"] == 1
        for missing in (
            "/tasks/celery/none",
            "/tasks/celery/none/events",
            "/tasks/celery/none/tree",
            "/tasks/celery/%00/tree",
            "/tasks/celery/%00",
            f"/tasks/celery/{'x' * 300}",
            f"/workers/{UNKNOWN}",
            "/workers/w1",
            f"/commands/{UNKNOWN}",
        ):
            status, problem = await served.call(token, "GET", missing)
            assert (status, problem["type"]) == (404, "/problems/not-found"), missing

    filled(scenario)


@on_sqlite
def test_overview_facets_and_actions(filled: Any) -> None:
    async def scenario(served: Any, token: str, worker: Any) -> None:
        _, overview = await served.call(token, "GET", "/overview")
        assert (overview["totals"]["failed"], overview["totals"]["running"]) == (3, 1)
        assert (len(overview["series"]), overview["window_s"]) == (60, 3_600)
        assert overview["now"]["workers_online"] == 1
        assert overview["issues"][0]["count"] == 3
        _, facets = await served.call(token, "GET", "/facets")
        assert facets["queues"] == [{"engine": "celery", "queue": "email"}]
        assert (facets["names"], facets["workers"]) == (["app.send"], ["w1"])
        _, actions = await served.call(token, "GET", "/actions")
        assert [(one["name"], one["permission"]) for one in actions["items"]] == [
            ("fly", "command.custom"),
            ("retry", "command.retry"),
        ]
        assert actions["absent"] == [{"engine": "celery", "name": "purge", "reason": "No broker."}]
        [row] = (await served.call(token, "GET", "/workers"))[1]["items"]
        assert await served.call(token, "GET", f"/actions?worker={row['id']}") == (200, actions)
        _, none = await served.call(token, "GET", f"/actions?worker={UNKNOWN}")
        assert none == {"items": [], "absent": []}, "what others offer is not this worker's"

    filled(scenario)


@on_sqlite
def test_commands_need_their_permission(filled: Any) -> None:
    async def scenario(served: Any, token: str, worker: Any) -> None:
        body = {"action": "retry", "engine": "celery", "target": {"task_id": "t0"}}
        for role, expected in (("viewer", 403), ("auditor", 403), ("operator", 202)):
            status, answer = await served.call(served.session(role), "POST", "/commands", body)
            assert status == expected, answer
        status, answer = await served.call(served.session(None), "POST", "/commands", body)
        assert (status, answer["type"]) == (404, "/problems/not-found")
        viewer = served.session("viewer")
        _, detail = await served.call(viewer, "GET", "/tasks/celery/t0")
        assert {name: detail["actions"][0][name] for name in ("name", "allowed")} == {
            "name": "retry",
            "allowed": False,
        }
        status, _ = await served.call(viewer, "GET", "/commands?task_id=t0")
        assert status == 200

    filled(scenario)


@on_sqlite
def test_refused_commands(filled: Any) -> None:
    good = {"action": "retry", "engine": "celery", "params": {}, "target": {"task_id": "t0"}}

    async def scenario(served: Any, token: str, worker: Any) -> None:
        for change, expected, pointer in (
            ({"action": "Retry!"}, 422, "/action"),
            ({"engine": ""}, 422, "/engine"),
            ({"params": []}, 422, "/params"),
            ({"target": {"task_id": ""}}, 422, "/target/task_id"),
            ({"target": {"task_id": "x" * 300}}, 422, "/target/task_id"),
            ({"target": {"task_id": "\0"}}, 422, ""),
            ({"target": {"task_id": "none"}}, 422, "/target/task_id"),
            ({"target": {"everything": True}}, 422, "/target"),
            ({"target": {"task_id": "a/b?c#d %2F"}}, 409, None),
            ({"action": "purge", "target": {"queue": "email"}}, 409, None),
            ({"extra": 1}, 422, ""),
        ):
            status, problem = await served.call(token, "POST", "/commands", good | change)
            assert status == expected, (change, problem)
            if pointer is not None:
                assert problem["errors"][0]["pointer"].startswith(pointer), (change, problem)
        for key in ("", "k" * 129, "caf\u00e9"):
            status, problem = await served.call(
                token, "POST", "/commands", good, **{"Idempotency-Key": key}
            )
            assert (status, problem["errors"][0]["pointer"]) == (422, "Idempotency-Key")
        key = {"Idempotency-Key": "k1"}
        first = await served.call(token, "POST", "/commands", good, **key)
        again = await served.call(token, "POST", "/commands", good, **key)
        assert first[0] == again[0] == 202
        assert first[1]["id"] == again[1]["id"]
        other = good | {"target": {"task_id": "t1"}}
        status, problem = await served.call(token, "POST", "/commands", other, **key)
        assert (status, problem["type"]) == (409, "/problems/conflict")
        _, listed = await served.call(token, "GET", "/commands")
        assert [command["id"] for command in listed["items"]] == [first[1]["id"]]

    filled(scenario)


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_a_filter_that_takes_too_long(play: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(connection: Any, **_rest: Any) -> None:
        connection.exec_driver_sql("SET statement_timeout = 50")
        connection.exec_driver_sql("SELECT pg_sleep(20)")

    monkeypatch.setattr("z4j_brain.api.tasks.list_tasks", slow)

    async def scenario(served: Any) -> None:
        status, problem = await served.call(served.session(), "GET", "/tasks?q=worker:none")
        assert (status, problem["errors"][0]["pointer"]) == (422, "?q")
        assert "takes too long" in problem["detail"]

    play(scenario)


@on_sqlite
def test_a_series_and_its_totals(filled: Any) -> None:
    async def scenario(served: Any, token: str, worker: Any) -> None:
        status, body = await served.call(token, "GET", "/series?resolution=minute&group_by=name")
        assert status == 200
        assert (body["resolution"], body["step_s"], body["others"]) == ("minute", 60, 0)
        assert body["from"] < body["to"]
        [group] = body["groups"]
        assert len(group["points"]) in (60, 61)
        assert sum(point["failed"] for point in group["points"]) == 3
        assert (group["total"]["failed"], group["total"]["succeeded"], group["ended"]) == (3, 1, 4)
        status, body = await served.call(token, "GET", "/totals?group_by=queue&queue=email")
        assert status == 200
        assert [one["ended"] for one in body["groups"]] == [4]
        assert "points" not in body["groups"][0]

    filled(scenario)


@on_sqlite
def test_hostile_parameters_of_a_series_are_refused_in_words(filled: Any) -> None:
    refused = {
        "from=yesterday": "?from",
        "from=2026-01-31T23:59:59Z&to=2026-01-01T00:00:00Z": "?from",
        "from=0001-01-01T00:00:00%2B14:00": "?from",
        "from=1969-12-31T23:59:59Z": "?from",
        "to=9999-12-31T23:59:59-14:00": "?to",
        "from=" + "9" * 41: "?from",
        "from=2020-01-01T00:00:00Z&resolution=minute": "?from",
        "resolution=second": "?resolution",
        "group_by=worker": "?group_by",
        "top=0": "?top",
        "top=21": "?top",
        "top=1e3": "?top",
        "queue=" + "q" * 256: "?queue",
        "name=%00": "?name",
        "name=a&name=b": "?name",
        "limit=5": "?limit",
    }

    async def scenario(served: Any, token: str, worker: Any) -> None:
        for words, pointer in refused.items():
            status, body = await served.call(token, "GET", f"/series?{words}")
            assert (status, body["errors"][0]["pointer"]) == (422, pointer), words
            assert body["errors"][0]["detail"]
        status, body = await served.call(token, "GET", "/series?queue=null&name=%27%3B--")
        assert (status, body["groups"][0]["ended"]) == (200, 0)
        assert (await served.call(token, "GET", "/totals?top=501"))[0] == 422

    filled(scenario)
