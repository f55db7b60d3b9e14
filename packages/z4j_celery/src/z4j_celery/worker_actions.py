"""The actions on a Celery worker: its pool, its queues, its limits, what it holds, its end."""

from __future__ import annotations

from z4j_celery.actions import consuming, holding, limits, pool, shutdown
from z4j_celery.actions.worker import (
    AutoscaleParams,
    AutoscaleResult,
    ConsumingResult,
    HeldTasks,
    PoolResult,
    QueueParams,
    RateLimitParams,
    RestartResult,
    StepParams,
    TimeLimitParams,
)
from z4j_celery.process import Process
from z4j_core.capability import NoParams, Target, action
from z4j_core.plugins import CancelResult, Engine


class WorkerActions(Engine):
    """What a worker can be told beside its tasks; `actions.worker.absences` says where.

    Nothing of it outlives the worker: after a restart its configuration is in force again.
    """

    @action(
        target=Target.WORKER,
        title="Show held tasks",
        description="Lists what this worker runs, and what it has taken and not begun.",
    )
    def held_tasks(self, params: NoParams) -> HeldTasks:
        """List the tasks in this worker's hands."""
        return holding.held_tasks(self._process())

    @action(
        target=Target.WORKER,
        title="Grow pool",
        description="Starts more processes in this worker.",
    )
    def pool_grow(self, params: StepParams) -> PoolResult:
        """Start more processes."""
        return pool.grow(self._process(), params.by)

    @action(
        target=Target.WORKER,
        title="Shrink pool",
        description="Ends processes of this worker that are idle.",
    )
    def pool_shrink(self, params: StepParams) -> PoolResult:
        """End idle processes."""
        return pool.shrink(self._process(), params.by)

    @action(
        target=Target.WORKER,
        title="Autoscale",
        description="Sets the bounds between which this worker scales its pool.",
    )
    def autoscale(self, params: AutoscaleParams) -> AutoscaleResult:
        """Set the bounds of the pool."""
        return pool.autoscale(self._process(), params)

    @action(
        target=Target.WORKER,
        title="Restart pool",
        description="Replaces every process of this worker when its task has ended.",
        destructive=True,
    )
    def pool_restart(self, params: NoParams) -> RestartResult:
        """Replace the processes."""
        return pool.restart(self._process())

    @action(
        target=Target.WORKER,
        title="Consume queue",
        description="This worker takes tasks from the queue, until it restarts.",
    )
    def add_consumer(self, params: QueueParams) -> ConsumingResult:
        """Begin, or resume, to take tasks from a queue."""
        return consuming.add_consumer(self._process(), params.queue)

    @action(
        target=Target.WORKER,
        title="Pause queue",
        description=(
            "This worker takes no more tasks from the queue, until it restarts. "
            "Those that it has taken already still run; other workers go on."
        ),
        destructive=True,
    )
    def cancel_consumer(self, params: QueueParams) -> ConsumingResult:
        """Take no more tasks from a queue."""
        return consuming.cancel_consumer(self._process(), params.queue)

    @action(
        target=Target.WORKER,
        title="Rate limit",
        description="Limits how often tasks of a name start in this worker, until it restarts.",
    )
    def rate_limit(self, params: RateLimitParams) -> CancelResult:
        """Set or lift the rate of a task."""
        return limits.rate_limit(self._process(), params)

    @action(
        target=Target.WORKER,
        title="Time limits",
        description="Limits how long tasks of a name run in this worker, until it restarts.",
    )
    def time_limit(self, params: TimeLimitParams) -> CancelResult:
        """Set or lift the time limits of a task."""
        return limits.time_limit(self._process(), params)

    @action(
        target=Target.WORKER,
        title="Shut down",
        description="The worker lets its tasks end and exits; something else must start it again.",
        destructive=True,
    )
    def shutdown(self, params: NoParams) -> CancelResult:
        """Stop this worker."""
        return shutdown.shutdown(self._process())

    def _process(self) -> Process:
        raise NotImplementedError
