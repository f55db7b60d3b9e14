"""Which keys name a secret."""

from __future__ import annotations

import pytest

from z4j_core.redaction import KEY_PHRASES, MASK, Redactor
from z4j_core.redaction.gates import may_name_secret
from z4j_core.redaction.key_words import COMPOUND_ENDINGS
from z4j_core.redaction.keys import MEMO_SIZE, PLAIN, KeyJudge, judge

REDACTOR = Redactor()

SENSITIVE = """
password Password PASSWORD passwd pwd user_password userPassword user-password dbpassword
PGPASSWORD MYSQL_PWD new_password password1 password_confirmation passwordHash secret SECRET_KEY
secretKey client_secret clientSecret aws_secret_access_key aws_access_key_id django.secret.key
token access_token accessToken refresh-token X-Auth-Token authtoken csrf_token id_token bottoken
api_key apiKey APIKey apikey X-API-Key x_api_key_prod private_key privateKey signing_key
encryptionKey Authorization proxy-authorization HTTP_AUTHORIZATION cookie cookies Set-Cookie
session_id sessionId sessionid PHPSESSID JSESSIONID connect.sid credential credentials
aws_credentials creds passphrase key_passphrase pin pin_code user_pin cvv cvc card_number
cardNumber credit_card ssn social_security_number otp totp_secret jwt bearer auth sig db_pass
smtpPass account_key sharedAccessKey security_code recovery_codes kennwort passwort contraseña
senha mot_de_passe пароль ｐａｓｓｗｏｒｄ 2fa_secret oauth2_token secret_id tokens access_tokens
"""

PLAIN_KEYS = """
token_count tokens_used max_tokens promptTokens total_tokens token_type tokenType token_expires_at
next_page_token nextToken tokenizer passed passes passenger passport boarding_pass bypass compass
secretary secret_name secretArn author authors authority authenticated auth_method auth_user
keyboard monkey primary_key sort_key cache_key foreign_key partition_key routing_key
idempotency_key public_key key keys hotkey turkey pinned ping spin shipping pin_count opinion
cookie_policy cookieName cookies_enabled session session_count obsession accredited credit
card_type creditCardType discard dashboard_card has_password is_secret password_length
passwordChangedAt password_policy design signal assignee sign classname mission possession side
status_code zip_code code codes args kwargs id name queue retries user_id
"""


@pytest.mark.parametrize("key", SENSITIVE.split())
def test_value_under_a_sensitive_key_is_masked(key: str) -> None:
    assert REDACTOR.value({key: "x"}) == {key: MASK}
    assert REDACTOR.value([{"a": {key: "x"}}]) == [{"a": {key: MASK}}]
    assert REDACTOR.value({key: {"nested": ["x"]}}) == {key: MASK}
    assert REDACTOR.exactly({key: "x"})[1] is False


@pytest.mark.parametrize("key", SENSITIVE.split())
def test_text_judges_keys_by_the_same_list(key: str) -> None:
    for text in (
        f"{key}=hunter2",
        f"a, {key}: hunter2",
        f"{{'{key}': 'hunter2'}}",
        f'"{key}":"hunter2"',
    ):
        assert "hunter2" not in REDACTOR.text(text), text


@pytest.mark.parametrize("key", PLAIN_KEYS.split())
def test_lookalike_key_shows_its_value(key: str) -> None:
    value = {key: "x"}
    assert REDACTOR.value(value) is value
    assert REDACTOR.text(f"{key}=x {key}: 'y'") == f"{key}=x {key}: 'y'"


@pytest.mark.parametrize("value", [None, True, False], ids=str)
def test_what_hides_nothing_is_shown(value: object) -> None:
    assert REDACTOR.exactly({"password": value}) == ({"password": value}, True)


@pytest.mark.parametrize("value", ["x", "", 1, 0.5, [], {}, (1,), b"y", object()])
def test_everything_else_under_a_sensitive_key_is_masked(value: object) -> None:
    assert REDACTOR.value({"password": value}) == {"password": MASK}


def test_numbers_under_tokens_count_them() -> None:
    assert REDACTOR.value({"tokens": 120, "pass": 3}) == {"tokens": 120, "pass": 3}
    assert REDACTOR.value({"tokens": float("inf"), "pass": 1 << 200}) == {
        "tokens": MASK,
        "pass": MASK,
    }
    assert REDACTOR.value({"tokens": ["a"], "token": 120}) == {"tokens": MASK, "token": MASK}


