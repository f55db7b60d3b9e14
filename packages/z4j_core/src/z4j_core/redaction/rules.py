"""Secrets that are known by their shape, whatever key they stand under.

Every pattern is linear: repetitions are bounded or possessive, and no two neighbouring
repetitions can match the same character.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from z4j_core.redaction.cards import is_card_number
from z4j_core.redaction.counts import Counts
from z4j_core.redaction.marks import MASK

_DIGIT = re.compile(r"[0-9]")
_PLACEHOLDER = re.compile(
    r"\{{1,2}[\w. ]{0,64}\}{1,2}|\$\{?\w{1,64}\}?|<\w{1,64}>|%\(\w{1,64}\)s|%s|\*{1,64}"
)
_DIGIT_OR_CAPITAL = re.compile(r"[0-9A-Z]")


@dataclass(frozen=True, slots=True)
class Rule:
    """One shape. Immutable.

    ``needles`` are literals of which at least one is in every match, so that a text without them
    skips the pattern; an empty tuple means "always try". ``accept`` sees the group ``secret``
    (or the whole match) and can spare a look-alike. Only the group ``secret`` is replaced when
    the pattern has one.
    """

    name: str
    what: str
    needles: tuple[str, ...]
    pattern: re.Pattern[str]
    accept: Callable[[str], bool] | None = None

    def may_match(self, text: str) -> bool:
        """Tell whether a needle is in the text, or there are none."""
        return not self.needles or any(needle in text for needle in self.needles)

    def apply(self, text: str, counts: Counts | None = None) -> str:
        """Return ``text`` with every match masked; the same object when there is none."""
        for needle in self.needles or ("",):
            if needle in text:
                return self.pattern.sub(partial(self._replace, counts), text)
        return text

    def _replace(self, counts: Counts | None, match: re.Match[str]) -> str:
        group = self.pattern.groupindex.get("secret", 0)
        secret = match[group]
        whole = match[0]
        # Of a stranger's pattern the group may not take part, and the mask may be matched.
        if not secret or secret in MASK:
            return whole
        if self.accept is not None and not self.accept(secret):
            return whole
        if counts is not None:
            counts.add(self.name)
        start = match.start(group) - match.start()
        return f"{whole[:start]}{MASK}{whole[start + len(secret) :]}"


def is_random(secret: str) -> bool:
    """Tell a random string from a hyphenated or snake_case name: it has a digit or a capital."""
    return _DIGIT_OR_CAPITAL.search(secret) is not None


def has_digit(secret: str) -> bool:
    return _DIGIT.search(secret) is not None


def is_header_credential(secret: str) -> bool:
    """Tell the credential after ``Bearer`` or ``Basic`` from an English word."""
    if has_digit(secret):
        return True
    return any(c.isupper() for c in secret[1:]) and any(c.islower() for c in secret)


def is_ai_key(secret: str) -> bool:
    """Tell a key from a hyphenated name; Hugging Face's have letters of both cases only."""
    if has_digit(secret):
        return True
    return secret.startswith("hf_") and "_" not in secret[3:] and is_header_credential(secret)


def is_no_placeholder(secret: str) -> bool:
    """Tell the credentials of a URL from a template of them or a mask that others left."""
    password = secret.partition(":")[2] or secret
    return _PLACEHOLDER.fullmatch(password) is None


def _shape(
    name: str,
    what: str,
    needles: str,
    pattern: str,
    accept: Callable[[str], bool] = is_random,
) -> Rule:
    """Build a rule for a token that stands alone, not in the middle of a longer word."""
    framed = rf"(?<![A-Za-z0-9])(?:{pattern})"
    return Rule(name, what, tuple(needles.split()), re.compile(framed, re.ASCII), accept)


def _raw(
    name: str,
    what: str,
    needles: tuple[str, ...],
    pattern: str,
    accept: Callable[[str], bool] | None = None,
) -> Rule:
    return Rule(name, what, needles, re.compile(pattern, re.ASCII | re.IGNORECASE), accept)


