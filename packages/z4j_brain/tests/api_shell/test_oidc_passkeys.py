"""The identity provider beside passkeys, a second step that is owed, and `Z4J_PUBLIC_URL`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from services.authenticator import Authenticator
from z4j_brain import clock
from z4j_brain.auth import passkey_sign_in, passwords
from z4j_brain.auth.oidc import signing_in
from z4j_brain.auth.sign_in import mint_link
from z4j_brain.store import users
from z4j_brain.store.schema import audit

ADA, PASSWORD = "ada@example.org", "correct horse battery staple"
IN = "/sign-in/provider?outcome=signed-in"
ROLES = json.dumps({"boss": ["instance-admin", "shop:admin"]})


def by_link(running: Any, email: str) -> Any:
    with running.database.write() as connection:
        account = users.find_account(connection, email)
        token = mint_link(connection, running.brain.keys, account.user.id, clock.now())
    browser = running.browser()
    assert browser.http.get(f"{running.url}/sign-in/once?token={token}").status_code == 303
    browser.enter(browser.get("/session"))
    return browser


def owes(browser: Any) -> bool:
    """Whether a second step is asked for, in the session and at a door."""
    is_owed = browser.get("/session").json()["second_factor_owed"]
    assert browser.get("/projects/shop/agents").status_code == (403 if is_owed else 200)
    return bool(is_owed)


def localhost(running: Any) -> Any:
    running.url = running.url.replace("127.0.0.1", "localhost")
    return running


def with_passkey(running: Any, browser: Any) -> Authenticator:
    device = Authenticator(running.url)
    options = browser.post("/account/passkeys/options", {"password": PASSWORD}).json()
    form = {"name": "Laptop", "credential": device.make(options)}
    assert browser.post("/account/passkeys", form).status_code == 201
    return device


def link(browser: Any, rogue: Any, form: Any) -> None:
    rogue.claims = {"email": ADA, "groups": ["boss"]}
    begun = browser.post("/account/oidc", form).json()["url"]
    assert browser.come_back(rogue.approve(begun)) == "/sign-in/provider?outcome=linked"


def test_an_account_without_a_password_owes_no_second_step(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_roles=ROLES, second_factor_required="all") as running:
        ada, eve = running.set_up(), running.browser()
        assert owes(ada)
        rogue.claims = {"groups": ["boss"]}
        assert eve.by_provider(rogue) == IN
        session = eve.get("/session").json()
        assert session["user"]["is_admin"]
        assert not owes(eve)
        with running.database.write() as connection:
            hashed = passwords.Passwords(time_cost=1, memory_kib=64, parallelism=1).hash(PASSWORD)
            account = users.find_account(connection, session["user"]["email"])
            users.set_password_hash(connection, account.user.id, hashed)
        assert owes(eve), "there is a way in without the provider now"


def test_who_has_a_password_owes_it_after_the_provider_too(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_roles=ROLES) as running:
        link(running.set_up(), rogue, {"password": PASSWORD})
    with begin_with(oidc_roles=ROLES, second_factor_required="all") as running:
        ada = running.browser()
        assert ada.by_provider(rogue) == IN
        assert owes(ada)


def test_nobody_owes_it_where_the_provider_is_the_only_way(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_roles=ROLES, second_factor_required="all", oidc_only="on") as running:
        running.set_up()
        ada = by_link(running, ADA)
        assert not owes(ada)
        link(ada, rogue, {})
        again = running.browser()
        assert again.by_provider(rogue) == IN
        assert not owes(again)


def test_a_passkey_is_the_second_step_after_the_provider(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_roles=ROLES) as server:
        running = localhost(server)
        ada = running.set_up()
        link(ada, rogue, {"password": PASSWORD})
        device, browser = with_passkey(running, ada), running.browser()
        page, _, asked = browser.by_provider(rogue).partition("#")
        token, _, ways = asked.partition("&")
        assert (page, ways) == ("/sign-in/provider", "passkey,recovery_code")
        options = browser.post("/sign-in/passkey/options", {"second_step": token}).json()
        form = {"credential": device.sign(options), "second_step": token}
        browser.enter(browser.post("/sign-in/passkey", form))
        with running.database.read() as connection:
            query = audit.select().where(audit.c.action == "session.opened")
            rows = connection.execute(query.order_by(audit.c.at)).all()
        assert json.loads(rows[-1].after) == {"by": "identity provider and passkey"}


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_a_passkey_is_no_way_around_the_provider(begin_with: Any) -> None:
    with begin_with() as server:
        running = localhost(server)
        device = with_passkey(running, running.set_up())
    with begin_with(oidc_only="on") as server:
        running = localhost(server)
        device.origin = running.url
        browser = running.browser()
        options = {"rpId": "localhost", "challenge": "AAAA"}
        for path, form in (
            ("/sign-in/passkey/options", {}),
            ("/sign-in/passkey", {"credential": device.sign(options)}),
        ):
            refused = browser.post(path, form)
            assert (refused.status_code, refused.json()["type"]) == (
                403,
                "/problems/password-sign-in-off",
            )


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_the_way_back_is_at_the_public_address(begin_with: Any) -> None:
    with begin_with(public_url="https://z4j.example:8443", root_path="/z4j") as running:
        begun = running.browser().post("/sign-in/oidc").json()["url"]
        back = parse_qs(urlsplit(begun).query)["redirect_uri"]
        assert back == ["https://z4j.example:8443/z4j/sign-in/oidc/callback"]
        elsewhere = running.browser({"Host": "evil.example", "Origin": "http://evil.example"})
        assert elsewhere.post("/sign-in/oidc").json()["type"] == "/problems/host-refused"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of everything, and then a wait."""
    departures = msgspec.structs.replace(signing_in.DEPARTURES, most=2, every_us=10**12)
    tokens = msgspec.structs.replace(signing_in.ONE_TIME_TOKENS, most=2, every_us=10**12)
    monkeypatch.setattr(signing_in, "DEPARTURES", departures)
    monkeypatch.setattr(signing_in, "ONE_TIME_TOKENS", tokens)
    monkeypatch.setattr(passkey_sign_in, "ONE_TIME_TOKENS", tokens)


