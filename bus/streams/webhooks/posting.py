"""One signed HTTP POST to a webhook, over a connection pinned to an address that was checked."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Final

import httpx

from ...addresses import parsed
from ...webhook_urls import Allowed

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""From a host name and a port to addresses as text. Raises OSError."""

_MOST_READ: Final = 64 * 1024
_MOST_ADDRESSES: Final = 4
_FIRST_FAILURE: Final = 300


class NotDelivered(Exception):
    """Why a webhook did not take it, in words for whoever set it: an HTTP status, or why there was none."""


class NoAnswer(NotDelivered):
    """The time ran out before there was any."""


class Poster:
    """Follows no redirect, uses no proxy, keeps no cookie and no connection, and ends within `limit_seconds` in all."""

    def __init__(self, allowed: Allowed, *, limit_seconds: float, resolve: Resolve, trust: ssl.SSLContext | None) -> None:
        self._allowed = allowed
        self._limit = limit_seconds
        self._resolve = resolve
        self._trust = trust
        self._made: httpx.AsyncHTTPTransport | None = None
        self._making = asyncio.Lock()

    async def _transport(self) -> httpx.AsyncHTTPTransport:
        """Made when something is sent, beside the loop: reading the machine's certificates takes a while.

        No connection is kept: the next delivery to the same address may be meant for another name.
        """
        async with self._making:
            if self._made is None:
                trust = self._trust or await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
                limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
                self._made = httpx.AsyncHTTPTransport(verify=trust, trust_env=False, limits=limits)
            return self._made

    async def aclose(self) -> None:
        if self._made is not None:
            await self._made.aclose()
            self._made = None

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> None:
        """Returns once the receiver has taken it (a status below 300). Raises NotDelivered, NoAnswer."""
        taken: list[int] = []
        try:
            async with asyncio.timeout(self._limit):
                await self._post(httpx.URL(url), headers, body, taken)
        except TimeoutError:
            if not taken:
                raise NoAnswer(f"no answer within {self._limit:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as broken:
            if not taken:
                raise NotDelivered(f"no answer: {str(broken)[:200] or type(broken).__name__}") from None
        if taken[0] >= _FIRST_FAILURE:
            raise NotDelivered(f"HTTP {taken[0]}")

    async def _post(self, url: httpx.URL, headers: dict[str, str], body: bytes, taken: list[int]) -> None:
        """Tries the name's addresses in turn until one can be connected to. `taken` gets the answer's status."""
        addresses = await self._addresses(url)
        for n, address in enumerate(addresses, 1):
            try:
                await self._post_to(address, url, headers, body, taken)
            except httpx.ConnectError:
                if n == len(addresses):
                    raise
            else:
                return

    async def _addresses(self, url: httpx.URL) -> list[str]:
        """Where the name leads now: all of it must be allowed, since what is checked is what is connected to."""
        host = url.raw_host.decode("ascii")
        try:
            found = await self._resolve(host, url.port or (443 if url.scheme == "https" else 80))
        except OSError as why:
            raise NotDelivered(f"the host's address cannot be found ({why.strerror or why})") from None
        addresses = list(dict.fromkeys(found))
        if not addresses:
            raise NotDelivered("the host has no address")
        if not self._allowed.host(host):
            for text in addresses:
                address = parsed(text)
                if address is None or "%" in text or not self._allowed.address(address):
                    raise NotDelivered("the host leads to an address that is not public (BACKCHANNEL_WEBHOOK_ALLOW)")
        return addresses[:_MOST_ADDRESSES]

    async def _post_to(self, address: str, url: httpx.URL, headers: dict[str, str], body: bytes, taken: list[int]) -> None:
        request = httpx.Request(
            "POST",
            url.copy_with(host=address),
            headers={"Host": url.netloc.decode("ascii"), "Connection": "close", **headers},
            content=body,
            # The certificate is checked against the name, not the address.
            extensions={
                "sni_hostname": url.raw_host.decode("ascii").rstrip("."),
                "timeout": httpx.Timeout(self._limit).as_dict(),
            },
        )
        response = await (await self._transport()).handle_async_request(request)
        try:
            taken.append(response.status_code)
            read = 0
            async for chunk in response.aiter_raw():
                read += len(chunk)
                if read >= _MOST_READ:
                    return
        finally:
            await response.aclose()


async def look_up(host: str, port: int) -> list[str]:
    """What the machine's resolver says."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(address[0]) for *_, address in found]


def signed(event: str, delivery_id: str, timestamp: int, secret: str, body: bytes) -> dict[str, str]:
    """The headers. The second signature covers the id and the time as well, so that a replay can be told."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Backchannel-Webhook/1",
        "X-Backchannel-Event": event,
        "X-Backchannel-Delivery": delivery_id,
        "X-Backchannel-Timestamp": str(timestamp),
    }
    if secret:
        headers["X-Backchannel-Signature"] = _hmac(secret, body)
        headers["X-Backchannel-Signature-V2"] = _hmac(secret, f"{delivery_id}.{timestamp}.".encode() + body)
    return headers


def _hmac(secret: str, said: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()
