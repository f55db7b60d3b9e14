"""What became of tasks that seem stuck: asked of this process's memory and of the broker.

Nothing is guessed. A task that a worker here holds or runs is alive, and on Redis so is one whose
message is still among those of its queue: it waits, or some worker holds it and has not confirmed.
"""

from __future__ import annotations

from typing import Any

from z4j_core.plugins import ProbedTask, ProbeResult, Verdict
from z4j_dramatiq.capture import Capture
from z4j_dramatiq.connections import redis_client
from z4j_dramatiq.facts import canonical
from z4j_dramatiq.guard import logger
from z4j_dramatiq.held import held
from z4j_dramatiq.kinds import REDIS, kind_of

MAX_MESSAGES = 50_000
"""Messages of a broker that are looked through for one question; beyond, nobody has answered."""


def probe(capture: Capture, brokers: list[Any], tasks: list[ProbedTask]) -> ProbeResult:
    """Return a verdict for each task."""
    wanted = {task.task_id for task in tasks}
    alive = {task_id for task_id in wanted if task_id in capture.running}
    alive |= wanted & {str(one.message_id) for one in held(capture.process.workers)}
    asked = ["this process"]
    is_sure = bool(brokers)
    for broker in brokers:
        if kind_of(broker) != REDIS:
            # Other workers may hold the task, and nobody can ask them.
            is_sure = False
            continue
        asked.append("the messages that Redis keeps until they are confirmed")
        if wanted - alive:
            found, is_whole = _look(broker, wanted - alive)
            alive |= found
            is_sure = is_sure and is_whole
    rest = Verdict.UNKNOWN if is_sure else Verdict.UNANSWERED
    verdicts = [Verdict.ALIVE if task.task_id in alive else rest for task in tasks]
    return ProbeResult(verdicts, " and ".join(dict.fromkeys(asked)))


def _look(broker: Any, wanted: set[str]) -> tuple[set[str], bool]:
    """Return which of the tasks have a message, and whether all messages were looked at."""
    found: set[str] = set()
    left = MAX_MESSAGES
    needles = {task_id: task_id.encode() for task_id in wanted}
    queues = {canonical(queue) for queue in broker.get_declared_queues()}
    try:
        with redis_client(broker) as client:
            for queue in sorted(queues):
                for name in (queue, f"{queue}.DQ"):
                    key = f"{broker.namespace}:{name}.msgs"
                    for _, data in client.hscan_iter(key, count=1_000):
                        left -= 1
                        if left < 0:
                            return found, False
                        found |= {task for task, needle in needles.items() if needle in data}
    except Exception as error:  # noqa: BLE001 - a broker's client raises what it likes
        logger.info("Dramatiq's broker does not answer: %s", type(error).__name__)
        return found, False
    return found, True
