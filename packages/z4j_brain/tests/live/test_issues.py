"""Issues on a real server: lists, decisions, who may decide, and what readers hear."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from z4j_core.events import Kind

on_sqlite = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
TRACEBACK = 'Traceback (most recent call last):\n  File "/srv/shop/{}.py", line 1, in run\nE: x\n'


def told(place: str) -> dict[str, Any]:
    exception = {"type": "ValueError", "message": f"no {place}"}
    return {"exception": exception, "traceback": TRACEBACK.format(place)}


@pytest.fixture
def failing(play: Any, agent: Any, event: Any) -> Any:
    """Run a scenario on a server whose tasks failed in three places."""

    def run(scenario: Any) -> None:
        async def whole(served: Any) -> None:
            token = served.session("operator")
            async with agent(served).connected([]) as worker, served.reader(token) as reader:
                assert (await reader.next())["type"] == "ready"
                await worker.tell(
                    *(event(f"{place}{n}", Kind.FAILED, data=told(place))
                      for n, place in enumerate("abbccc"))
                )  # fmt: skip
                heard = await reader.until(lambda message: "issues" in message)
                await scenario(served, token, worker, reader, heard)

        play(whole)

    return run


def test_from_a_failure_to_a_regression(failing: Any, event: Any) -> None:
    async def scenario(served: Any, token: str, worker: Any, reader: Any, heard: Any) -> None:
        status, body = await served.call(token, "GET", "/issues?sort=-count")
        assert (status, body["count"], body["counts"]) == (
            200, 3, {"open": 3, "resolved": 0, "muted": 0}
        )  # fmt: skip
        assert {one["id"] for one in body["items"]} == set(heard["issues"])
        assert [(one["title"], one["count"]) for one in body["items"]] == [
            ("shop.c in run", 3),
            ("shop.b in run", 2),
            ("shop.a in run", 1),
        ]
        issue = body["items"][0]
        assert (sum(issue["spark"]), len(issue["spark"]), issue["decision"]) == (3, 24, None)
        path = f"/issues/{issue['id']}"
        status, detail = await served.call(token, "GET", path)
        assert (status, detail["stack"]) == (200, "ValueError\nshop.c in run")
        assert (detail["series"][-1]["partial"], len(detail["series"])) == (True, 168)
        assert detail["places"] == [{"engine": "celery", "name": "app.send", "queue": "email"}]
        status, detail = await served.call(
            token, "POST", f"{path}/decisions", {"decision": "resolved"}
        )
        assert (status, detail["state"], detail["decision"]["decision"]) == (
            201, "resolved", "resolved"
        )  # fmt: skip
        assert detail["decision"]["by"].endswith("@example.org")
        told_of = await reader.until(lambda message: message.get("issues") == [issue["id"]])
        assert told_of["offset"] >= body["offset"]
        await worker.tell(event("again", Kind.FAILED, data=told("c")))
        await reader.until(lambda message: message.get("issues") == [issue["id"]])
        _, detail = await served.call(token, "GET", path)
        assert (detail["state"], detail["regressed"], detail["count"]) == ("open", True, 4)
        assert detail["regressed_at"] is not None
        _, task = await served.call(token, "GET", "/tasks/celery/again")
        assert task["issue"] == issue["id"]
        _, listed = await served.call(token, "GET", f"/tasks?q=issue:{issue['id']}")
        assert listed["count"] == 4
        _, overview = await served.call(token, "GET", "/overview")
        assert overview["issues"][0]["id"] == issue["id"]
        assert len(overview["issues"]) == 3

    failing(scenario)


@on_sqlite
def test_mutes_and_their_refusals(failing: Any) -> None:
    async def scenario(served: Any, token: str, worker: Any, reader: Any, heard: Any) -> None:
        path = f"/issues/{heard['issues'][0]}/decisions"
        for body in ({"decision": "muted"}, {"decision": "muted", "for_s": 3_600, "more": 5}):
            status, detail = await served.call(token, "POST", path, body)
            assert (status, detail["state"]) == (201, "muted")
        assert detail["decision"]["muted_count"] == detail["count"] + 5
        assert detail["decision"]["muted_until"] is not None
        assert [one["decision"] for one in detail["decisions"]] == ["muted", "muted"]
        for wrong in (
            {},
            {"decision": "gone"},
            {"decision": "muted", "for_s": 59},
            {"decision": "muted", "for_s": 10**12},
            {"decision": "muted", "more": 0},
            {"decision": "resolved", "more": 1},
            {"decision": "open", "for_s": 60},
            {"decision": "open", "unknown": 1},
        ):
            status, _ = await served.call(token, "POST", path, wrong)
            assert status == 422, wrong
        for missing in ("nothing", "%00", "x" * 65, "..%2f..", "\u202e"):
            for method, rest, body in (
                ("GET", "", None),
                ("POST", "/decisions", {"decision": "open"}),
            ):
                status, _ = await served.call(
                    token, method, f"/issues/{quote(missing, safe='%')}{rest}", body
                )
                assert status == 404, missing
        _, body = await served.call(token, "GET", "/issues?state=all")
        assert (body["count"], body["counts"]) == (3, {"open": 2, "resolved": 0, "muted": 1})

    failing(scenario)


@on_sqlite
def test_pages_and_searches(failing: Any) -> None:
    async def scenario(served: Any, token: str, worker: Any, reader: Any, heard: Any) -> None:
        seen: list[str] = []
        path = "/issues?limit=2&state=all"
        while path:
            _, body = await served.call(token, "GET", path)
            seen += [one["id"] for one in body["items"]]
            following = body["next"]
            path = following and f"/issues?limit=2&state=all&cursor={quote(following)}"
        assert sorted(seen) == sorted(heard["issues"])
        _, body = await served.call(token, "GET", "/issues?limit=2")
        for wrong in (
            f"/issues?state=muted&cursor={body['next']}",
            f"/issues?sort=-count&cursor={body['next']}",
            f"/issues?q=x&cursor={body['next']}",
            "/issues?cursor=%00",
        ):
            status, problem = await served.call(token, "GET", wrong)
            assert (status, problem["errors"][0]["pointer"]) == (422, "?cursor"), wrong
        for wrong in ("state=x", "sort=name", "limit=0", "q=" + "x" * 201, "q=a%00", "name=%00"):
            status, _ = await served.call(token, "GET", f"/issues?{wrong}")
            assert status == 422, wrong
        _, body = await served.call(token, "GET", "/issues?q=SHOP.B")
        assert [one["message"] for one in body["items"]] == ["no b"]
        _, body = await served.call(token, "GET", "/issues?name=app.send&queue=email")
        assert body["count"] == 3

    failing(scenario)


@on_sqlite
def test_only_operators_decide(failing: Any) -> None:
    async def scenario(served: Any, token: str, worker: Any, reader: Any, heard: Any) -> None:
        path = f"/issues/{heard['issues'][0]}"
        for role in ("viewer", "auditor"):
            other = served.session(role)
            assert (await served.call(other, "GET", path))[0] == 200
            status, _ = await served.call(other, "POST", f"{path}/decisions", {"decision": "open"})
            assert status == 403
        stranger = served.session(None)
        assert (await served.call(stranger, "GET", path))[0] == 404

    failing(scenario)
