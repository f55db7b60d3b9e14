"""What gets nobody in: forged tokens, other people's answers, and a provider gone bad."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hmac
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from services.rogue_provider import CLIENT, SECRET, RogueProvider, new_key
from z4j_brain.auth.oidc import provider as provider_module
from z4j_brain.auth.oidc.fetching import MOST_BYTES, Fetcher, ProviderError

ROLES = json.dumps({"ops": "shop:operator"})
IN = "/sign-in/provider?outcome=signed-in"
LATE, BAD = "/sign-in/provider?outcome=late", "/sign-in/provider?outcome=provider"
METADATA = "/.well-known/openid-configuration"
ON_ONE = pytest.mark.parametrize("record_url", ["sqlite"], indirect=True)
"""What the database has no part in is tested on one of them."""
Forge = Callable[[RogueProvider, dict[str, Any]], str]


@pytest.fixture
def running(begin_with: Any, rogue: RogueProvider) -> Any:
    """A server where Eve is awaited."""
    rogue.claims = {"groups": ["ops"]}
    with begin_with(oidc_roles=ROLES) as server:
        server.set_up()
        yield server


def text(value: Any) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def with_claims(**changed: Any) -> Forge:
    def forge(rogue: RogueProvider, claims: dict[str, Any]) -> str:
        told = {**claims, **changed}
        return rogue.sign({name: value for name, value in told.items() if value is not None})

    return forge


def tampered(rogue: RogueProvider, claims: dict[str, Any]) -> str:
    head, _, signature = rogue.sign({**claims, "groups": []}).split(".")
    return f"{head}.{text(claims)}.{signature}"


def unsigned(rogue: RogueProvider, claims: dict[str, Any]) -> str:
    return f"{text({'alg': 'none', 'kid': rogue.key.kid})}.{text(claims)}."


def by_public_key(rogue: RogueProvider, claims: dict[str, Any]) -> str:
    """HS256 with what everybody knows as the secret: the confusion of RFC 8725, section 2.1."""
    return by_secret(rogue.key.as_pem(private=False))(rogue, claims)


def by_secret(secret: bytes) -> Forge:
    def forge(rogue: RogueProvider, claims: dict[str, Any]) -> str:
        signed = f"{text({'alg': 'HS256', 'kid': rogue.key.kid})}.{text(claims)}"
        return f"{signed}.{text(hmac.digest(secret, signed.encode(), 'sha256'))}"

    return forge


def by_another_key(rogue: RogueProvider, claims: dict[str, Any]) -> str:
    return rogue.sign(claims, key=OTHER)


def by_its_own_key(rogue: RogueProvider, claims: dict[str, Any]) -> str:
    """The token brings along the key that is to be believed."""
    return rogue.sign(claims, {"jwk": OTHER.as_dict(private=False)}, OTHER)


def under_another_algorithm(rogue: RogueProvider, claims: dict[str, Any]) -> str:
    _, _, rest = rogue.sign(claims).partition(".")
    return f"{text({'alg': 'PS256', 'kid': rogue.key.kid})}.{rest}"


def by_a_number(rogue: RogueProvider, claims: dict[str, Any]) -> str:
    return f"{text({'alg': 'RS256', 'kid': 7})}.{text(claims)}.{text(b'x' * 256)}"


OTHER = new_key()
FORGED: dict[str, Forge] = {
    "tampered": tampered,
    "unsigned": unsigned,
    "unsigned, no dot": lambda rogue, claims: unsigned(rogue, claims).rstrip("."),
    "HS256 with the public key": by_public_key,
    "HS256 with the client's secret": by_secret(SECRET.encode()),
    "HS256 with nothing": by_secret(b""),
    "another key under the same id": by_another_key,
    "another key under its own id": lambda rogue, claims: rogue.sign(
        claims, {"kid": OTHER.kid}, OTHER
    ),
    "its own key": by_its_own_key,
    "a key whose id is a number": by_a_number,
    "another algorithm than it was signed with": under_another_algorithm,
    "run out": with_claims(exp=time.time() - 3_600),
    "no end": with_claims(exp=None),
    "an end in words": with_claims(exp="tomorrow"),
    "of the future": with_claims(iat=time.time() + 3_600),
    "not valid yet": with_claims(nbf=time.time() + 3_600),
    "kept since yesterday": with_claims(iat=time.time() - 86_400),
    "no beginning": with_claims(iat=None),
    "another audience": with_claims(aud="grafana"),
    "no audience": with_claims(aud=None),
    "an empty audience": with_claims(aud=[]),
    "several audiences": with_claims(aud=[CLIENT, "grafana"]),
    "given to another client": with_claims(aud=[CLIENT, "grafana"], azp="grafana"),
    "given to another client, one audience": with_claims(azp="grafana"),
    "another issuer": with_claims(iss="https://id.example.org"),
    "no issuer": with_claims(iss=None),
    "another sign-in": with_claims(nonce="n" * 43),
    "no sign-in": with_claims(nonce=None),
    "nobody": with_claims(sub=None),
    "nobody by name": with_claims(sub=""),
    "too long a name": with_claims(sub="s" * 256),
    "a name with a break": with_claims(sub="sub-of-eve\n"),
    "groups that are no texts": with_claims(groups=[["ops"]]),
    "too many groups": with_claims(groups=["g"] * 5_001),
    "too long": lambda rogue, claims: rogue.sign({**claims, "x": "x" * 200_000}),
    "encrypted": lambda rogue, claims: "a.b.c.d.e",
    "nothing": lambda rogue, claims: "",
    "no text for a token": lambda rogue, claims: "ö.ö.ö",
    "deep": lambda rogue, claims: f"{text(b'[' * 90_000)}.a.b",
}
SAYS = {
    "tampered": "signature",
    "unsigned": "signed with 'none'",
    "unsigned, no dot": "no signed token",
    "HS256 with the public key": "signed with 'HS256'",
    "HS256 with the client's secret": "signed with 'HS256'",
    "HS256 with nothing": "signed with 'HS256'",
    "another key under the same id": "(BadSignatureError)",
    "another key under its own id": "does not show",
    "its own key": "(BadSignatureError)",
    "a key whose id is a number": "cannot be read",
    "another algorithm than it was signed with": "(BadSignatureError)",
    "run out": "(exp)",
    "no end": "`exp`",
    "an end in words": "$.exp",
    "of the future": "(iat, nbf)",
    "not valid yet": "(iat, nbf)",
    "kept since yesterday": "is old (iat)",
    "no beginning": "`iat`",
    "another audience": "(aud)",
    "no audience": "`aud`",
    "an empty audience": "(aud)",
    "several audiences": "(azp)",
    "given to another client": "(azp)",
    "given to another client, one audience": "(azp)",
    "another issuer": "another issuer",
    "no issuer": "`iss`",
    "another sign-in": "(nonce)",
    "no sign-in": "`nonce`",
    "nobody": "`sub`",
    "nobody by name": "$.sub",
    "too long a name": "length <= 255",
    "a name with a break": "$.sub",
    "groups that are no texts": "no list of groups",
    "too many groups": "too many",
    "too long": "131,072",
    "encrypted": "no signed token",
    "nothing": "no signed token",
    "no text for a token": "cannot be read",
    "deep": "cannot be read",
}
"""What the log says of each, so that none is refused for something else."""


def test_no_forged_token_gets_in(running: Any, rogue: RogueProvider, caplog: Any) -> None:
    eve = running.browser()
    found = {}
    for name, forge in FORGED.items():
        rogue.make_token = lambda claims, forge=forge: forge(rogue, claims)
        caplog.clear()
        landed = eve.by_provider(rogue)
        found[name] = SAYS[name] if SAYS[name] in caplog.text else caplog.text
        assert landed == BAD, name
    assert found == SAYS
    assert eve.get("/session").json()["user"] is None
    assert rogue.asked["/jwks"] == 1, "unknown keys do not make it ask again and again"
    for_both = with_claims(aud=[CLIENT, "grafana"], azp=CLIENT)
    rogue.make_token = lambda claims: for_both(rogue, claims)
    assert eve.by_provider(rogue) == IN, "and the right one does"
    assert rogue.faults == []


def test_an_answer_belongs_to_one_browser_and_counts_once(
    running: Any, rogue: RogueProvider
) -> None:
    eve, mallory = running.browser(), running.browser()
    begun = eve.post("/sign-in/oidc")
    cookie = begun.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=lax", "path=/sign-in/oidc"))
    assert "no-store" in begun.headers["cache-control"]
    back = rogue.approve(begun.json()["url"])
    assert mallory.come_back(back) == LATE, "no cookie"
    mallory.post("/sign-in/oidc")
    assert mallory.come_back(back) == LATE, "the cookie of another sign-in"
    for wrong in ("", "x", "x" * 9_000, back["state"][:-1], back["state"].swapcase(), "\0"):
        assert eve.come_back({**back, "state": wrong}) == LATE
        begun = eve.post("/sign-in/oidc")
        back = rogue.approve(begun.json()["url"])
    assert eve.come_back(back) == IN
    assert eve.come_back(back) == LATE, "it was used"
    eve.http.cookies.set("z4j_oidc", begun.cookies["z4j_oidc"])
    assert eve.come_back(back) == LATE, "also with the cookie"


@ON_ONE
def test_the_code_of_another_browser_opens_nothing(running: Any, rogue: RogueProvider) -> None:
    """Who puts his own code into somebody's answer would sign them in as himself."""
    eve, mallory = running.browser(), running.browser()
    stolen = rogue.approve(mallory.post("/sign-in/oidc").json()["url"])["code"]
    assert eve.by_provider(rogue, code=stolen) == BAD
    assert rogue.faults == ["the verifier does not fit"]
    assert eve.get("/session").json()["user"] is None