@pytest.mark.usefixtures("few")
def test_departures_are_limited_by_address(begin_with: Any) -> None:
    with begin_with() as running:
        browser = running.browser()
        codes = [browser.post("/sign-in/oidc").status_code for _ in range(4)]
        assert codes == [200, 200, 429, 429]


@pytest.mark.usefixtures("few")
def test_wrong_ways_back_and_wrong_passkeys_are_limited_by_address(begin_with: Any) -> None:
    with begin_with() as server:
        running = localhost(server)
        browser = running.browser()
        ends = [browser.come_back({"state": "x", "code": "y"})[-4:] for _ in range(4)]
        assert ends == ["late", "late", "wait", "wait"]
        lie = Authenticator(running.url).sign({"rpId": "localhost", "challenge": "AAAA"})
        answer = browser.post("/sign-in/passkey", {"credential": lie})
        assert (answer.status_code, "retry-after" in answer.headers) == (429, True)
        answer = browser.post("/sign-in/passkey/options", {"second_step": "x"})
        assert answer.status_code == 429
        assert browser.post("/sign-in/passkey/options", {}).status_code == 200


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_wrong_passkeys_are_counted(running: Any, ada: Any) -> None:
    browser = localhost(running).browser()
    lie = Authenticator(running.url).sign({"rpId": "localhost", "challenge": "AAAA"})
    codes = [browser.post("/sign-in/passkey", {"credential": lie}).status_code for _ in range(3)]
    assert codes == [401, 401, 429]
    begin = ("/sign-in/passkey/options", {"second_step": "x"})
    assert browser.post(*begin).status_code == 429
