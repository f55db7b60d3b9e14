"""Passkeys: adding, signing in alone and after a password, removing, and what thieves try."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from services.authenticator import PRESENT, Authenticator, plain, text
from z4j_brain import clock
from z4j_brain.auth import passkey_challenges, passkeys
from z4j_brain.store import second_factors
from z4j_brain.store.schema import audit, one_time_tokens, recovery_codes
from z4j_brain.store.schema import passkeys as table

EMAIL, PASSWORD = "ada@example.org", "correct horse battery staple"
PATH = "/account/passkeys"
LIES: list[tuple[dict[str, Any], str]] = [
    ({"origin": "https://evil.example"}, "another address"),
    ({"origin": "http://localhost"}, "another address"),
    ({"rp_id": "evil.example"}, "another address"),
    ({"flags": PRESENT}, "did not check that it is you"),
    ({"flags": 0}, "not valid"),
    ({"crossOrigin": True}, "in a frame"),
    ({"challenge": text(b"c" * 72)}, "took too long"),
    ({"challenge": 7}, "not valid"),
]
"""What a browser or authenticator may claim, and what people are told."""


class Time:
    """The server's clock, which stands still."""

    def __init__(self) -> None:
        self.now = clock.now()


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(clock, "now", lambda: made.now)
    return made


@pytest.fixture
def named(running: Any) -> Any:
    """The server, addressed by a host name: an IP address has no passkeys."""
    running.url = running.url.replace("127.0.0.1", "localhost")
    return running


@pytest.fixture
def owner(named: Any) -> Any:
    """Ada, signed in at the host name."""
    return named.set_up()


def begin(browser: Any) -> Any:
    answer = browser.post(f"{PATH}/options", {"password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return answer.json()


def add(browser: Any, device: Authenticator, name: str = "Laptop", **lies: Any) -> Any:
    credential = device.make(begin(browser), **lies)
    return browser.post(PATH, {"name": name, "credential": credential})


@pytest.fixture
def device(named: Any, owner: Any) -> Authenticator:
    """A passkey of Ada's."""
    made = Authenticator(named.url)
    answer = add(owner, made)
    assert answer.status_code == 201, answer.text
    return made


def wanted(browser: Any, second_step: str | None = None) -> Any:
    answer = browser.post("/sign-in/passkey/options", {"second_step": second_step})
    assert answer.status_code == 200, answer.text
    return answer.json()


def send(browser: Any, credential: Any, second_step: str | None = None) -> Any:
    return browser.post("/sign-in/passkey", {"credential": credential, "second_step": second_step})


def first_step(browser: Any) -> Any:
    answer = browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD}).json()
    assert answer["user"] is None
    return answer


def log(running: Any, action: str) -> list[Any]:
    chosen = select(audit).where(audit.c.action == action).order_by(audit.c.number)
    with running.database.read() as connection:
        return list(connection.execute(chosen))


def refused(answer: Any, why: str) -> None:
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/passkey-refused")
    assert why in answer.json()["detail"]
    assert "set-cookie" not in answer.headers


def test_a_passkey_alone_signs_in(named: Any, owner: Any, device: Authenticator) -> None:
    browser = named.browser()
    options = wanted(browser)
    assert (options["allowCredentials"], options["userVerification"]) == ([], "required")
    assert browser.enter(send(browser, device.sign(options)))["user"]["email"] == EMAIL
    assert browser.post("/projects/shop/agents", {"name": "a"}).status_code == 201
    (shown,) = browser.get(PATH).json()["items"]
    assert (shown["name"], shown["host"]) == ("Laptop", "localhost")
    assert shown["last_used_at"] is not None
    assert json.loads(log(named, "session.opened")[-1].after) == {"by": "passkey"}


