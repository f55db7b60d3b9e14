"""The verbs of `z4j`, called as a person would."""

from __future__ import annotations

import json
import os
import re
import uuid
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from z4j_brain import clock
from z4j_brain.auth.passwords import Passwords
from z4j_brain.cli import main
from z4j_brain.store import passkeys, projects, second_factors, sessions
from z4j_brain.store.database import Database
from z4j_brain.store.migrate import HEAD
from z4j_brain.store.passkeys import Passkey
from z4j_brain.store.schema import agent_tokens, audit, one_time_tokens, users
from z4j_brain.store.types import new_id
from z4j_brain.store.users import find_account
from z4j_core.credential import parse_token

SECRETS = {"Z4J_SECRET": "0123456789abcdef" * 4, "Z4J_SESSION_SECRET": "fedcba9876543210" * 4}
PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("Z4J_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "300")


@pytest.fixture
def database_url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The verbs are told of an empty database."""
    monkeypatch.setenv("Z4J_DATABASE_URL", database_url)
    return database_url


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


@pytest.fixture
def shop(record_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database with the project shop, of which the verbs are told."""
    for name, value in {**SECRETS, "Z4J_DATABASE_URL": record_url}.items():
        monkeypatch.setenv(name, value)
    database = Database(record_url)
    with database.write() as connection:
        projects.create(connection, name="Shop", now=clock.now())
    yield database
    database.close()


def test_help_teaches(database_url: str) -> None:
    answer = run("--help")
    assert answer.exit_code == 0
    for verb in (
        "serve",
        "migrate",
        "check",
        "doctor",
        "createsuperuser",
        "token",
        "config",
        "version",
    ):
        assert re.search(rf"^  {verb} ", answer.output, re.MULTILINE), verb
        assert run(verb, "--help").exit_code == 0
    assert "prints the URL" in answer.output


def test_every_module_is_a_verb_and_the_page_names_it(database_url: str) -> None:
    page = (Path(__file__).parents[4] / "docs" / "cli.md").read_text()
    context = click.Context(main)
    for name in main.list_commands(context):
        verb = main.get_command(context, name)
        assert isinstance(verb, click.Command), name
        assert verb.help, name
        assert verb.get_short_help_str(), name
        if name != "demo":
            assert f"`z4j {name}" in page, name


def test_migrate_says_its_steps_and_may_be_repeated(database_url: str) -> None:
    first, second = run("migrate"), run("migrate")
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "0001: The first tables." in first.output
    assert second.output == "The database is up to date.\n"


def test_migrate_refuses_a_newer_database(shop: Any) -> None:
    from sqlalchemy import text

    with shop.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    answer = run("migrate")
    assert answer.exit_code == 1
    assert "9999" in answer.output
    assert "newer" in answer.output


@pytest.mark.parametrize("verb", ["check", "doctor"])
def test_what_a_server_needs_to_start(
    database_url: str, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    answer = run(verb)
    assert answer.exit_code == 1
    assert "BAD  secrets" in answer.output
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    answer = run(verb)
    assert "ok   secrets: strong enough, from env" in answer.output
    assert re.search(
        r"BAD  (tables: at step None.*z4j migrate|database: there is no)", answer.output
    )
    run("migrate")
    answer = run(verb)
    assert f"ok   tables: at step {HEAD}" in answer.output
    assert re.search(r"ok   database: (PostgreSQL 1[789]|SQLite 3)", answer.output)
    assert not any(value in answer.output for value in SECRETS.values())


def test_a_database_out_of_reach_is_explained_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("Z4J_DATABASE_URL", "postgresql://z4j:hush@127.0.0.1:1/z4j")
    for verb in (
        ["migrate"],
        ["check"],
        ["doctor"],
        ["token", "list", "--project", "shop"],
        ["config"],
    ):
        answer = run(*verb)
        assert "hush" not in answer.output
        assert verb == ["config"] or "does not answer" in answer.output
        assert answer.exit_code == (0 if verb == ["config"] else 1)


def test_a_verb_says_when_the_tables_are_missing(database_url: str) -> None:
    answer = run("createsuperuser", "--email", "a@b", "--name", "A", stdin=PASSWORD + "\n")
    assert answer.exit_code == 1
    assert "z4j migrate" in answer.output


def test_createsuperuser(shop: Any) -> None:
    arguments = ("createsuperuser", "--email", "Ada@example.org", "--name", "Ada")
    assert "15 characters" in run(*arguments, stdin="short\n").output
    assert "e-mail" in run("createsuperuser", "--email", "x", "--name", "A", stdin="").output
    answer = run(*arguments, stdin=PASSWORD + "\n")
    assert answer.exit_code == 0
    assert PASSWORD not in answer.output
    with shop.read() as connection:
        row = connection.execute(select(users)).one()
    assert (row.email, row.is_admin) == ("ada@example.org", True)
    assert row.password_hash.startswith("$argon2id$")
    again = run(*arguments, stdin=PASSWORD + "\n")
    assert again.exit_code == 1
    assert "has an account" in again.output


def test_a_link_signs_in_at_the_address_that_people_use(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "has no account" in run("sign-in-link", "ada@example.org").output
    run("createsuperuser", "--email", "ada@example.org", "--name", "Ada", stdin=PASSWORD + "\n")
    assert run("sign-in-link", "ada@example.org").stdout.startswith("http://127.0.0.1:7700/sign-in")
    monkeypatch.setenv("Z4J_PUBLIC_URL", "https://z4j.example.com")
    for options, begin in (((), "https://z4j.example.com"), (("--url", "http://x/"), "http://x")):
        link = run("sign-in-link", "ada@example.org", *options).stdout.strip()
        assert link.startswith(f"{begin}/sign-in/once?token=")
    with shop.read() as connection:
        stored = connection.execute(select(one_time_tokens.c.token_hash)).scalars().all()
    assert len(stored) == 3
    assert link.rpartition("=")[2].encode() not in stored


def _signed_in(shop: Any) -> uuid.UUID:
    """Make Ada, signed in, with an app and a recovery code; return her id."""
    run("createsuperuser", "--email", "ada@example.org", "--name", "Ada", stdin=PASSWORD + "\n")
    now = clock.now()
    with shop.write() as connection:
        user_id: uuid.UUID = connection.execute(select(users.c.id)).scalar_one()
        sessions.create(
            connection,
            token_hash=b"t" * 32,
            user_id=user_id,
            now=now,
            expires_at=now + 1_000_000,
            address=None,
            user_agent=None,
        )
        second_factors.begin(connection, user_id, b"sealed", now)
        second_factors.confirm(connection, user_id, now)
        second_factors.replace_codes(connection, user_id, [b"h" * 32], now)
        key = Passkey(new_id(), user_id, b"id", b"key", "localhost", "Laptop", 0, now, None)
        passkeys.create(connection, key)
    return user_id


def test_changepassword_signs_out(shop: Any) -> None:
    user_id = _signed_in(shop)
    for bad, why in [("short", "15 characters"), ("passwordpassword", "easily guessed")]:
        refused = run("changepassword", "ada@example.org", stdin=bad + "\n")
        assert (refused.exit_code, why in refused.output) == (1, True)
    answer = run("changepassword", "Ada@example.org", stdin="tulip anvil quarry mist\n")
    assert answer.output == "ada@example.org has a new password; sessions ended: 1.\n"
    with shop.read() as connection:
        account = find_account(connection, "ada@example.org")
        assert account is not None
        assert Passwords()._check(account.password_hash, "tulip anvil quarry mist")
        assert second_factors.is_on(connection, user_id), "the second step stays"
    assert _told(shop, "user.password_changed") == [{"sessions_ended": 1}]
    assert "no account" in run("changepassword", "eve@example.org", stdin="x\n").output


def _told(shop: Any, action: str) -> list[Any]:
    """Return what the audit log says the command line did, the oldest first."""
    wanted = select(audit).where(audit.c.action == action).order_by(audit.c.number)
    with shop.read() as connection:
        rows = connection.execute(wanted).all()
    assert all(row.actor_name.startswith("command line (") for row in rows)
    assert all(row.object_name == "ada@example.org" for row in rows)
    return [json.loads(row.after) for row in rows]


def test_reset_mfa_leaves_the_password_alone(shop: Any) -> None:
    user_id = _signed_in(shop)
    answer = run("reset-mfa", "ada@example.org")
    assert answer.output == (
        "The second step is off for ada@example.org; passkeys removed: 1, sessions ended: 1.\n"
    )
    with shop.read() as connection:
        assert not second_factors.is_on(connection, user_id)
        assert second_factors.codes_left(connection, user_id) == 0
        assert find_account(connection, "ada@example.org") is not None
    assert "There was no second step" in run("reset-mfa", "ada@example.org").output
    assert _told(shop, "second_factor.reset") == [
        {"had_app": True, "passkeys": 1, "sessions_ended": 1},
        {"had_app": False, "passkeys": 0, "sessions_ended": 0},
    ]
    assert run("reset-mfa", "eve@example.org").exit_code == 1


def test_tokens_are_minted_listed_and_revoked(shop: Any) -> None:
    minted = run("token", "mint", "--project", "shop", "--agent", "billing")
    assert minted.exit_code == 0
    credential = parse_token(minted.output)
    further = parse_token(run("token", "mint", "--project", "shop", "--agent", "billing").output)
    assert further.agent_id == credential.agent_id
    assert further.secret != credential.secret
    listed = run("token", "list", "--project", "shop").output
    assert listed.count("billing") == 2
    assert minted.output.strip() not in listed
    with shop.read() as connection:
        ids = list(
            connection.execute(select(agent_tokens.c.id).order_by(agent_tokens.c.id)).scalars()
        )
    assert all(str(one) in listed for one in ids)
    assert run("token", "revoke", str(ids[0])).exit_code == 0
    listed = run("token", "list", "--project", "shop").output
    assert (listed.count("revoked"), listed.count("valid")) == (1, 1)


def test_token_errors_say_what_to_do(shop: Any) -> None:
    answer = run("token", "mint", "--project", "shap", "--agent", "a")
    assert "There are: shop." in answer.output
    assert "z4j token list" in run("token", "revoke", "019a0000-0000-7000-8000-000000000000").output
    assert run("token", "revoke", "x").exit_code == 2
    assert run("token", "mint", "--project", "shop", "--agent", " ").exit_code == 1


def test_config_shows_everything_but_secrets(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("Z4J_PORT", "7701")
    monkeypatch.setenv("Z4J_METRICS_TOKEN", "whisper-whisper-whisper")
    monkeypatch.setenv("Z4J_DATABASE_URL", "postgresql://z4j:hush@db/z4j")
    answer = run("config", "--json")
    rows = {row["name"]: row for row in json.loads(answer.output)}
    assert rows["Z4J_PORT"]["value"] == "7701"
    assert (rows["Z4J_PORT"]["source"], rows["Z4J_PORT"]["default"]) == ("env", "7700")
    assert rows["Z4J_HOST"]["source"] == "default"
    assert rows["Z4J_SECRET"]["source"] == "env"
    table = run("config").output
    assert all(name in table for name in rows)
    assert rows["Z4J_METRICS_TOKEN"]["value"] == "(set, not shown)"
    for secret in [*SECRETS.values(), "hush", "whisper"]:
        assert secret not in answer.output + table


def test_a_mistyped_variable_is_warned_about(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Z4J_PROT", "1")
    assert "Did you mean Z4J_PORT?" in run("config").output


def test_a_wrong_setting_ends_the_command(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Z4J_PORT", "http")
    answer = run("doctor")
    assert answer.exit_code == 1
    assert "Z4J_PORT" in answer.output


def test_status_shows_tables_retention_and_leader(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("Z4J_EVENT_RETENTION_DAYS", "45")
    answer = run("status")
    assert answer.exit_code == 0
    assert re.search(rf"^database +(PostgreSQL 1|SQLite 3).*at step {HEAD}", answer.output, re.M)
    assert re.search(r"^oldest event +none", answer.output, re.M)
    assert re.search(r"^leader +(none|the only server)", answer.output, re.M)
    assert re.search(r"^tasks +(about )?0 +[\d.]+ \w*B +45 days", answer.output, re.M)
    assert re.search(r"^sessions .*until it has run out", answer.output, re.M)
    assert re.search(r"^users .*ever", answer.output, re.M)
    found = json.loads(run("status", "--json").output)
    assert found["step"] == found["newest_step"] == HEAD


def test_status_needs_the_tables(database_url: str) -> None:
    answer = run("status")
    assert answer.exit_code == 1
    assert "z4j migrate" in answer.output
