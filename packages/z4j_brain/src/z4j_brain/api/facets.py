"""`/projects/{project}/facets`: the values that completion offers."""

from __future__ import annotations

import msgspec

from z4j_brain.api.context import ProjectCall
from z4j_brain.api.route import route
from z4j_brain.store import facets
from z4j_core.fold import STATES


class QueueName(msgspec.Struct, frozen=True):
    """A queue of an engine."""

    engine: str
    queue: str


class FacetsView(msgspec.Struct, frozen=True):
    """The values that tasks have; at most 500 names, 200 queues and 200 workers."""

    states: list[str]
    queues: list[QueueName]
    names: list[str]
    workers: list[str]
    engines: list[str]


@route("GET", "/projects/{project}/facets", permission="task.read")
async def read_facets(call: ProjectCall) -> FacetsView:
    """List the values of states, queues, names, workers and engines."""
    found = await call.brain.database.run(facets.find, call.project.id)
    return FacetsView(
        states=list(STATES),
        queues=[QueueName(engine, queue) for engine, queue in found.queues],
        names=found.names,
        workers=found.workers,
        engines=found.engines,
    )