def test_a_passkey_is_a_second_step(named: Any, owner: Any, device: Authenticator) -> None:
    browser = named.browser()
    asked = first_step(browser)
    assert asked["second_step_ways"] == ["passkey", "recovery_code"]
    options = wanted(browser, asked["second_step"])
    assert options["allowCredentials"] == [{"type": "public-key", "id": text(device.id)}]
    signed = device.sign(options)
    assert send(named.browser(), signed).status_code == 401, "not as a passkey alone"
    browser.enter(send(browser, signed, asked["second_step"]))
    assert send(named.browser(), signed, asked["second_step"]).status_code == 401, "used up"
    assert json.loads(log(named, "session.opened")[-1].after) == {"by": "password and passkey"}
    late = named.browser().post("/sign-in/passkey/options", {"second_step": "x" * 43})
    assert (late.status_code, late.json()["type"]) == (401, "/problems/second-step-too-late")


def test_the_first_one_brings_recovery_codes_and_ends_other_sessions(
    named: Any, owner: Any
) -> None:
    elsewhere = named.browser()
    elsewhere.sign_in()
    codes = add(owner, Authenticator(named.url)).json()["recovery_codes"]
    assert len(codes) == 10
    assert elsewhere.get(PATH).status_code == 401
    assert add(owner, Authenticator(named.url), "Key").json()["recovery_codes"] == []
    asked = first_step(named.browser())
    form = {"second_step": asked["second_step"], "code": "123456"}
    assert named.browser().post("/sign-in/code", form).status_code == 422, "there is no app"
    entered = named.browser().post("/sign-in/code", {**form, "code": codes[0]})
    assert entered.status_code == 200
    assert owner.post("/account/recovery-codes", {"password": PASSWORD}).status_code == 200


def test_removing_needs_the_password_and_the_last_one_takes_the_codes(
    named: Any, owner: Any, device: Authenticator
) -> None:
    (shown,) = owner.get(PATH).json()["items"]
    path = f"{PATH}/{shown['id']}/remove"
    assert owner.post(path, {"password": "wrong horse battery"}).status_code == 422
    bob = named.member("viewer")
    assert bob.post(path, {"password": PASSWORD}).status_code == 404, "it is not Bob's"
    assert owner.post(path, {"password": PASSWORD}).status_code == 204
    assert owner.post(path, {"password": PASSWORD}).status_code == 404
    named.browser().sign_in()
    refused(send(named.browser(), device.sign(wanted(named.browser()))), "not known here")
    with named.database.read() as connection:
        assert not connection.execute(select(recovery_codes)).all()
    assert json.loads(log(named, "passkey.removed")[0].before)["name"] == "Laptop"