@ON_ONE
def test_what_is_there_twice_or_missing_counts_as_missing(
    running: Any, rogue: RogueProvider
) -> None:
    eve = running.browser()
    back = rogue.approve(eve.post("/sign-in/oidc").json()["url"])
    url = f"{running.url}/sign-in/oidc/callback?state={back['state']}&code=x&code={back['code']}"
    answer = eve.http.get(url)
    assert answer.headers["location"] == "/sign-in/provider?outcome=refused"
    refused = eve.by_provider(rogue, code="", error="access_denied")
    assert refused == "/sign-in/provider?outcome=refused"
    refused = eve.by_provider(rogue, error="<script>")
    assert refused == "/sign-in/provider?outcome=refused"


@ON_ONE
def test_an_answer_of_another_issuer_is_refused(running: Any, rogue: RogueProvider) -> None:
    eve = running.browser()
    assert eve.by_provider(rogue, iss="https://id.example.org") == BAD
    assert eve.by_provider(rogue, iss=rogue.issuer + "/") == BAD
    assert eve.by_provider(rogue, iss=rogue.issuer) == IN


@ON_ONE
def test_a_promised_issuer_must_come(begin_with: Any, rogue: RogueProvider) -> None:
    rogue.metadata = {"authorization_response_iss_parameter_supported": True}
    with begin_with() as running:
        running.set_up()
        eve = running.browser()
        assert eve.by_provider(rogue) == BAD
        assert rogue.asked["/token"] == 0, "the code is not given to anybody"


