"""`/projects/{project}/series` and `/totals`: counts and percentiles over time."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from z4j_brain.api import problems
from z4j_brain.api.context import ProjectCall
from z4j_brain.api.route import route
from z4j_brain.api.series_views import SeriesView, TotalsView, series_view, totals_view
from z4j_brain.api.times import now, query_time
from z4j_brain.series.reading import GroupBy, Request, Series, read_series
from z4j_brain.series.window import Choice, SeriesRefused
from z4j_core.events import MAX_NAME

_HOUR_US = 3_600_000_000
_Moment = Annotated[
    str, Meta(max_length=40, description="RFC 3339.", extra_json_schema={"format": "date-time"})
]
_Word = Annotated[str, Meta(max_length=MAX_NAME)]


class SeriesQuery(msgspec.Struct, frozen=True):
    """A span of time, an hour until now unless told otherwise; its ends are those of whole buckets.

    `auto` takes minutes up to 6 hours, hours up to 15 days, then days, and what is still kept.
    """

    since: _Moment = msgspec.field(name="from", default="")
    until: _Moment = msgspec.field(name="to", default="")
    resolution: Choice = "auto"
    engine: _Word | UnsetType = UNSET
    queue: _Word | UnsetType = UNSET
    name: _Word | UnsetType = UNSET
    group_by: GroupBy = "none"
    top: Annotated[int, Meta(ge=1, le=20)] = 8


class TotalsQuery(msgspec.Struct, frozen=True):
    """As for a series."""

    since: _Moment = msgspec.field(name="from", default="")
    until: _Moment = msgspec.field(name="to", default="")
    resolution: Choice = "auto"
    engine: _Word | UnsetType = UNSET
    queue: _Word | UnsetType = UNSET
    name: _Word | UnsetType = UNSET
    group_by: GroupBy = "name"
    top: Annotated[int, Meta(ge=1, le=500)] = 200


@route("GET", "/projects/{project}/series", permission="project.read")
async def read_points(call: ProjectCall, query: SeriesQuery) -> SeriesView:
    """Read counts and percentiles of each minute, hour or day; where nothing happened is zero."""
    return series_view(await _read(call, query, has_points=True))


@route("GET", "/projects/{project}/totals", permission="project.read")
async def read_totals(call: ProjectCall, query: TotalsQuery) -> TotalsView:
    """Read counts and percentiles of a whole span, by task name or queue."""
    return totals_view(await _read(call, query, has_points=False))


async def _read(call: ProjectCall, query: SeriesQuery | TotalsQuery, *, has_points: bool) -> Series:
    present = now()
    until = query_time("to", query.until) if query.until else present
    request = Request(
        since=query_time("from", query.since) if query.since else until - _HOUR_US,
        until=until,
        resolution=query.resolution,
        engine=_chosen(query.engine),
        queue=_chosen(query.queue),
        name=_chosen(query.name),
        group_by=query.group_by,
        top=query.top,
        has_points=has_points,
    )
    try:
        return await call.brain.database.run(read_series, call.project.id, request, present)
    except SeriesRefused as error:
        raise problems.invalid_input(f"?{error.parameter}", str(error)) from None


def _chosen(value: str | UnsetType) -> str | None:
    return None if value is UNSET else value
