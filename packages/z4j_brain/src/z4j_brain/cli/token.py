"""`z4j token mint`, `list` and `revoke`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import click

from z4j_brain import clock
from z4j_brain.cli import _table
from z4j_brain.cli._opening import command_line, load_settings, open_keys, opened

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from z4j_brain.store.agent_tokens import TokenRow

_PROJECT = click.option("--project", required=True, help="The project's name in URLs.")


@click.group(short_help="Make, list and revoke the tokens of agents.")
def command() -> None:
    """Make, list and revoke the tokens of agents."""


@command.command(short_help="Make a token, and the agent if there is none of that name.")
@_PROJECT
@click.option("--agent", required=True, help="The agent's name, such as billing-workers.")
def mint(project: str, agent: str) -> None:
    """Make a token and print it, alone on its line. It is not stored and cannot be shown again.

    Give it to worker processes as Z4J_TOKEN.
    """
    from z4j_brain.auth import agent_tokens
    from z4j_brain.store import agents

    settings = load_settings().settings
    by = command_line(open_keys(settings))
    name = agent.strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise click.ClickException("The agent's name is one line of at most 100 characters.")
    with opened(settings) as database, database.write() as connection:
        project_id = _project_id(connection, project)
        found = agents.find_by_name(connection, project_id, name)
        try:
            if found is None:
                minted = agent_tokens.mint_agent(connection, by, project_id, name, clock.now())
            else:
                minted = agent_tokens.mint_further(
                    connection, by, project_id, found[0], clock.now()
                )
        except agent_tokens.AgentRevokedError:
            raise click.ClickException(f"{name} was revoked. Choose another name.") from None
        except agent_tokens.TooManyTokensError:
            raise click.ClickException(f"Revoke unused tokens of {name} first.") from None
    click.echo(minted.text)


@command.command("list", short_help="List the agents and tokens of a project.")
@_PROJECT
def list_tokens(project: str) -> None:
    """List the agents and tokens of a project, with their last use."""
    from z4j_brain.api.times import rfc3339
    from z4j_brain.store import agents

    with opened(load_settings().settings) as database, database.read() as connection:
        project_id = _project_id(connection, project)
        found = agents.page(connection, project_id, "", agents.COUNT_CAP)
    rows = [
        (
            agent.name,
            str(token.id),
            rfc3339(token.created_at),
            rfc3339(token.last_used_at) or "never",
            token.last_address or "",
            _state(token),
        )
        for agent in found
        for token in agent.tokens
    ]
    _table.show(("Agent", "Token", "Made", "Last used", "From", "State"), rows)


def _state(token: TokenRow) -> str:
    from z4j_brain.api.times import rfc3339

    if token.revoked_at is not None:
        return "revoked"
    if token.is_over(clock.now()):
        return "ended"
    return "valid" if token.expires_at is None else f"until {rfc3339(token.expires_at)}"


@command.command(short_help="Revoke one token.")
@click.argument("token_id", type=click.UUID)
def revoke(token_id: uuid.UUID) -> None:
    """Revoke one token by the id that `z4j token list` shows.

    A running server ends the links that use it within a second.
    """
    from z4j_brain.auth import agent_tokens
    from z4j_brain.store import agent_tokens as rows

    settings = load_settings().settings
    by = command_line(open_keys(settings))
    with opened(settings) as database, database.write() as connection:
        owner = rows.owner(connection, token_id)
        if owner is None:
            raise click.ClickException("There is no such token: see `z4j token list`.")
        agent_id, project_id = owner
        agent_tokens.revoke_token(connection, by, project_id, agent_id, token_id, clock.now())
    click.echo("Revoked.")


def _project_id(connection: Connection, slug: str) -> uuid.UUID:
    from z4j_brain.store import projects

    found = projects.find_slug(connection, slug)
    if found is None:
        known = ", ".join(projects.slugs(connection)) or "none yet; run `z4j serve` first"
        raise click.ClickException(f"There is no project {slug!r}. There are: {known}.")
    return found
