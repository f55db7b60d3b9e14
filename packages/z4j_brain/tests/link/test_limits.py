"""Wrong tokens are limited by address; agents whose token works never are."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

import msgspec
import pytest
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus

from z4j_brain import clock
from z4j_brain.auth.rate_limits import AGENT_TOKENS, Limit, RateLimits
from z4j_brain.link import admission
from z4j_brain.link.admission import Refused, admit
from z4j_brain.store.schema import rate_limits
from z4j_core.credential import Credential

TWO = Limit("two", 2, 600_000_000, 30)


def strange(credential: Credential) -> Credential:
    return msgspec.structs.replace(credential, secret=secrets.token_bytes(32))


async def refusal(agent: Any) -> tuple[int, Any, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as caught:
        await agent.open()
    answer = caught.value.response
    return answer.status_code, answer.headers, msgspec.json.decode(answer.body)


def test_beyond_the_limit_the_answer_is_429_with_a_time(
    house: Any, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "AGENT_TOKENS", TWO)

    async def scenario(served: Any) -> None:
        wrong = [served.agent(credential=strange(house.credential)) for _ in range(4)]
        answers = [await refusal(agent) for agent in wrong]
        assert [status for status, _, _ in answers] == [401, 401, 429, 429]
        _, headers, problem = answers[-1]
        assert 0 < int(headers["Retry-After"]) <= 600
        assert problem["code"] == "too_many_attempts"
        assert "Z4J_TOKEN" in problem["detail"]
        agent = served.agent()
        await agent.connect()  # from the same address, with a token that works
        _, late = house.mint()
        with monkeypatch.context() as patch:
            patch.setattr("z4j_brain.auth.known_secrets.FRESH_S", -1.0)
            await served.agent("w2", credential=late).connect()

    play(scenario)


def test_a_thousand_agents_come_back_at_once_from_one_address(
    house: Any, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right after a restart, with as many wrong tokens among them."""
    at = clock.now()
    monkeypatch.setattr(clock, "now", lambda: at)

    def socket_of(credential: Credential) -> WebSocket:
        header = (b"authorization", f"Bearer {credential.bearer()}".encode())
        scope = {"type": "websocket", "headers": [header], "client": ("192.0.2.1", 1)}
        return WebSocket(scope, None, None)  # type: ignore[arg-type]

    async def scenario(served: Any) -> None:
        limits = RateLimits(house.database, house.keys, key_requests_per_minute=0)
        statuses: list[int] = []
        for _ in range(1_000):
            admitted = await admit(socket_of(house.credential), house.database, house.keys, limits)
            assert admitted.agent_id == house.agent_id
            stranger = msgspec.structs.replace(strange(house.credential), agent_id=uuid.uuid4())
            with pytest.raises(Refused) as caught:
                await admit(socket_of(stranger), house.database, house.keys, limits)
            statuses.append(caught.value.status)
        wrong = AGENT_TOKENS.most
        assert statuses == [401] * wrong + [429] * (1_000 - wrong)

    play(scenario)
    assert house.count(rate_limits) == 1
