"""`z4j doctor`: what it finds dangerous, and a real change of Z4J_SECRET from end to end."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select, text

from z4j_brain import clock
from z4j_brain.audit.author import Actor, Author
from z4j_brain.auth import api_keys, rotation, totp_secrets
from z4j_brain.brain import Brain
from z4j_brain.cli import main
from z4j_brain.cli._doctor.exposure import look_at_exposure
from z4j_brain.cli._doctor.finding import Level
from z4j_brain.cli._doctor.machine import file_system, judge_clock, judge_space
from z4j_brain.cli._doctor.secrets import looks_made_up
from z4j_brain.keys import Keys
from z4j_brain.settings import load
from z4j_brain.store import projects, second_factors, users
from z4j_brain.store.database import Database
from z4j_brain.store.schema import agent_tokens, audit

OLD, NEW = "b41c7e0f2d9a6583" * 2 + "f0", "97d3a5c8e1f2604b" * 2 + "0e"
SESSION = "5e8d1c4b7a90f362" * 2 + "ab"
APP = b"a secret of an app20"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def doctor() -> tuple[int, list[tuple[str, str]]]:
    answer = run("doctor", "--json")
    return answer.exit_code, [(one["level"], one["text"]) for one in json.loads(answer.stdout)]


@pytest.fixture
def shop(record_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A database with the project shop, served under the old secret so far."""
    for name in [name for name in os.environ if name.startswith("Z4J_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("Z4J_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("Z4J_DATABASE_URL", record_url)
    monkeypatch.setenv("Z4J_SECRET", OLD)
    monkeypatch.setenv("Z4J_SESSION_SECRET", SESSION)
    database = Database(record_url)
    with database.write() as connection:
        projects.create(connection, name="Shop", now=clock.now())
    yield database
    database.close()


def person(shop: Database, keys: Keys) -> uuid.UUID:
    """Make Ada, an administrator with an app and an API key; return her id."""
    with shop.write() as connection:
        ada = users.create(
            connection,
            email="ada@example.org",
            name="Ada",
            password_hash="none",
            is_admin=True,
            now=clock.now(),
        )
        sealed = totp_secrets.seal(keys, ada.id, APP)
        second_factors.begin(connection, ada.id, sealed, clock.now())
        author = Author(keys, Actor("person", ada.id, ada.email))
        wanted = api_keys.Wanted(
            name="nightly", project=None, scopes=["instance.read"], networks=[], days=None
        )
        api_keys.make(connection, author, ada, wanted, clock.now())
    return ada.id


async def serve_once(keys: Keys) -> None:
    """Start a server under these keys and stop it."""
    brain = Brain.create(load(os.environ).settings, keys)
    await brain.start()
    await brain.stop()
    await brain.close()


def test_a_changed_secret_is_guided(shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Keys(OLD.encode(), SESSION.encode())
    ada = person(shop, old)
    for agent in ("billing", "mailing"):
        assert run("token", "mint", "--project", "shop", "--agent", agent).exit_code == 0
    before = doctor()
    assert before[0] == 0, before
    assert any("2 token(s) of agents, 1 API key(s) and 1 auth" in said for _, said in before[1])

    monkeypatch.setenv("Z4J_SECRET", NEW)
    assert run("token", "mint", "--project", "shop", "--agent", "fresh").exit_code == 0
    code, found = doctor()
    bad = " ".join(said for level, said in found if level == "BAD")
    assert code == 1
    assert "2 token(s) were made under another Z4J_SECRET" in bad
    assert "billing (shop), mailing (shop)" in bad
    assert "fresh" not in bad
    assert "authenticator apps: 1 cannot be opened" in bad
    assert "instance, shop has rows signed under a Z4J_SECRET that was not given" in bad
    assert run("audit", "verify").exit_code == 1

    monkeypatch.setenv("Z4J_SECRET_PREVIOUS", OLD)
    assert run("audit", "verify").exit_code == 0
    assert run("audit", "checkpoint").exit_code == 0
    said = dict(reversed(one) for one in doctor()[1])
    assert any("1 are sealed under a former Z4J_SECRET" in one for one in said)
    keys = Keys(NEW.encode(), SESSION.encode(), former=(OLD.encode(),))
    for _ in range(2):
        asyncio.run(serve_once(keys))
    alone = Keys(NEW.encode(), SESSION.encode())
    with shop.read() as connection:
        stored = second_factors.find(connection, ada)
        assert stored is not None
        assert totp_secrets.unseal(alone, ada, stored.sealed) == APP
        last = connection.execute(select(audit).where(audit.c.action == rotation.CHANGED)).one()
    assert json.loads(last.after) == {"apps_sealed_anew": 1, "former_given": True}
    code, found = doctor()
    bad = " ".join(said for level, said in found if level == "BAD")
    assert "API keys: 1 were made under another" in bad
    assert "authenticator apps" not in bad
    assert "audit log" not in bad
    assert run("audit", "verify").exit_code == 0
    assert OLD not in repr(found)
    assert NEW not in repr(found)


def test_who_has_used_a_token_since_needs_no_new_one(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("token", "mint", "--project", "shop", "--agent", "billing").exit_code == 0
    monkeypatch.setenv("Z4J_SECRET", NEW)
    keys = Keys(NEW.encode(), SESSION.encode())
    with shop.write() as connection:
        left = rotation.leftovers(connection, keys)
        assert [one.owner for one in left.tokens] == ["billing"]
        connection.execute(agent_tokens.update().values(last_used_at=clock.now()))
        assert rotation.leftovers(connection, keys).tokens == []


def test_the_present_secret_is_no_former_one(shop: Database, monkeypatch: Any) -> None:
    monkeypatch.setenv("Z4J_SECRET_PREVIOUS", f"{NEW} {OLD}")
    assert "holds the present Z4J_SECRET" in run("doctor").output
    assert "holds the present" in run("audit", "verify").output


def test_rules_that_cannot_be_used_are_named(shop: Database) -> None:
    keys = Keys(OLD.encode(), SESSION.encode())
    person(shop, keys)
    with shop.write() as connection:
        connection.execute(
            text(
                "INSERT INTO redaction_rules (project_id, version, rules, changed_at)"
                " SELECT id, 1, '{', created_at FROM projects"
            )
        )
    said = [one for level, one in doctor()[1] if level == "BAD"]
    assert any(one.startswith("redaction: the rules of shop cannot be used") for one in said)


EXPOSED: list[tuple[dict[str, str], Level, str]] = [
    ({}, Level.GOOD, "which only this machine reaches"),
    ({"Z4J_HOST": "0.0.0.0"}, Level.BAD, "without TLS"),
    ({"Z4J_HOST": "::", "Z4J_TRUSTED_PROXIES": "10.1.2.3"}, Level.LOOK, "end TLS"),
    ({"Z4J_HOST": "::", "Z4J_TRUSTED_PROXIES": "10.1.2.3"}, Level.LOOK, "every host name"),
    ({"Z4J_TRUSTED_PROXIES": "0.0.0.0/0"}, Level.BAD, "can claim any"),
    ({"Z4J_TRUSTED_PROXIES": "::/0"}, Level.BAD, "can claim any"),
    ({"Z4J_DATABASE_URL": "postgresql://z@db/z"}, Level.LOOK, "sslmode=verify-full"),
]


@pytest.mark.parametrize(("variables", "level", "said"), EXPOSED)
def test_what_is_exposed_is_told(variables: dict[str, str], level: Level, said: str) -> None:
    found = list(look_at_exposure(load(variables).settings))
    assert any(one.level is level and said in one.text for one in found), found


@pytest.mark.parametrize(
    "url", ["postgresql://z@db/z?sslmode=verify-full", "postgresql://z@localhost/z"]
)
def test_a_checked_or_local_link_to_the_database_is_fine(url: str) -> None:
    found = look_at_exposure(load({"Z4J_DATABASE_URL": url}).settings)
    assert all(one.level is Level.GOOD for one in found)


def test_secrets_that_were_made_up_are_told_from_random_ones() -> None:
    assert looks_made_up("please-change-me-please-1234567890")
    assert looks_made_up("0123456789abcdef" * 4)
    assert not looks_made_up("c0b8d5a1f4e27396" + "08d1f7a3c5b96e24")


def test_disk_and_clock_are_judged(tmp_path: Path) -> None:
    gib = 1 << 30
    levels = [judge_space(tmp_path, 100 * gib, free).level for free in (50 * gib, gib, 1_000)]
    assert levels == [Level.GOOD, Level.LOOK, Level.BAD]
    levels = [judge_clock(us, "x").level for us in (0, -3_000_000, 90_000_000)]
    assert levels == [Level.GOOD, Level.LOOK, Level.BAD]


def test_a_file_system_is_found_by_its_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    lines = ["/dev/sda1 / ext4 rw 0 0", f"nas:/x {tmp_path} nfs4 rw 0 0", "tmpfs /run tmpfs rw 0 0"]
    mounts.write_text("\n".join(lines))
    assert file_system(tmp_path / "deeper", mounts) == "nfs4"
    assert file_system(Path("/"), mounts) == "ext4"
    assert file_system(tmp_path, tmp_path / "none") is None
