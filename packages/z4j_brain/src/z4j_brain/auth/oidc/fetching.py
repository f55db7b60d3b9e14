"""Asks the identity provider: bounded in time, in bytes and in requests at once.

Redirects are not followed, and compressed answers refused, so that neither makes an answer longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import ssl

WITHIN_S = 10.0
MOST_BYTES = 512 * 1024
_AT_ONCE = 8


class ProviderError(Exception):
    """The provider does not answer as it should; the message is for the log and holds no secret."""


class Answer(msgspec.Struct, frozen=True):
    """A status and at most `MOST_BYTES` of body."""

    status: int
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status})"


class Fetcher:
    """Makes the requests of one server. Belongs to one event loop.

    Nothing is kept between two requests: no cookie of one person's sign-in goes into another's.
    """

    def __init__(self, within_s: float = WITHIN_S) -> None:
        self._within_s = within_s
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._context: ssl.SSLContext | None = None

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for a document; raises `ProviderError`."""
        return await self._ask("GET", url, headers, None)

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a form; raises `ProviderError`."""
        return await self._ask("POST", url, headers, form)

    async def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        form: Mapping[str, str] | None,
    ) -> Answer:
        import httpx

        try:
            async with asyncio.timeout(self._within_s), self._room:
                return await self._send(method, url, headers, form)
        except TimeoutError:
            raise ProviderError(f"{url} did not answer within {self._within_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            reason = str(error) or type(error).__name__
            raise ProviderError(f"{url} cannot be reached: {reason}") from None

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        form: Mapping[str, str] | None,
    ) -> Answer:
        import httpx

        if self._context is None:  # reads the authorities' certificates from a file
            self._context = await asyncio.to_thread(httpx.create_ssl_context)
        wanted = {"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
        async with (
            httpx.AsyncClient(verify=self._context, timeout=self._within_s) as client,
            client.stream(method, url, headers=wanted, data=form) as response,
        ):
            if response.is_redirect:
                raise ProviderError(f"{url} redirects elsewhere; redirects are not followed")
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise ProviderError(f"{url} sends a compressed answer, which was not asked for")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ProviderError(f"{url} sends more than {MOST_BYTES:,} bytes")
            return Answer(response.status_code, bytes(body))