@ON_ONE
def test_no_address_of_the_request_becomes_a_way_on(running: Any, rogue: RogueProvider) -> None:
    eve = running.browser()
    for name in ("next", "redirect_uri", "return_to", "url"):
        where = eve.by_provider(rogue, **{name: "https://evil.example"})
        assert where == IN


@ON_ONE
def test_keys_are_exchanged_without_a_restart(
    running: Any, rogue: RogueProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = running.browser()
    assert eve.by_provider(rogue) == IN
    rogue.key = OTHER
    assert eve.by_provider(rogue) == BAD, "the keys were fetched a moment ago"
    monkeypatch.setattr(provider_module, "KEYS_AGAIN_S", 0)
    assert eve.by_provider(rogue) == IN
    assert rogue.asked["/jwks"] == 2


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def bad_metadata(rogue: RogueProvider, **changed: Any) -> bytes:
    _, right = rogue.answer(METADATA, {}, "")
    return json.dumps({**right, **changed}).encode()


@ON_ONE
def test_metadata_that_will_not_do(
    running: Any, rogue: RogueProvider, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(provider_module, "FAILED_FOR_S", 0)
    monkeypatch.setattr(provider_module, "KEPT_S", 0)
    eve = running.browser()
    hidden = gzip.compress(b" " * 100_000_000)
    answers: dict[str, tuple[bytes, str]] = {
        "404": (b"", "answers 404"),
        "redirect": (b"", "redirects"),
        "compressed": (hidden, "compressed"),
        "no JSON": (b"<html>", "no metadata"),
        "no UTF-8": (b'"\xff"', "no metadata"),
        "deep": (b"[" * 400_000, "no metadata"),
        "a list": (b"[]", "no metadata"),
        "too long": (b" " * (MOST_BYTES + 1), "more than"),
        "another issuer": (bad_metadata(rogue, issuer="https://id.example.org"), "the same"),
        "another issuer by a slash": (bad_metadata(rogue, issuer=rogue.issuer + "/"), "the same"),
        "plain http": (bad_metadata(rogue, token_endpoint="http://id.example.org/t"), "not https"),
        "a file": (bad_metadata(rogue, jwks_uri="file:///etc/passwd"), "not https"),
        "a password": (
            bad_metadata(rogue, userinfo_endpoint="https://a:b@id.example.org"),
            "not https",
        ),
        "no PKCE": (bad_metadata(rogue, code_challenge_methods_supported=["plain"]), "PKCE"),
    }
    for name, (body, says) in answers.items():
        status = {"404": 404, "redirect": 302}.get(name, 200)
        headers = {"redirect": {"Location": METADATA}, "compressed": {"Content_Encoding": "gzip"}}
        more = headers.get(name, {})
        rogue.raw[METADATA] = partial(send, status=status, body=body, **more)
        caplog.clear()
        with caplog.at_level(logging.WARNING, "z4j.auth"):
            answer = eve.post("/sign-in/oidc")
        assert (answer.status_code, says in caplog.text) == (503, True), (name, caplog.text)
        assert "/problems/provider-unavailable" in answer.text
    assert rogue.asked[METADATA] == len(answers), "no redirect was followed"
    del rogue.raw[METADATA]
    rogue.raw["/jwks"] = lambda handler: send(
        handler, 200, json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}).encode()
    )
    assert eve.by_provider(rogue) == BAD
    rogue.raw["/token"] = lambda handler: send(handler, 302, Location="/token")
    assert eve.by_provider(rogue) == BAD
    rogue.raw.clear()
    assert eve.by_provider(rogue) == IN


