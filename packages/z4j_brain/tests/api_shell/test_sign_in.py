"""Sessions: made at sign-in, kept as a hash, ended by sign-out, time and a new secret."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from z4j_brain import clock
from z4j_brain.auth import back_off
from z4j_brain.auth.browser import HOUR_US
from z4j_brain.auth.passwords import Passwords
from z4j_brain.keys import Keys
from z4j_brain.store.schema import sessions, sign_in_failures, users

EMAIL, PASSWORD = "ada@example.org", "correct horse battery staple"


def _cookie(browser: Any) -> str:
    value: str = browser.http.cookies["z4j_session"]
    return value


def test_the_cookie_is_guarded_and_stored_as_a_hash_only(running: Any, ada: Any) -> None:
    answer = running.browser().post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/;" in cookie + ";"
    assert "secure" not in cookie, "this connection is plain http on loopback"
    assert "no-store" in answer.headers["cache-control"]
    with running.database.read() as connection:
        stored = [
            bytes(value) for value in connection.execute(select(sessions.c.token_hash)).scalars()
        ]
    assert len(stored) == 2
    assert all(_cookie(ada).encode() not in value and len(value) == 32 for value in stored)


def test_the_cookie_is_secure_behind_tls(start: Any) -> None:
    with start() as running:
        running.set_up()
        url = running.url.replace("http:", "https:")
        browser = running.browser({"X-Forwarded-Proto": "https", "Origin": url})
        answer = browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 200
        assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("trusted", "scheme", "prefix"),
    [
        ("127.0.0.1", "https", ""),
        ("127.0.0.1", "https", "/z4j"),
        ("127.0.0.1", "http", ""),
        ("192.0.2.1", "https", ""),
    ],
)
def test_the_flags_of_both_cookies(start: Any, trusted: str, scheme: str, prefix: str) -> None:
    """Secure exactly when a trusted proxy says that the browser talks TLS."""
    is_secure = (trusted, scheme) == ("127.0.0.1", "https")
    with start(trusted_proxies=trusted, root_path=prefix) as running:
        running.set_up()
        origin = running.url.removesuffix(prefix)
        origin = origin.replace("http:", "https:") if is_secure else origin
        browser = running.browser({"X-Forwarded-Proto": scheme, "Origin": origin})
        answer = browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        found = {}
        for header in answer.headers.get_list("set-cookie"):
            name, _, flags = header.lower().partition("=")
            found[name] = {flag.strip() for flag in flags.split(";")[1:]}
        days = {"z4j_session": 7, "z4j_known": 180}
        assert found == {
            name: {
                "httponly",
                "samesite=lax",
                f"path={prefix or '/'}",
                f"max-age={days[name] * 86_400}",
                *({"secure"} if is_secure else ()),
            }
            for name in days
        }


def test_sign_in_gives_a_new_session_and_ends_the_former(running: Any, ada: Any) -> None:
    former = _cookie(ada)
    ada.sign_in()
    assert _cookie(ada) != former
    stranger = running.browser()
    stranger.http.cookies.set("z4j_session", former)
    assert stranger.get("/session").json()["user"] is None


def test_a_planted_session_is_not_taken_over(running: Any, ada: Any) -> None:
    browser = running.browser()
    browser.http.cookies.set("z4j_session", "planted-by-somebody")
    browser.sign_in()
    with running.database.read() as connection:
        hashes = set(connection.execute(select(sessions.c.token_hash)).scalars())
    assert running.brain.keys.session_hash("planted-by-somebody") not in hashes


def test_sign_out_ends_the_session_on_the_server(running: Any, ada: Any) -> None:
    cookie = _cookie(ada)
    answer = ada.post("/sign-out")
    assert answer.status_code == 200
    assert answer.json()["user"] is None
    assert 'z4j_session=""' in answer.headers["set-cookie"]
    ada.http.cookies.set("z4j_session", cookie)
    assert ada.get("/session").json()["user"] is None
    assert ada.get("/projects/shop/agents").status_code == 401


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "wrong horse battery staple"), ("eve@example.org", PASSWORD), (EMAIL, "")],
)
def test_wrong_credentials_look_alike(running: Any, ada: Any, email: str, password: str) -> None:
    answer = running.browser().post("/sign-in", {"email": email, "password": password})
    assert answer.status_code == 401
    assert answer.json() == {
        "type": "/problems/sign-in-failed",
        "title": "Sign-in failed",
        "status": 401,
        "detail": "No account has this e-mail address and password.",
    }
    assert "set-cookie" not in answer.headers


def test_an_unknown_account_costs_a_hash_too(
    running: Any, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str | None] = []
    original = Passwords._check

    def spy(self: Passwords, password_hash: str | None, password: str) -> bool:
        checked.append(password_hash)
        return original(self, password_hash, password)

    monkeypatch.setattr(Passwords, "_check", spy)
    running.browser().post("/sign-in", {"email": "eve@example.org", "password": PASSWORD})
    assert checked == [None]


def test_a_disabled_account_cannot_sign_in_and_its_sessions_end(running: Any, ada: Any) -> None:
    with running.database.write() as connection:
        connection.execute(update(users).values(disabled_at=clock.now()))
    assert ada.get("/session").json()["user"] is None
    answer = running.browser().post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 401


@pytest.mark.parametrize("column", ["expires_at", "seen_at"])
def test_a_session_ends_by_age_and_by_idleness(running: Any, ada: Any, column: str) -> None:
    idle_us = running.brain.settings.session_idle_hours * HOUR_US
    past = clock.now() - (idle_us if column == "seen_at" else 1)
    with running.database.write() as connection:
        connection.execute(update(sessions).values({column: past}))
    assert ada.get("/session").json()["user"] is None
    ada.sign_in()
    with running.database.read() as connection:
        assert len(connection.execute(select(sessions.c.id)).all()) == 1, "the old one is deleted"


def test_use_keeps_a_session_alive(running: Any, ada: Any) -> None:
    with running.database.write() as connection:
        connection.execute(update(sessions).values(seen_at=clock.now() - 2 * HOUR_US))
    ada.get("/session")
    with running.database.read() as connection:
        assert connection.execute(select(sessions.c.seen_at)).scalar_one() > clock.now() - HOUR_US


def test_another_session_secret_signs_everybody_out(running: Any, ada: Any) -> None:
    assert ada.get("/session").json()["user"] is not None
    running.brain.keys = Keys(running.brain.keys.master, b"another session secret, as long")
    assert ada.get("/session").json()["user"] is None


def test_an_old_hash_is_made_anew(running: Any, ada: Any) -> None:
    weak = Passwords(time_cost=1, memory_kib=32, parallelism=1).hash(PASSWORD)
    with running.database.write() as connection:
        connection.execute(update(users).values(password_hash=weak))
    running.browser().sign_in()
    with running.database.read() as connection:
        stored = connection.execute(select(users.c.password_hash)).scalar_one()
    assert stored != weak
    assert "m=64," in stored
    running.browser().sign_in()


def test_failures_make_the_caller_wait_and_success_forgives(running: Any, ada: Any) -> None:
    browser = running.browser()
    wrong = {"email": EMAIL, "password": "wrong horse battery staple"}
    for _ in range(back_off.PAIR.free):
        assert browser.post("/sign-in", wrong).status_code == 401
    # The wait begins at one second, which may pass before the next request is looked at.
    with running.database.write() as connection:
        connection.execute(update(sign_in_failures).values(last_at=clock.now() + HOUR_US // 60))
    refused = browser.post("/sign-in", wrong)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    right = {"email": EMAIL, "password": PASSWORD}
    assert browser.post("/sign-in", right).status_code == 429, "even the right password waits"
    with running.database.write() as connection:
        connection.execute(update(sign_in_failures).values(last_at=clock.now() - 2_000_000))
    running.brain.limits.waits.forget()
    assert browser.post("/sign-in", right).status_code == 200
    assert browser.post("/sign-in", wrong).status_code == 401


def test_nothing_readable_is_kept_of_failures(running: Any, ada: Any) -> None:
    running.browser().post("/sign-in", {"email": "eve@example.org", "password": "x"})
    with running.database.read() as connection:
        subjects = connection.execute(select(sign_in_failures.c.subject)).scalars().all()
    assert len(subjects) >= 3
    assert all(len(bytes(subject)) == 32 for subject in subjects)


@pytest.fixture
def once(running: Any, ada: Any) -> str:
    """The address of a one-time sign-in link for Ada."""
    from z4j_brain.auth.sign_in import mint_link
    from z4j_brain.store.users import find_account

    with running.database.write() as connection:
        account = find_account(connection, EMAIL)
        assert account is not None
        token = mint_link(connection, running.brain.keys, account.user.id, clock.now())
    return f"{running.url}/sign-in/once?token={token}"


def test_a_link_signs_in_once(running: Any, once: str) -> None:
    browser = running.browser()
    answer = browser.http.get(once)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/session").json()["user"]["email"] == EMAIL
    second = running.browser()
    answer = second.http.get(once)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "set-cookie" not in answer.headers


def test_a_link_ends_and_a_setup_token_is_none(running: Any, once: str) -> None:
    from z4j_brain.store.schema import one_time_tokens

    with running.database.write() as connection:
        connection.execute(update(one_time_tokens).values(expires_at=clock.now() - 1))
    answer = running.browser().http.get(once)
    assert answer.headers["location"] == "/sign-in"
    token = once.partition("token=")[2]
    assert running.browser().get("/setup/check", token=token).json() == {"valid": False}
