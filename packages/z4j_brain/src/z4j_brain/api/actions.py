"""`/projects/{project}/actions`: what can be asked for now."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from z4j_brain.api.context import ProjectCall
from z4j_brain.api.json_text import as_json
from z4j_brain.api.route import route
from z4j_brain.commands.catalogue import Catalogue, Offer
from z4j_brain.store import actions

ActionTarget = Literal["task", "queue", "worker", "engine", "schedule", "scheduler"]


class ActionsQuery(msgspec.Struct, frozen=True):
    """`worker`, the id of a worker's row, asks for what this very process offers."""

    worker: Annotated[str, Meta(max_length=64)] = ""


class ActionView(msgspec.Struct, frozen=True, kw_only=True):
    """An action that an online worker offers; the schemas are JSON Schema 2020-12.

    `engine` is the name that a command calls: that of an engine, or of a scheduler.
    """

    engine: str
    name: str
    title: str
    description: str
    target: ActionTarget
    destructive: bool
    permission: str
    params_schema: Any
    result_schema: Any
    states: list[str] | None


class AbsentAction(msgspec.Struct, frozen=True):
    """An action that no online worker offers, and why."""

    engine: str
    name: str
    reason: str


class ActionList(msgspec.Struct, frozen=True):
    """The actions of engines, merged by engine and name; for schedulers see `GET …/schedulers`."""

    items: list[ActionView]
    absent: list[AbsentAction]


@route("GET", "/projects/{project}/actions", permission="project.read")
async def read_actions(call: ProjectCall, query: ActionsQuery) -> ActionList:
    """List the actions that online workers offer, or one of them."""
    online = await call.brain.database.run(actions.online_workers, call.project.id)
    wanted = query.worker
    catalogue = Catalogue(one for one in online if wanted in ("", str(one.id)))
    return ActionList(
        items=[
            action_view(offer)
            for offer in catalogue.offered()
            if offer.info.target in get_args(ActionTarget)
        ],
        absent=[
            AbsentAction(absence.engine, absence.name, absence.reason)
            for absence in catalogue.absent()
        ],
    )


def action_view(offer: Offer) -> ActionView:
    """Return an offered action as the API shows it."""
    info = offer.info
    return ActionView(
        engine=offer.engine,
        name=info.name,
        title=info.title or info.name,
        description=info.description,
        target=msgspec.convert(info.target, ActionTarget),
        destructive=info.destructive,
        permission=offer.permission,
        params_schema=as_json(info.params_schema),
        result_schema=as_json(info.result_schema),
        states=info.states,
    )
