"""Whom the identity provider lets in, as whom, and with which roles."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from z4j_brain import clock
from z4j_brain.auth.sign_in import mint_link
from z4j_brain.auth.totp import code_at, step_at
from z4j_brain.store import users
from z4j_brain.store.schema import audit

EVE = "eve@example.org"
IN = "/sign-in/provider?outcome=signed-in"
ROLES = json.dumps({"ops": "shop:operator", "auditors": ["shop:auditor"], "boss": "instance-admin"})
PASSWORD = "correct horse battery staple"


def out(reason: str) -> str:
    return f"/sign-in/provider?outcome={reason}"


def log(running: Any) -> list[tuple[str, str, Any]]:
    with running.database.read() as connection:
        rows = connection.execute(audit.select().order_by(audit.c.at, audit.c.number)).all()
    return [(row.action, row.actor_name, json.loads(row.after or "{}")) for row in rows]


def test_groups_make_an_account_give_roles_and_take_them(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_roles=ROLES) as running:
        running.set_up()
        rogue.claims = {"groups": ["ops", "others"]}
        eve = running.browser()
        assert eve.by_provider(rogue) == IN
        session = eve.enter(eve.get("/session"))
        assert session["user"]["email"] == EVE
        assert session["user"]["name"] == "Eve"
        assert [(each["slug"], each["role"]) for each in session["projects"]] == [
            ("shop", "operator")
        ]
        assert eve.post("/sign-in", {"email": EVE, "password": ""}).status_code == 401

        rogue.claims = {"groups": ["auditors"]}
        assert eve.by_provider(rogue) == IN
        assert eve.get("/session").json()["projects"][0]["role"] == "auditor"

        rogue.claims = {"groups": ["boss"]}
        assert eve.by_provider(rogue) == IN
        assert eve.get("/session").json()["user"]["is_admin"]

        rogue.claims = {"groups": None}
        assert eve.by_provider(rogue) == IN, "an account that is linked still opens"
        session = eve.get("/session").json()
        assert (session["user"]["is_admin"], session["projects"]) == (False, [])
        assert rogue.faults == []
        assert [row for row in log(running) if row[1] == EVE] == [
            ("user.created", EVE, {"by": "identity provider"}),
            ("identity.linked", EVE, {"issuer": rogue.issuer, "subject": "sub-of-eve"}),
            ("session.opened", EVE, {"by": "identity provider"}),
            ("member.added", EVE, {"role": "operator", "by": "groups"}),
            ("session.opened", EVE, {"by": "identity provider"}),
            ("member.role_changed", EVE, {"role": "auditor", "by": "groups"}),
            ("session.opened", EVE, {"by": "identity provider"}),
            ("user.admin_changed", EVE, {"is_admin": True, "by": "groups"}),
            ("member.removed", EVE, {"by": "groups"}),
            ("session.opened", EVE, {"by": "identity provider"}),
            ("user.admin_changed", EVE, {"is_admin": False, "by": "groups"}),
        ]


def test_who_is_not_awaited_does_not_get_in(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_roles=ROLES) as running:
        eve = running.browser()
        rogue.claims = {"groups": ["ops"]}
        assert eve.by_provider(rogue) == out("setup")
        running.set_up()
        rogue.claims = {"groups": ["others"]}
        assert eve.by_provider(rogue) == out("not-invited")
        for unverified in (False, None, "yes", 1):
            rogue.claims = {"groups": ["ops"], "email_verified": unverified}
            assert eve.by_provider(rogue) == out("no-email")
        for address in ("eve", "Eve <eve@example.org>", "ėve@example.org", 7, None):
            rogue.claims = {"groups": ["ops"], "email": address}
            assert eve.by_provider(rogue) == out("no-email")
        assert eve.get("/session").json()["user"] is None
        rogue.claims = {"groups": ["ops"], "email": "ADA@example.org"}
        assert eve.by_provider(rogue) == out("taken"), "an address alone opens nothing"
        assert eve.get("/session").json()["user"] is None


def test_an_invitation_awaits_its_address(begin_with: Any, rogue: Any) -> None:
    with begin_with() as running:
        ada, eve = running.set_up(), running.browser()
        assert eve.by_provider(rogue) == out("not-invited")
        form = {"email": EVE, "role": "viewer"}
        assert ada.post("/projects/shop/invitations", form).status_code == 201
        rogue.claims = {"email_verified": False}
        assert eve.by_provider(rogue) == out("no-email")
        rogue.claims = {"email_verified": "true", "name": " Eve\n\x00of\tShop "}
        assert eve.by_provider(rogue) == IN
        session = eve.get("/session").json()
        assert session["user"]["name"] == "Eve of Shop"
        assert session["projects"][0]["role"] == "viewer"
        rogue.claims = {"email": "eve@another.example", "email_verified": False}
        assert eve.by_provider(rogue) == IN, "issuer and subject say who it is"
        rogue.claims = {"sub": "somebody else"}
        assert eve.by_provider(rogue) == out("taken")
        actions = [action for action, _, _ in log(running)]
        assert actions.count("invitation.accepted") == 1


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_the_user_info_is_asked_for_what_the_token_lacks(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_roles=ROLES) as running:
        running.set_up()
        eve = running.browser()
        rogue.claims = dict.fromkeys(("email", "email_verified", "name", "groups"))
        rogue.user_info = {
            "sub": "sub-of-eve",
            "email": EVE,
            "email_verified": True,
            "groups": "ops",
            "iss": "https://elsewhere.example",
        }
        assert eve.by_provider(rogue) == IN
        assert eve.get("/session").json()["projects"][0]["role"] == "operator"
        rogue.user_info["sub"] = "sub-of-ada"
        assert eve.by_provider(rogue) == out("provider")


def test_linking_is_the_owners_wish(begin_with: Any, rogue: Any) -> None:
    with begin_with() as running:
        ada, bob, eve = running.set_up(), running.member("viewer"), running.browser()
        rogue.claims = {"email_verified": False}
        assert ada.get("/account/oidc").json() == {
            "provider": "single sign-on",
            "linked_at": None,
            "needs_password": True,
        }
        assert ada.post("/account/oidc", {"password": "wrong"}).status_code == 422
        begun = ada.post("/account/oidc", {"password": PASSWORD}).json()["url"]
        assert bob.come_back(rogue.approve(begun)) == out("late"), "the cookie is Ada's"
        stolen = ada.http.cookies["z4j_oidc"]
        bob.http.cookies.set("z4j_oidc", stolen, domain="127.0.0.1", path="/sign-in/oidc")
        assert bob.come_back(rogue.approve(begun)) == out("signed-out"), "so is the session"
        begun = ada.post("/account/oidc", {"password": PASSWORD}).json()["url"]
        assert ada.come_back(rogue.approve(begun)) == out("linked")
        assert ada.get("/account/oidc").json()["linked_at"] is not None
        assert eve.by_provider(rogue) == IN
        assert eve.get("/session").json()["user"]["email"] == "ada@example.org"

        bob.sign_in("bob@example.org")
        begun = bob.post("/account/oidc", {"password": PASSWORD}).json()["url"]
        assert bob.come_back(rogue.approve(begun)) == out("elsewhere")
        rogue.claims = {"sub": "second"}
        begun = ada.post("/account/oidc", {"password": PASSWORD}).json()["url"]
        assert ada.come_back(rogue.approve(begun)) == out("has-one")
        assert [
            ada.post("/account/oidc/off", {"password": PASSWORD}).status_code for _ in "ab"
        ] == [
            204,
            409,
        ]
        rogue.claims = {}
        assert eve.by_provider(rogue) == out("not-invited")


def test_a_second_step_and_a_disabled_account_count_here_too(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_roles=ROLES) as running:
        ada, eve = running.set_up(), running.browser()
        secret = base64.b32decode(
            ada.post("/account/second-factor", {"password": PASSWORD}).json()["secret"]
        )
        step = step_at(clock.now())
        confirmed = ada.post("/account/second-factor/confirm", {"code": code_at(secret, step)})
        assert confirmed.status_code == 200
        begun = ada.post("/account/oidc", {"password": PASSWORD}).json()["url"]
        assert ada.come_back(rogue.approve(begun)) == out("linked")
        page, _, step_asked = eve.by_provider(rogue).partition("#")
        token, _, ways = step_asked.partition("&")
        assert (page, ways) == ("/sign-in/provider", "app,recovery_code")
        assert eve.get("/session").json()["user"] is None
        form = {"second_step": token, "code": code_at(secret, step + 1)}
        eve.enter(eve.post("/sign-in/code", form))
        assert log(running)[-1] == (
            "session.opened",
            "ada@example.org",
            {"by": "identity provider and app"},
        )

        rogue.claims = {"sub": "s2", "groups": ["ops"]}
        assert eve.by_provider(rogue) == IN
        eves = eve.get("/session").json()["user"]["id"]
        with running.database.write() as connection:
            users.set_disabled(connection, UUID(eves), clock.now())
        assert eve.by_provider(rogue) == out("disabled")


def test_the_provider_as_the_only_way(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_only="on", oidc_name="Shop ID") as running:
        ada, stranger = running.set_up(), running.browser()
        session = stranger.get("/session").json()
        assert (session["provider"], session["by_password"]) == ("Shop ID", False)
        refused = stranger.post("/sign-in", {"email": "ada@example.org", "password": PASSWORD})
        assert (refused.status_code, refused.json()["type"]) == (
            403,
            "/problems/password-sign-in-off",
        )
        made = ada.post("/projects/shop/invitations", {"email": EVE, "role": "viewer"}).json()
        form = {"token": made["url"].partition("#")[2], "name": "Eve", "password": PASSWORD}
        assert stranger.post("/invitations/sign-up", form).status_code == 403

        rogue.claims = {"email": "another@example.org"}
        begun = ada.post("/account/oidc", {}).json()["url"]
        assert ada.come_back(rogue.approve(begun)) == out("other-email")
        with running.database.write() as connection:
            account = users.find_account(connection, "ada@example.org")
            token = mint_link(connection, running.brain.keys, account.user.id, clock.now())
        back = running.browser()
        assert back.http.get(f"{running.url}/sign-in/once?token={token}").status_code == 303
        back.enter(back.get("/session"))
        rogue.claims = {"email": "ada@example.org"}
        begun = back.post("/account/oidc", {}).json()["url"]
        assert back.come_back(rogue.approve(begun)) == out("linked")
        assert stranger.by_provider(rogue) == IN


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_nothing_of_it_without_a_provider(running: Any, ada: Any) -> None:
    assert ada.get("/session").json()["provider"] is None
    assert ada.get("/account/oidc").json()["provider"] is None
    assert running.browser().post("/sign-in/oidc").status_code == 409
    assert ada.http.get(f"{running.url}/sign-in/oidc/callback?code=a&state=b").status_code == 404


def test_accounts_tell_how_they_are_opened(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_roles=ROLES) as running:
        ada, eve = running.set_up(), running.browser()
        rogue.claims = {"groups": ["ops"]}
        assert eve.by_provider(rogue) == IN
        items = ada.get("/instance/users").json()["items"]
        assert [(each["has_password"], each["has_identity"]) for each in items] == [
            (True, False),
            (False, True),
        ]


@pytest.mark.parametrize("record_url", ["postgresql"], indirect=True)
def test_another_replica_finishes_what_one_began(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_roles=ROLES) as one:
        one.set_up()
        rogue.claims = {"groups": ["ops"]}
        with begin_with(oidc_roles=ROLES) as other:
            eve, same = one.browser(), other.browser()
            begun = eve.post("/sign-in/oidc").json()["url"]
            same.http.cookies = eve.http.cookies
            back = rogue.approve(begun)
            assert same.come_back(back) == IN
            assert eve.come_back(back) == out("late")


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_it_works_under_a_prefix_and_behind_tls(begin_with: Any, rogue: Any) -> None:
    with begin_with(oidc_roles=ROLES, root_path="/z4j") as running:
        running.set_up()
        rogue.claims = {"groups": ["ops"]}
        assert running.browser().by_provider(rogue) == f"/z4j{IN}"
        assert rogue.faults == []
        own = {"X-Forwarded-Proto": "https", "Origin": running.url.replace("http:", "https:")}
        own["Origin"] = own["Origin"].removesuffix("/z4j")
        begun = running.browser(own).post("/sign-in/oidc")
        back = parse_qs(urlsplit(begun.json()["url"]).query)["redirect_uri"]
        assert back == [f"{own['Origin']}/z4j/sign-in/oidc/callback"]
        cookie = begun.headers["set-cookie"].lower()
        assert "path=/z4j/sign-in/oidc;" in cookie
        assert "; secure" in cookie
