"""Projects: all of them and new ones for administrators of the instance, renaming for admins."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from z4j_brain.api import problems
from z4j_brain.api.context import InstanceCall, ProjectCall
from z4j_brain.api.route import route
from z4j_brain.api.text import Name
from z4j_brain.api.times import Timestamp, now, rfc3339
from z4j_brain.auth import projects
from z4j_brain.auth.projects import MOST_PROJECTS, SlugTakenError, TooManyProjectsError
from z4j_brain.store import projects as rows

Slug = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=60,
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*(?![\s\S])",
        description="Small letters, digits and single dashes; it never changes.",
    ),
]


class ProjectForm(msgspec.Struct, frozen=True):
    """A new project. Without a slug, one is made from the name."""

    name: Name
    slug: Slug | None = None


class ProjectName(msgspec.Struct, frozen=True):
    """A project's new name."""

    name: Name


class ProjectNamed(msgspec.Struct, frozen=True):
    """A project's name, and what stands for it in addresses and tokens and never changes."""

    slug: str
    name: str


class ProjectSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A project. `agents` are not revoked; `last_event_at` is when its newest event came in."""

    slug: str
    name: str
    created_at: Timestamp
    members: int
    agents: int
    last_event_at: Timestamp | None


class ProjectList(msgspec.Struct, frozen=True):
    """All projects by name; there are at most 1,000."""

    items: list[ProjectSummary]


@route("GET", "/instance/projects", permission="instance.read")
async def list_projects(call: InstanceCall) -> ProjectList:
    """List all projects; for administrators of the instance."""
    found = await call.brain.database.run(rows.every)
    return ProjectList(
        [
            ProjectSummary(
                slug=row.slug,
                name=row.name,
                created_at=rfc3339(row.created_at),
                members=row.members,
                agents=row.agents,
                last_event_at=rfc3339(row.last_event_at),
            )
            for row in found
        ]
    )


@route("POST", "/instance/projects", permission="project.create", status=201)
async def create_project(call: InstanceCall, body: ProjectForm) -> ProjectNamed:
    """Make a project; whoever makes it is its first admin."""
    try:
        made = await call.brain.database.run(
            projects.create, call.author, call.user, body.name, body.slug, now(), write=True
        )
    except SlugTakenError as taken:
        raise problems.conflict(
            f"There is a project {taken} already. Choose another name, or give this one another"
            " slug."
        ) from None
    except TooManyProjectsError:
        raise problems.conflict(f"There are {MOST_PROJECTS:,} projects, and no more fit.") from None
    return ProjectNamed(made.slug, made.name)


@route("PATCH", "/projects/{project}", permission="project.manage")
async def rename_project(call: ProjectCall, body: ProjectName) -> ProjectNamed:
    """Give the project another name. Its slug stays, so addresses and tokens work as before."""
    name = await call.brain.database.run(
        projects.rename, call.author, call.project, body.name, write=True
    )
    return ProjectNamed(call.project.slug, name)
