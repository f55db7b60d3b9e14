"""Agent, server and dashboard on real sockets: events, commands and results arrive live."""

from __future__ import annotations

import json
from typing import Any

from z4j_core.events import Kind
from z4j_core.frames import ActionInfo, EngineInfo

ENGINES = [
    EngineInfo("celery", "5", [ActionInfo("retry", "task", params_schema='{"type":"object"}')])
]


def test_events_commands_and_results_arrive_live(play: Any, agent: Any, event: Any) -> None:
    async def scenario(served: Any) -> None:
        operator = served.session("operator")
        async with served.reader(operator) as reader:
            assert (await reader.next())["type"] == "ready"
            async with agent(served).connected(ENGINES) as worker:
                online = await reader.until(lambda message: "workers" in message)
                assert (online["workers"][0]["worker_id"], online["workers"][0]["online"]) == (
                    "w1",
                    True,
                )
                await worker.tell(
                    event("t", Kind.STARTED), event("t", Kind.FAILED, data={"run_us": 2_000_000})
                )
                told = await reader.until(lambda message: "tasks" in message)
                [task] = told["tasks"]
                assert (task["task_id"], task["state"], task["run_ms"]) == ("t", "failed", 2_000)

                _, listed = await served.call(operator, "GET", "/tasks?q=state:failed")
                assert listed["items"] == [task]
                assert listed["offset"] >= told["offset"]
                _, detail = await served.call(operator, "GET", "/tasks/celery/t")
                assert detail["actions"] == [{"name": "retry", "allowed": True, "reason": None}]

                status, asked = await served.call(
                    operator,
                    "POST",
                    "/commands",
                    {
                        "action": "retry",
                        "engine": "celery",
                        "params": {"password": "hunter2"},
                        "target": {"task_id": "t"},
                    },
                )
                assert (status, asked["params"]) == (202, {"password": "[redacted]"})
                command = await worker.command()
                assert (command.id, json.loads(command.params)) == (
                    asked["id"],
                    {"password": "hunter2"},
                )
                assert command.task is not None
                assert (command.task.task_id, command.task.state) == ("t", "failed")
                await worker.answer(command, result=b'{"task_id":"n"}')
                done = await reader.until(
                    lambda message: message.get("commands", [{}])[0].get("state") == "succeeded"
                )
                assert done["commands"][0]["result"] == {"task_id": "n"}
                _, log = await served.call(served.session("auditor"), "GET", "/audit?limit=2")
                ended, sent = log["items"]
                assert (sent["action"], sent["actor"]["kind"]) == ("command.retry", "person")
                assert sent["after"]["params"] == {"password": "[redacted]"}
                assert (ended["action"], ended["actor"]["kind"]) == (
                    "command.retry.succeeded",
                    "agent",
                )
            gone = await reader.until(
                lambda message: not message.get("workers", [{"online": True}])[0]["online"]
            )
            assert gone["workers"][0]["worker_id"] == "w1"

    play(scenario)


def test_a_command_waits_for_the_link(play: Any, agent: Any, event: Any) -> None:
    """A command that was sent, and whose link broke before the result, is sent again by id."""

    async def scenario(served: Any) -> None:
        operator = served.session("operator")
        worker = agent(served)
        async with served.reader(operator) as reader:
            async with worker.connected(ENGINES):
                await worker.tell(event("t", Kind.FAILED))
                await reader.until(lambda message: "tasks" in message)
                body = {"action": "retry", "engine": "celery", "target": {"task_id": "t"}}
                status, asked = await served.call(operator, "POST", "/commands", body)
                assert status == 202
                first = await worker.command()
            async with worker.connected(ENGINES):
                again = await worker.command()
                assert again == first
                await worker.answer(again, ok=False, error="no such queue")
                await reader.until(
                    lambda message: message.get("commands", [{}])[0].get("state") == "failed"
                )
        _, command = await served.call(operator, "GET", f"/commands/{asked['id']}")
        assert (command["state"], command["error"]) == ("failed", "no such queue")

    play(scenario)
