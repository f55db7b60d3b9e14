"""Secrets: minted once, kept privately, never shown, and what is derived from them."""

from __future__ import annotations

import stat
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from z4j_brain.keys import MASTER, PREVIOUS, SESSION, Keys, SecretsError, file_is_private, load_keys
from z4j_brain.settings import Settings, load

STRONG = {MASTER: "0123456789abcdef" * 4, SESSION: "fedcba9876543210" * 4}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({"Z4J_HOME": str(tmp_path / "deep" / "home")}).settings


def test_the_first_boot_mints_both_and_the_next_reads_them(settings: Settings) -> None:
    with pytest.raises(SecretsError, match=r"Z4J_SECRET is not set.*openssl rand -hex 32"):
        load_keys(settings, {})
    assert not settings.home.exists(), "reading makes nothing"
    minted = load_keys(settings, {}, mint=True)
    assert load_keys(settings, {}) == load_keys(settings, {}, mint=True) == minted
    assert minted.master != minted.session
    assert minted.sources == {MASTER: "file", PREVIOUS: "none", SESSION: "file"}


def test_file_and_folder_are_the_owners_alone(settings: Settings) -> None:
    load_keys(settings, {}, mint=True)
    path = settings.home / "secret.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700
    assert [child.name for child in settings.home.iterdir()] == ["secret.env"]
    assert file_is_private(path)
    path.chmod(0o640)
    assert not file_is_private(path)


def test_many_first_boots_at_once_agree(settings: Settings) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: load_keys(settings, {}, mint=True), range(16)))
    assert all(one == keys[0] for one in keys)


def test_the_environment_wins(settings: Settings) -> None:
    load_keys(settings, {}, mint=True)
    keys = load_keys(settings, STRONG)
    assert keys.master == STRONG[MASTER].encode()
    assert keys.sources == {MASTER: "env", PREVIOUS: "none", SESSION: "env"}


def test_with_both_in_the_environment_nothing_is_written(settings: Settings) -> None:
    load_keys(settings, STRONG, mint=True)
    assert not settings.home.exists()


def test_only_what_is_missing_is_minted(settings: Settings) -> None:
    settings.home.mkdir(parents=True)
    path = settings.home / "secret.env"
    path.write_text(f"# mine\n{MASTER}={STRONG[MASTER]}\n")
    keys = load_keys(settings, {}, mint=True)
    assert keys.master == STRONG[MASTER].encode()
    assert len(keys.session) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("weak", ["short", "x" * 64, "ab" * 32])
def test_a_weak_secret_is_refused_without_being_shown(settings: Settings, weak: str) -> None:
    with pytest.raises(SecretsError, match="too weak") as caught:
        load_keys(settings, {**STRONG, SESSION: weak})
    assert weak not in str(caught.value)


def test_both_must_differ(settings: Settings) -> None:
    with pytest.raises(SecretsError, match="must differ"):
        load_keys(settings, {MASTER: STRONG[MASTER], SESSION: STRONG[MASTER]})


def test_no_repr_shows_a_secret() -> None:
    keys = Keys(b"master-secret", b"session-secret")
    assert "secret" not in repr(keys).replace("Keys", "")


def test_every_purpose_has_a_key_of_its_own() -> None:
    keys, other = Keys(b"m" * 32, b"s" * 32), Keys(b"n" * 32, b"t" * 32)
    made = [
        keys.session_hash("x"),
        bytes.fromhex(keys.csrf_token("x")),
        keys.one_time_hash("x"),
        keys.subject_hash("x"),
        keys.token_hash(b"x"),
    ]
    assert len(set(made)) == len(made)
    assert keys.session_hash("x") != other.session_hash("x")
    assert keys.token_hash(b"x") != other.token_hash(b"x")
    one, two = uuid.uuid4(), uuid.uuid4()
    assert keys.project_secret(one) != keys.project_secret(two) != keys.seal_key(two)
    assert keys.signing_key(one, one, two) != keys.signing_key(one, two, one)


def test_former_masters_open_and_make_nothing(settings: Settings) -> None:
    former = {PREVIOUS: f"  {'a' * 40} short {'a' * 40} "}
    keys = load_keys(settings, {**STRONG, **former})
    assert keys.former == (b"a" * 40, b"short")
    assert [each.master for each in keys.ring()] == [keys.master, b"a" * 40, b"short"]
    assert all(not each.former for each in keys.ring()[1:])
    assert "aaaa" not in repr(keys)
    assert load_keys(settings, STRONG).ring() == (load_keys(settings, STRONG),)
    with pytest.raises(SecretsError, match="holds the present"):
        load_keys(settings, {**STRONG, PREVIOUS: STRONG[MASTER]})


def test_former_masters_may_lie_in_the_file(settings: Settings) -> None:
    load_keys(settings, {}, mint=True)
    path = settings.home / "secret.env"
    path.write_text(path.read_text() + f"{PREVIOUS}={'a' * 40}\n")
    keys = load_keys(settings, {})
    assert keys.former == (b"a" * 40,)
    assert keys.sources[PREVIOUS] == "file"