def test_pairs_flags_and_named_values_carry_keys_too() -> None:
    assert REDACTOR.value([["Authorization", "x"], ("Accept", "y")]) == [
        ["Authorization", MASK],
        ["Accept", "y"],
    ]
    assert REDACTOR.value(["tool", "--api-key", "x", "--keyboard", "us", "--token", "-v"]) == [
        "tool", "--api-key", MASK, "--keyboard", "us", "--token", "-v",
    ]  # fmt: skip
    assert REDACTOR.value({"name": "DB_PASSWORD", "value": "x"}) == {
        "name": "DB_PASSWORD",
        "value": MASK,
    }
    assert REDACTOR.value([("tokens", 3), (b"token", b"x"), ("pin", None), {"pin"}]) == [
        ["tokens", 3],
        ["b'token'", MASK],
        ["pin", None],
        ["pin"],
    ]
    plain = [["width", "x"], {"name": "HOME", "value": "x"}]
    assert REDACTOR.value(plain) is plain


def test_name_that_is_cut_away_still_hides_its_value() -> None:
    cut = Redactor(max_items=3).value({"value": "x", "a": 1, "b": 2, "name": "password"})
    assert cut == {"value": MASK, "a": 1, "…": "… [cut, 2 entries]"}


def test_mark_of_a_cut_list_is_no_value() -> None:
    redactor = Redactor(max_items=3)
    cut = redactor.value(["a", "--token", 1, 2, 3])
    assert cut == ["a", "--token", "… [cut, 3 items]"]
    assert redactor.value(cut) == cut


def test_list_cut_short_is_no_pair() -> None:
    cut = Redactor(max_items=3).value([["token", 1, 2, 3, 4]])
    assert cut == [["token", 1, "… [cut, 3 items]"]]


def test_plugin_hides_shows_or_leaves_a_key() -> None:
    answers = {"iban": True, "license_key": False}
    redactor = Redactor(extra_key=answers.get)
    value = {"iban": True, "license_key": "L1", "password": "p", "x": "iban=DE12 license_key=L1"}
    assert redactor.value(value) == {
        "iban": MASK,
        "license_key": "L1",
        "password": MASK,
        "x": f"iban={MASK} license_key=L1",
    }


def test_failing_plugin_leaves_the_built_in_list() -> None:
    def fail(key: str) -> bool | None:
        raise RuntimeError(key)

    assert Redactor(extra_key=fail).value({"password": "x", "a": "b"}) == {
        "password": MASK,
        "a": "b",
    }


def test_plugin_is_asked_once_for_a_key() -> None:
    asked: list[str] = []

    def extra(key: str) -> bool | None:
        asked.append(key)
        return None

    redactor = Redactor(extra_key=extra)
    for _ in range(3):
        redactor.value([{"colour": 1}, {"colour": 2}])
    assert asked == ["colour"]


def test_memo_is_bounded() -> None:
    keys = KeyJudge()
    for number in range(2 * MEMO_SIZE + 10):
        keys.keep_clean(f"key_{number}")
    keys.kind("k" * 5000)
    assert len(keys.clean) <= MEMO_SIZE
    assert len(keys._memo) <= MEMO_SIZE
    assert all(len(key) <= 128 for key in keys._memo)


def test_key_known_from_elsewhere_is_still_searched_for_secrets() -> None:
    redactor = Redactor()
    leaky = "AKIA" + "A1B2C3D4E5F6G7H8"
    for _ in range(2):
        redactor.value([{"name": leaky, "value": 1}, [leaky, 1]])
        assert redactor.value({leaky: 1}) == {MASK: 1}


def test_text_does_not_fill_the_memo() -> None:
    redactor = Redactor()
    redactor.text(" ".join(f"word{number}=1" for number in range(500)))
    assert not redactor._keys._memo


@pytest.mark.parametrize("phrase", KEY_PHRASES)
def test_phrases_are_sensitive_and_pass_the_gate(phrase: str) -> None:
    key = phrase.replace(" ", "_")
    assert judge(key) != PLAIN
    assert judge(phrase.title().replace(" ", "")) != PLAIN
    assert may_name_secret(f"{key}=")
    assert may_name_secret(f"{key.upper()}=")


@pytest.mark.parametrize("ending", COMPOUND_ENDINGS)
def test_compound_endings_are_sensitive_and_pass_the_gate(ending: str) -> None:
    assert judge(f"zz{ending}") != PLAIN
    assert may_name_secret(ending)
