"""`z4j audit verify`, `export` and `checkpoint`."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from z4j_brain.cli._opening import load_settings, open_keys, opened
from z4j_brain.cli._progress import Progress

if TYPE_CHECKING:
    from z4j_brain.audit.checkpoints import Checkpoint
    from z4j_brain.audit.export import Format
    from z4j_brain.audit.proof import Proof
    from z4j_brain.keys import Keys
    from z4j_brain.store.audit import AuditRow
    from z4j_brain.store.database import Database

_PAGE = 1_000
_OLD = click.option(
    "--old-secret-file",
    "old_secret_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that holds a former Z4J_SECRET alone, beside those of Z4J_SECRET_PREVIOUS. May be"
    " given several times.",
)


@click.group(short_help="Prove, export and pin the audit log.")
def command() -> None:
    """Prove that the audit log is whole, write it out, and make checkpoints of it."""


@command.command(short_help="Prove that nothing was changed; names the first broken row.")
@click.option(
    "--checkpoint",
    "checkpoint_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that `z4j audit checkpoint` made, kept elsewhere.",
)
@_OLD
def verify(checkpoint_file: Path | None, old_secret_files: tuple[Path, ...]) -> None:
    """Verify every chain of the log, and name the first broken row of each, and why.

    The exit code is 0 when all is whole and 1 when something is broken. Give a checkpoint to find
    also that the whole database was taken back to an older state.
    """
    from z4j_brain.audit.proof import prove

    settings = load_settings().settings
    keyring = _keyring(open_keys(settings), old_secret_files)
    checkpoint = _read_checkpoint(checkpoint_file, keyring)
    is_broken = False
    with opened(settings) as database, Progress("rows verified") as progress:
        for proof in prove(database, keyring, checkpoint, on_row=progress.step):
            progress.clear()
            is_broken |= proof.broken is not None
            _show(proof)
    if checkpoint is not None and not is_broken:
        click.echo(f"The log holds all that the checkpoint of {checkpoint.at} knows.")
    if is_broken:
        raise SystemExit(1)


@command.command(short_help="Write the log to standard output, oldest first.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
@click.option("--project", help="One project's name in URLs; `instance` for what is of none.")
def export(form: str, project: str | None) -> None:
    """Write the log to standard output, chain by chain, the oldest rows first.

    Rows are read in pages: memory does not grow with the log. Nothing is verified here.
    """
    from z4j_brain.audit.export import headings, lines
    from z4j_brain.store import audit

    kind = cast("Format", form)
    with opened(load_settings().settings) as database:
        with database.read() as connection:
            chains = audit.chains(connection)
        chosen = [(chain, name) for chain, name in chains.items() if project in (None, name)]
        if not chosen:
            raise click.ClickException(f"There is no project {project!r}.")
        click.echo(headings(kind), nl=False)
        for chain, name in chosen:
            for line in lines(kind, name, _rows(database, chain)):
                sys.stdout.write(line)


@command.command(short_help="Print a signed text that pins the log as it is now.")
def checkpoint() -> None:
    """Print a signed text that says where every chain ends now; keep it on another machine.

    `z4j audit verify --checkpoint FILE` finds with it that the log was cut, taken back to an older
    state, or written anew, even by somebody who has stolen Z4J_SECRET.
    """
    from z4j_brain import clock
    from z4j_brain.audit import checkpoints
    from z4j_brain.audit.encoding import is_genuine
    from z4j_brain.store import audit

    settings = load_settings().settings
    keys = open_keys(settings)
    with opened(settings) as database, database.read() as connection:
        ends = audit.heads(connection)
    strange = [
        head
        for head in ends
        if not any(is_genuine(each.audit_key(head.chain), head) for each in keys.ring())
    ]
    if strange:
        raise click.ClickException(
            f"The head of the chain {strange[0].chain} was not signed under this Z4J_SECRET:"
            " run `z4j audit verify`. Nothing was signed."
        )
    click.echo(checkpoints.write(keys, ends, clock.now()), nl=False)


def _rows(database: Database, chain: uuid.UUID) -> Iterator[AuditRow]:
    from z4j_brain.store import audit

    number: int | None = None
    while True:
        with database.read() as connection:
            page = audit.rows_after(connection, chain, number, _PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        number = page[-1].number


def _show(proof: Proof) -> None:
    rows = f"{proof.report.rows:,} rows"
    if proof.broken is None:
        click.secho("ok   ", fg="green", bold=True, nl=False)
        click.echo(f"{proof.name}: {rows}")
        return
    click.secho("BAD  ", fg="red", bold=True, nl=False)
    click.echo(f"{proof.name}: row {proof.broken.number}: {proof.broken.reason} ({rows} are good)")


def _keyring(keys: Keys, files: tuple[Path, ...]) -> list[Keys]:
    from z4j_brain.keys import Keys

    keyring = list(keys.ring())
    for path in files:
        secret = path.read_bytes().strip()
        if not secret:
            raise click.ClickException(f"{path} is empty: it must hold a former Z4J_SECRET alone.")
        keyring.append(Keys(secret, keys.session))
    return keyring


def _read_checkpoint(path: Path | None, keyring: list[Keys]) -> Checkpoint | None:
    from z4j_brain.audit import checkpoints

    if path is None:
        return None
    with path.open(errors="replace") as file:
        text = file.read(checkpoints.MAX_CHARACTERS + 1)
    try:
        return checkpoints.read(text, keyring)
    except checkpoints.CheckpointError as error:
        raise click.ClickException(f"{path}: {error}") from None
