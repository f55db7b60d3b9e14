"""`z4j audit`, called as a person would."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from z4j_brain.audit.author import Actor, Author, Target
from z4j_brain.audit.recording import record
from z4j_brain.cli import main
from z4j_brain.keys import Keys
from z4j_brain.store import projects
from z4j_brain.store.database import Database

SECRET, FORMER = "0123456789abcdef" * 4, "abcdef0123456789" * 4
SESSION = "fedcba9876543210" * 4


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, record_url: str) -> Any:
    """A migrated database with the project shop, and one row by the command line."""
    monkeypatch.setenv("Z4J_HOME", str(tmp_path))
    monkeypatch.setenv("Z4J_DATABASE_URL", record_url)
    monkeypatch.setenv("Z4J_SECRET", SECRET)
    monkeypatch.setenv("Z4J_SESSION_SECRET", SESSION)
    database = Database(record_url)
    with database.write() as connection:
        projects.create(connection, name="Shop", now=1)
    assert run("token", "mint", "--project", "shop", "--agent", "=1+1").exit_code == 0
    yield database
    database.close()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def spoil(database: Database, sql: str) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(sql)


def test_verify_says_what_is_whole_and_names_what_is_not(shop: Database) -> None:
    good = run("audit", "verify")
    assert good.exit_code == 0, good.output
    assert "instance: 1 rows" in good.output
    assert "shop: 2 rows" in good.output
    spoil(shop, "UPDATE audit SET actor_name = 'eve' WHERE number = 2")
    bad = run("audit", "verify")
    assert bad.exit_code == 1
    assert "BAD  shop: row 2: its content is not what was written" in bad.output
    assert "(1 rows are good)" in bad.output


def test_what_the_command_line_does_names_its_account(shop: Database) -> None:
    rows = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [row["action"] for row in rows] == ["audit.begun", "agent.created", "agent.token_minted"]
    assert rows[1]["actor_name"].startswith("command line (")
    assert rows[2]["after"].keys() == {"id"}


def test_an_export_for_spreadsheets_holds_no_formula(shop: Database) -> None:
    table = list(csv.DictReader(io.StringIO(run("audit", "export", "--format", "csv").stdout)))
    assert [row["number"] for row in table] == ["1", "1", "2"]
    assert table[1]["object_name"] == "'=1+1"
    assert table[1]["project"] == "shop"
    only = run("audit", "export", "--project", "instance").stdout
    assert [json.loads(line)["project"] for line in only.splitlines()] == ["instance"]
    assert run("audit", "export", "--project", "nothing").exit_code == 1


def test_an_export_shows_what_somebody_has_made_unreadable(shop: Database) -> None:
    spoil(shop, "UPDATE audit SET after = '{' WHERE number = 2")
    assert json.loads(run("audit", "export").stdout.splitlines()[2])["after"] == "{"


def test_a_checkpoint_finds_that_the_log_was_cut(shop: Database, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.txt"
    path.write_text(run("audit", "checkpoint").stdout)
    good = run("audit", "verify", "--checkpoint", str(path))
    assert good.exit_code == 0
    assert "holds all that the checkpoint" in good.output
    spoil(shop, "DELETE FROM audit")
    spoil(shop, "DELETE FROM audit_heads")
    assert run("audit", "verify").exit_code == 0
    bad = run("audit", "verify", "--checkpoint", str(path))
    assert bad.exit_code == 1
    assert "older state" in bad.output
    path.write_text("nothing")
    assert "no checkpoint" in run("audit", "verify", "--checkpoint", str(path)).output


def test_no_checkpoint_of_a_forged_head_is_signed(shop: Database) -> None:
    spoil(shop, "UPDATE audit_heads SET number = 1")
    assert "Nothing was signed" in run("audit", "checkpoint").output


def test_a_former_secret_is_taken_from_a_file(shop: Database, tmp_path: Path) -> None:
    former = Author(Keys(FORMER.encode(), SESSION.encode()), Actor("system", None, "z4j"))
    with shop.write() as connection:
        record(connection, former, "user.created", Target("user", None, "bob@example.org"))
    assert run("audit", "verify").exit_code == 1
    path = tmp_path / "former"
    path.write_text(FORMER + "\n")
    good = run("audit", "verify", "--old-secret-file", str(path))
    assert good.exit_code == 0, good.output
    path.write_text("\n")
    assert "is empty" in run("audit", "verify", "--old-secret-file", str(path)).output