@ON_ONE
def test_a_failure_is_not_repeated_at_once(running: Any, rogue: RogueProvider) -> None:
    rogue.raw[METADATA] = lambda handler: send(handler, 500)
    eve = running.browser()
    assert {eve.post("/sign-in/oidc").status_code for _ in range(5)} == {503}
    assert rogue.asked[METADATA] == 1


def test_an_endless_answer_is_cut_off(rogue: RogueProvider) -> None:
    """100 MB, of which most is never sent."""
    sent: list[int] = []
    done = threading.Event()

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(100_000_000))
        handler.end_headers()
        try:
            for _ in range(1_000):
                sent.append(handler.wfile.write(b" " * 100_000))
        finally:
            done.set()

    rogue.raw["/flood"] = flood
    with pytest.raises(ProviderError, match="more than"):
        asyncio.run(Fetcher().get(f"{rogue.issuer}/flood"))
    assert done.wait(60)
    assert sum(sent) < 50_000_000


def test_a_provider_that_drips_is_left(rogue: RogueProvider) -> None:
    """Each byte in time, all of them never: the limit is that of the whole.

    It is long enough for the certificates, which the first request reads within it.
    """
    left = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while not left.wait(0.01):
                handler.wfile.write(b" ")
                handler.wfile.flush()
        except OSError:
            left.set()

    rogue.raw["/drip"] = drip
    with pytest.raises(ProviderError, match=r"within 3 s"):
        asyncio.run(Fetcher(within_s=3).get(f"{rogue.issuer}/drip"))
    assert left.wait(60), "the connection was closed"


def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
        with pytest.raises(ProviderError, match="cannot be reached"):
            asyncio.run(Fetcher().get(url))