RULES: Final[tuple[Rule, ...]] = (
    _raw(
        "pem-private-key",
        "PEM and OpenPGP private keys, to their end line or to the end of the text",
        ("PRIVATE KEY",),
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:[^-]|-(?!----END))*+(?:-----END [A-Z0-9 ]{0,60}-----)?",
    ),
    _raw(
        "url-credentials",
        "user and password in a URL (scheme and host stay)",
        ("://",),
        r"://(?P<secret>[^\s/?#\"'<>]{1,512}(?=@)"
        # A password with an unescaped slash: only after "user:", and never taking a port for it.
        r"|[^\s/@:\[\"'<>]{0,128}+:(?![0-9]{1,5}(?:[/?#]|$))[^\s@\"'<>]{1,256}+(?=@))",
        is_no_placeholder,
    ),
    _raw(
        "bearer-header",
        "the credential after Bearer, Basic, Digest, Negotiate or Token",
        ("earer ", "EARER ", "asic ", "ASIC ", "igest ", "egotiate ", "Token "),
        r"(?<![\w-])(?:bearer|basic|digest|negotiate|token)[ ]{1,4}"
        r"(?P<secret>[\w.~+/-]{8,4096}+=*+)",
        is_header_credential,
    ),
    _shape("aws-access-key", "AWS access key ids", "AKIA ASIA ABIA ACCA",
           r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _shape("google-key", "Google API keys, OAuth tokens and client secrets", "AIza ya29. GOCSPX-",
           r"AIza[\w-]{35}|ya29\.(?:[\w-]{1,8}+\.){0,2}+[\w-]{20,2048}+|GOCSPX-[\w-]{20,64}+"),
    _shape("azure-secret", "Azure client secrets and storage keys", "Q~ ==",
           r"[\w.~-]{3}[0-9]Q~[\w.~-]{31,34}|(?<![+/])[A-Za-z0-9+/]{86}==(?!=)"),
    _shape("github-token", "GitHub tokens", "ghp_ gho_ ghu_ ghs_ ghr_ _pat_",
           r"gh[opsur]_[A-Za-z0-9]{20,255}+|github_pat_\w{20,255}+"),
    _shape("gitlab-token", "GitLab tokens", "glpat- gloas- glrt- gldt- glptt- glft- glimt- glagent-"
           " glcbt- glsoat- glffct-",
           r"gl(?:pat|oas|rt|dt|ptt|ft|imt|agent|cbt|soat|ffct)-[\w-]{20,255}+"
           r"(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9}+)?+"),
    _shape("slack-token", "Slack tokens", "xox xapp-",
           r"xox[abceprs]-[\w-]{10,255}+|xoxo-[0-9][\w-]{10,255}+|xoxd-[\w%+/=-]{10,512}+"
           r"|xapp-[0-9]-[\w-]{10,255}+", has_digit),
    _raw("webhook-url", "the secret part of Slack, Discord and Teams webhook URLs",
         ("hooks.slack.com/", "/api/webhooks/", ".webhook.office.com/"),
         r"(?:hooks\.slack\.com/(?:services|workflows|triggers)|/api/webhooks"
         r"|\.webhook\.office\.com/webhookb2)/(?P<secret>[\w/@-]{20,512}+)", is_random),
    _raw("telegram-token", "Telegram bot tokens", (":AA",),
         r"(?<![0-9])[0-9]{8,10}:AA[\w-]{33}(?![\w-])"),
    _shape("stripe-key", "Stripe secret, restricted and webhook keys", "k_live_ k_test_ whsec_",
           r"[sr]k_(?:live|test)_\w{10,255}+|whsec_[\w+/]{20,255}+"),
    _shape("ai-key", "OpenAI, Anthropic, Hugging Face, Groq and xAI keys",
           "sk- hf_ gsk_ xai-",
           r"(?:sk-|hf_|gsk_|xai-)[\w-]{20,255}+", is_ai_key),
    _shape("package-token", "npm, PyPI, RubyGems and Docker Hub tokens",
           "npm_ pypi- rubygems_ dckr_pat_ dckr_oat_",
           r"npm_[A-Za-z0-9]{30,64}+|pypi-AgE[\w-]{16,1024}+|rubygems_[a-f0-9]{32,64}+"
           r"|dckr_[po]at_[\w-]{20,64}+"),
    _shape("mail-and-phone-key", "SendGrid, Twilio, Mailgun and Mailchimp keys",
           "SG. SK key- -us",
           r"SG\.[\w-]{16,64}+\.[\w-]{16,64}+|SK[0-9a-f]{32}(?!\w)|key-[0-9a-f]{32}(?!\w)"
           r"|[0-9a-f]{32}-us[0-9]{1,2}(?!\w)"),
    _shape("cloud-token", "DigitalOcean, HashiCorp, Databricks, Grafana, New Relic, Shopify, "
           "Sentry, Atlassian, Linear, Square, Supabase, Figma and Postman tokens",
           "_v1_ hvs. hvb. hvr. .atlasv1. dapi glsa_ glc_ NRAK- shp sntry ATATT3 lin_api_ sq0 "
           "sbp_ figd_ PMAK-",
           r"do[opr]_v1_[a-f0-9]{40,64}+|hv[sbr]\.[\w-]{20,512}+"
           r"|[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{40,128}+|dapi[0-9a-f]{32}(?!\w)"
           r"|glsa_\w{30,64}+|glc_[\w+/=]{30,512}+|NRAK-[A-Z0-9]{20,40}+"
           r"|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|sntry[su]_[\w+/=]{30,512}+"
           r"|ATATT3[\w=-]{40,512}+|lin_api_[A-Za-z0-9]{30,64}+|sq0(?:atp|csp|idp)-[\w-]{20,64}+"
           r"|sbp_[a-f0-9]{40}|figd_[\w-]{30,64}+|PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    _shape("age-key", "age secret keys", "AGE-SECRET-KEY-", r"AGE-SECRET-KEY-1[0-9A-Z]{40,80}+"),
    _shape("z4j-token", "z4j's own tokens", "z4j_", r"z4j_(?P<secret>[\w-]{20,512}+)"),
    _shape("jwt", "JSON Web Tokens and other signed tokens that begin with eyJ", "eyJ",
           r"eyJ[\w-]{8,4096}+[.:]\.?[\w-]{4,8192}+(?:[.:][\w-]{4,8192}+){0,3}+\.?"),
    _raw("card-number", "payment card numbers: known issuer, length and check digit", (),
         r"[2-6][0-9]{3}(?<![\w.-][0-9]{4})(?:[0-9]{10,15}"
         r"|(?P<a>[ -])[0-9]{4}(?P=a)[0-9]{4}(?P=a)[0-9]{1,7}"
         r"|(?P<b>[ -])[0-9]{6}(?P=b)[0-9]{4,5})(?![\w-]|\.[0-9])",
         is_card_number),
)  # fmt: skip

EMAIL: Final = _raw(
    "email",
    "e-mail addresses, where that is asked for",
    ("@",),
    r"(?<![\w.%+-])[\w.%+-]{1,64}+@(?:[a-z0-9-]{1,63}+\.){1,8}+[a-z]{2,63}+(?![\w-])",
)
"""Not one of `RULES`: an address is a secret only where somebody says so."""
