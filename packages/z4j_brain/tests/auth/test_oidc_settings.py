"""`Z4J_OIDC_…`: what is refused at the start, and what groups give."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from z4j_brain.auth.oidc import config, provider
from z4j_brain.auth.oidc.fetching import Answer
from z4j_brain.auth.oidc.group_roles import parse
from z4j_brain.settings import SettingsError, load

ISSUER = {"issuer": "https://id.example.org/realms/shop", "client_id": "z4j"}


def read(**told: str) -> Any:
    variables = {f"Z4J_OIDC_{name.upper()}": value for name, value in told.items()}
    return config.read(load(variables).settings)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"issuer": "id.example.org"}, "https"),
        ({"issuer": "http://id.example.org"}, "https"),
        ({"issuer": "http://localhost.example.org"}, "https"),
        ({"issuer": "https://id.example.org?x=1"}, "without"),
        ({"issuer": "https://id.example.org#x"}, "without"),
        ({"issuer": "https://a:b@id.example.org"}, "https"),
        ({"issuer": "https://id.example.org:port"}, "https"),
        ({"client_id": ""}, "Z4J_OIDC_CLIENT_ID is missing"),
        ({"scopes": "profile,email"}, "must hold openid"),
        ({"scopes": "openid email"}, "Separate them by commas"),
        ({"issuer": "", "client_id": "", "only": "on"}, "Z4J_OIDC_ONLY is on"),
        ({"issuer": "", "client_secret": "x"}, "Z4J_OIDC_CLIENT_ID is set, but"),
        ({"only": "yes"}, "Z4J_OIDC_ONLY"),
        ({"roles": "ops=shop:operator"}, "no JSON object"),
        ({"roles": "[" * 60_000}, "no JSON object"),
        ({"roles": '["ops"]'}, "no JSON object"),
        ({"roles": '{"ops": 1}'}, "no JSON object"),
        ({"roles": '{" ": "shop:operator"}'}, "no name"),
        ({"roles": '{"ops": "shop"}'}, "'ops' gives 'shop'. Write PROJECT:ROLE"),
        ({"roles": '{"ops": ["shop:operator", "shop:owner"]}'}, "viewer, operator, auditor, admin"),
        ({"roles": '{"ops": "Shop:admin"}'}, "PROJECT:ROLE"),
        ({"roles": '{"ops": "*:admin"}'}, "PROJECT:ROLE"),
        ({"roles": '{"ops": "instance_admin"}'}, "instance-admin"),
    ],
)
def test_what_cannot_be_is_said_at_the_start(told: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(**{**ISSUER, **told})
    assert says in str(refused.value)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"pip install 'z4j\[oidc\]'"):
        read(**ISSUER)
    assert read() is None


def test_on_this_machine_plain_http_will_do() -> None:
    for host in ("127.0.0.1:8080", "[::1]:8080", "localhost"):
        assert read(issuer=f"http://{host}/realms/shop", client_id="z4j") is not None


@pytest.mark.parametrize(
    ("groups", "administrator", "role"),
    [
        ([], False, None),
        (["nobody"], False, None),
        (["OPS"], False, None),
        (["readers"], False, "viewer"),
        (["readers", "ops"], False, "operator"),
        (["CN=Boss,OU=Shop"], True, "admin"),
        (["readers", "auditors"], False, "auditor"),
        (["ops", "auditors"], False, "operator"),
    ],
)
def test_groups_give_the_highest_role(
    groups: Sequence[str], administrator: bool, role: str | None
) -> None:
    table = parse(
        '{"readers": "shop:viewer", "ops": ["shop:viewer", "shop:operator"],'
        ' "auditors": "shop:auditor", "CN=Boss,OU=Shop": ["instance-admin", "shop:admin"]}'
    )
    assert table.is_administrator(groups) is administrator
    assert table.roles(groups) == {"shop": role}


def test_the_example_of_the_page_holds() -> None:
    page = (Path(__file__).parents[4] / "docs" / "oidc.md").read_text()
    lines = page.partition("<!-- checked by")[2].partition("```sh\n")[2].partition("```")[0]
    words = [shlex.split(line)[0] for line in lines.splitlines()]
    found = config.read(load(dict(word.split("=", 1) for word in words)).settings)
    assert found is not None
    assert (found.name, found.scopes[-1]) == ("Shop ID", "groups")
    assert found.roles.roles(["shop-ops"]) == {"shop": "operator"}
    assert found.roles.roles(["/it/audit"]) == {"shop": "auditor"}
    assert found.roles.is_administrator(["platform"])


def test_without_a_table_groups_decide_nothing() -> None:
    assert parse(" ").is_administrator(["ops"]) is None
    assert parse("{}").roles(["ops"]) == {}
    assert parse('{"ops": "shop:viewer"}').is_administrator(["ops"]) is None


def test_secrets_show_in_no_text_of_ours() -> None:
    told = {**ISSUER, "client_secret": "hush-hush"}
    variables = {f"Z4J_OIDC_{name.upper()}": value for name, value in told.items()}
    found = read(**told)
    assert found.client_secret == "hush-hush"
    shown = [
        found,
        load(variables).settings,
        provider.Tokens("hush-hush", "hush-hush"),
        provider.Attempt("hush-hush", "hush-hush", "hush-hush", "x"),
        Answer(200, b"hush-hush"),
    ]
    assert "hush-hush" not in repr(shown)
