from __future__ import annotations

import json
from urllib.request import urlopen

from services.missing import ServiceMissingError, give_up
from services.oidc_provider import running_oidc_provider


def test_the_provider_tells_of_itself() -> None:
    try:
        with running_oidc_provider(["http://127.0.0.1:7700/sign-in/oidc/callback"]) as provider:
            with urlopen(f"{provider.issuer}/.well-known/openid-configuration") as answer:
                told = json.load(answer)
            assert told["issuer"] == provider.issuer
            assert "S256" in told["code_challenge_methods_supported"]
    except ServiceMissingError as missing:
        give_up(missing)