def test_adding_needs_the_password(named: Any, owner: Any) -> None:
    answer = owner.post(f"{PATH}/options", {"password": "wrong horse battery"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/password")
    (told,) = log(named, "password.refused")
    assert (told.actor_name, told.object_name) == (EMAIL, EMAIL)
    made = begin(owner)
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert plain(made["user"]["id"]).hex() == owner.get("/session").json()["user"]["id"].replace(
        "-", ""
    )


def test_a_registration_that_lies_is_refused(named: Any, owner: Any) -> None:
    options = begin(owner)
    for lies, why in [*LIES, ({"type": "webauthn.get"}, "not valid")]:
        made = Authenticator(named.url).make(options, **lies)
        answer = owner.post(PATH, {"name": "x", "credential": made})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/credential")
        assert why in answer.json()["detail"], lies
    assert owner.get(PATH).json()["items"] == []


def test_a_signature_that_lies_is_refused(named: Any, device: Authenticator) -> None:
    browser = named.browser()
    for lies, why in [*LIES, ({"type": "webauthn.create"}, "not valid")]:
        refused(send(browser, device.sign(wanted(browser), **lies)), why)
        assert browser.get("/session").json()["user"] is None


def test_a_challenge_is_taken_once_and_for_five_minutes(
    named: Any, owner: Any, device: Authenticator, time: Time
) -> None:
    browser = named.browser()
    options = wanted(browser)
    signed = device.sign(options)
    assert send(browser, signed).status_code == 200
    refused(send(named.browser(), signed), "sent before")
    device.count += 1
    refused(send(named.browser(), device.sign(options)), "sent before")
    late = device.sign(wanted(browser))
    time.now += passkey_challenges.VALID_US
    refused(send(named.browser(), late), "took too long")
    with named.database.read() as connection:
        kept = connection.execute(select(one_time_tokens)).all()
    assert len(kept) == 1 + 1, "those that were used; asking for one stores nothing"
    challenge = plain(options["challenge"])
    assert not any(challenge in bytes(row.token_hash) for row in kept)


def test_of_many_at_once_one_gets_in(named: Any, owner: Any, device: Authenticator) -> None:
    bob, own = named.member("viewer"), Authenticator(named.url)
    assert add(bob, own).status_code == 201
    options = wanted(named.browser())
    signed = [device.sign(options), own.sign(options)] * 3
    browsers = [named.browser() for _ in signed]
    with ThreadPoolExecutor(len(signed)) as threads:
        answers = list(threads.map(send, browsers, signed))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5


def test_a_challenge_is_for_one_purpose_and_one_session(named: Any, owner: Any) -> None:
    elsewhere = named.browser()
    elsewhere.sign_in()
    made = Authenticator(named.url).make(begin(owner))
    form = {"name": "Key", "credential": made}
    assert elsewhere.post(PATH, form).status_code == 422, "of another session"
    assert owner.post(PATH, form).status_code == 201
    assert owner.post(PATH, form).status_code == 422, "used up"
    other = begin(owner)
    other["challenge"] = wanted(named.browser())["challenge"]
    answer = owner.post(PATH, {"name": "Key", "credential": Authenticator(named.url).make(other)})
    assert answer.status_code == 422, "it was made for a sign-in"


def test_somebody_elses_passkey_is_refused(named: Any, owner: Any, device: Authenticator) -> None:
    bob, own = named.member("viewer"), Authenticator(named.url)
    assert add(bob, own).status_code == 201
    token = first_step(named.browser())["second_step"]
    signed = own.sign(wanted(named.browser(), token))
    refused(send(named.browser(), signed, token), "not known here")
    own.user = device.user
    refused(send(named.browser(), own.sign(wanted(named.browser()))), "not known here")
    own.user = b""
    refused(send(named.browser(), own.sign(wanted(named.browser()))), "not known here")
    forged = Authenticator(named.url)
    forged.id, forged.user = device.id, device.user
    refused(send(named.browser(), forged.sign(wanted(named.browser()))), "not valid")
    again = bob.post(PATH, {"name": "x", "credential": device.make(begin(bob))})
    assert (again.status_code, again.json()["detail"]) == (409, "This passkey is there already.")


def test_a_counter_that_goes_back_is_refused_and_recorded(
    named: Any, owner: Any, device: Authenticator
) -> None:
    for count in (0, 5, 6):
        device.count = count
        assert send(named.browser(), device.sign(wanted(named.browser()))).status_code == 200
    for count in (6, 5, 0):
        device.count = count
        refused(send(named.browser(), device.sign(wanted(named.browser()))), "copied")
    told = log(named, "passkey.counter_went_back")
    assert len(told) == 3
    assert (told[1].actor_kind, told[1].object_name, told[1].address) == (
        "system",
        EMAIL,
        "127.0.0.1",
    )
    assert json.loads(told[1].before)["count"] == 6
    assert json.loads(told[1].after) == {"count": 5}
    device.count = 7
    assert send(named.browser(), device.sign(wanted(named.browser()))).status_code == 200


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_nonsense_and_oversized_values_are_refused(
    named: Any, owner: Any, device: Authenticator
) -> None:
    signed = device.sign(wanted(named.browser()))
    for field in signed:
        for value in ("A" * 20_000, "not base64!", 7, "=", "\u00e9"):
            answer = send(named.browser(), {**signed, field: value})
            assert answer.status_code == 422, (field, value)
        for value in ("", "A", "AA", text(b"\xff" * 90)):
            answer = send(named.browser(), {**signed, field: value})
            assert answer.status_code in (401, 422), (field, value)
    made = Authenticator(named.url).make(begin(owner))
    deep = text(b"\x81" * 10_000)
    for field in made:
        for value in ("A" * 20_000, "", "A", text(b"[" * 2_000), deep):
            answer = owner.post(PATH, {"name": "x", "credential": {**made, field: value}})
            assert answer.status_code == 422, (field, value[:20])
    huge = named.browser().post("/sign-in/passkey", {"credential": {**signed, "x": "A" * 40_000}})
    assert huge.status_code == 413
    assert owner.post(PATH, {"name": "\n", "credential": made}).status_code == 422
    assert len(owner.get(PATH).json()["items"]) == 1


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_there_are_at_most_twenty(
    named: Any, owner: Any, device: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passkeys, "MOST_PASSKEYS", 2)
    begun = begin(owner)
    assert add(owner, Authenticator(named.url)).status_code == 201
    assert owner.post(f"{PATH}/options", {"password": PASSWORD}).status_code == 409
    late = owner.post(PATH, {"name": "x", "credential": Authenticator(named.url).make(begun)})
    assert late.status_code == 409


def test_a_disabled_account_is_shut(named: Any, owner: Any) -> None:
    bob, own = named.member("viewer"), Authenticator(named.url)
    assert add(bob, own).status_code == 201
    signed = own.sign(wanted(named.browser()))
    user_id = bob.get("/session").json()["user"]["id"]
    assert owner.put(f"/instance/users/{user_id}", {"disabled": True}).status_code == 200
    refused(send(named.browser(), signed), "not known here")


def test_the_row_holds_nothing_that_signs_in(named: Any, owner: Any, device: Authenticator) -> None:
    with named.database.read() as connection:
        (row,) = connection.execute(select(table)).all()
        assert second_factors.administrators_without(connection) == []
    secret = device.key.private_numbers().private_value.to_bytes(32, "big")
    assert bytes(row.credential_id) == device.id
    assert secret not in bytes(row.public_key)
    assert json.loads(log(named, "passkey.added")[0].after)["name"] == "Laptop"


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_at_an_ip_address_there_are_none(running: Any, ada: Any) -> None:
    assert "IP address" in ada.get(PATH).json()["unavailable"]
    answers = [
        ada.post(f"{PATH}/options", {"password": PASSWORD}),
        running.browser().post("/sign-in/passkey/options", {}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (
            409,
            "/problems/passkeys-unavailable",
        )


@pytest.fixture
def public(start: Any) -> Iterator[Any]:
    """A server whose outside address is set."""
    with start(public_url="https://z4j.example") as server:
        yield server


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_the_public_address_is_the_only_one(public: Any) -> None:
    browser = public.set_up()
    told = browser.get(PATH).json()["unavailable"]
    assert told == "Passkeys work at https://z4j.example only. Open that address."
    outside = public.browser(
        {
            "Host": "z4j.example",
            "X-Forwarded-Proto": "https",
            "Origin": "https://z4j.example",
        }
    )
    options = outside.post("/sign-in/passkey/options", {})
    assert options.status_code == 200, options.text
    assert options.json()["rpId"] == "z4j.example"


@pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
def test_without_the_extra_it_says_what_to_install(
    named: Any, owner: Any, device: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = device.sign(wanted(named.browser()))
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "webauthn" else find(name)
    )
    assert named.browser().get("/session").json()["passkeys"] is False
    listed = owner.get(PATH).json()
    assert 'pip install "z4j[passkeys]"' in listed["unavailable"]
    assert len(listed["items"]) == 1
    assert first_step(named.browser())["second_step_ways"] == ["recovery_code"]
    answers = [
        owner.post(f"{PATH}/options", {"password": PASSWORD}),
        named.browser().post("/sign-in/passkey/options", {}),
        send(named.browser(), signed),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (
            409,
            "/problems/passkeys-unavailable",
        )
        assert "z4j[passkeys]" in answer.json()["detail"]


def test_nothing_imports_the_extra_before_it_is_needed() -> None:
    program = (
        "import sys; sys.modules['webauthn'] = sys.modules['cryptography'] = None;"
        "from z4j_brain import app; from z4j_brain.api.table import all_routes;"
        "print(len(all_routes()))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert int(done.stdout) > 0
