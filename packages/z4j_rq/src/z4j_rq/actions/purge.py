"""Delete the jobs that wait in a queue, and tell which they were."""

from __future__ import annotations

from typing import Any

from rq import Queue
from rq.job import Job

from z4j_core.capability import ActionError
from z4j_core.events import MAX_TASK_ID
from z4j_core.plugins import PurgeResult
from z4j_rq.actions.reach import reach
from z4j_rq.cancelled import Cancellations
from z4j_rq.process import Process
from z4j_rq.stamp import RUNS

MAX_QUEUE = 255
MAX_TOLD = 10_000
"""So many deleted jobs are told as cancelled; the agent's memory is bounded."""
_REASON = "The queue was purged: the job was deleted before it ran."

# As `Queue.empty`, in one step that no worker can come between, and with the ids of what it
# deleted, each with the number of its runs.
_SCRIPT = """
local ids = redis.call('lrange', KEYS[1], 0, -1)
local told = {}
for _, id in ipairs(ids) do
  local key = ARGV[1] .. id
  if #told < tonumber(ARGV[3]) * 2 then
    told[#told + 1] = id
    told[#told + 1] = redis.call('hget', key, ARGV[2]) or '0'
  end
  redis.call('del', key, key .. ':dependents')
end
redis.call('del', KEYS[1])
return {#ids, told}
"""


def purge(process: Process, cancellations: Cancellations, name: str) -> PurgeResult:
    """Delete the waiting jobs and say how many; those that workers have taken already stay."""
    if not 0 < len(name) <= MAX_QUEUE:
        raise ActionError(f"The name of the queue must have 1 to {MAX_QUEUE} characters.")
    with reach(process, name) as (client, known):
        queue = Queue(name, connection=client)
        if name not in known.queues and not client.sismember(Queue.redis_queues_keys, queue.key):
            raise ActionError(f"RQ has no queue {name!r}. Check the spelling.")
        script = client.register_script(_SCRIPT)
        prefix = Job.redis_job_namespace_prefix
        deleted, told = script(keys=[queue.key], args=[prefix, RUNS, MAX_TOLD])
    for task_id, runs in zip(told[::2], told[1::2], strict=True):
        _tell(cancellations, task_id, name, runs)
    return PurgeResult(deleted=int(deleted))


def _tell(cancellations: Cancellations, raw_id: Any, queue: str, runs: Any) -> None:
    task_id = bytes(raw_id).decode(errors="replace")
    if 0 < len(task_id) <= MAX_TASK_ID:
        attempt = int(runs) if bytes(runs).isdigit() and len(runs) < 6 else 0
        cancellations.emit(task_id, queue, min(attempt, 65_535), _REASON)
