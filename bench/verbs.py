"""What each verb's measurement asks of the API, with the tasks it needs made beforehand through the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from bus import Bus
from bus.models import Caller, Claim

from .requests import packed

CONTENT = "x" * 200
_AT_ONCE = 200


class Desk:
    """Prepares work behind the API's back, in the name of the API key that the requests carry."""

    def __init__(self, bus: Bus, caller: Caller, api_key: str) -> None:
        self._bus = bus
        self._caller = caller
        self.api_key = api_key

    @classmethod
    async def of(cls, bus: Bus) -> Desk:
        """With a new API key."""
        api_key = (await bus.credentials.issue("bench")).api_key
        return cls(bus, await bus.credentials.verify(api_key), api_key)

    async def post(self, channel: str, count: int) -> list[str]:
        """Tasks waiting on a channel; their ids."""
        posted: list[str] = []
        for start in range(0, count, _AT_ONCE):
            calls = [self._bus.tasks.post(self._caller, channel, CONTENT) for _ in range(min(_AT_ONCE, count - start))]
            posted += [each.message.id for each in await asyncio.gather(*calls)]
        return posted

    async def held(self, channel: str, count: int) -> list[Claim]:
        """New tasks, held by the caller."""
        await self.post(channel, count)
        claims: list[Claim | None] = []
        for start in range(0, count, _AT_ONCE):
            calls = [self._bus.tasks.claim(self._caller, channel) for _ in range(min(_AT_ONCE, count - start))]
            claims += await asyncio.gather(*calls)
        return [claim for claim in claims if claim is not None]

    async def finished(self, channel: str) -> str:
        (claim,) = await self.held(channel, 1)
        await self.finish(claim)
        return claim.id

    async def finish(self, claim: Claim) -> None:
        await self._bus.tasks.ack(self._caller, claim.id, claim_token=claim.claim_token, result="ok")

    async def wait_for_task(self, channel: str, wait: timedelta) -> None:
        await self._bus.tasks.claim(self._caller, channel, wait=wait)

    async def wait_for_result(self, message_id: str, wait: timedelta) -> None:
        await self._bus.tasks.await_result(self._caller, message_id, wait=wait)

    async def news(self, channel: str) -> str:
        """A broadcast channel with one message after the cursor that comes back."""
        first = await self._bus.broadcasts.broadcast(self._caller, channel, CONTENT)
        await self._bus.broadcasts.broadcast(self._caller, channel, CONTENT)
        return first.cursor

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        return packed(method, path, self.api_key, body)

    def act(self, claim: Claim, verb: str, body: dict[str, Any] | None = None) -> bytes:
        return self.ask("POST", f"/v1/messages/{claim.id}/{verb}", {"claim_token": claim.claim_token, **(body or {})})


async def _post(desk: Desk, count: int) -> list[bytes]:
    return [desk.ask("POST", "/v1/tasks/post", {"channel": "post", "content": CONTENT})] * count


async def _claim(desk: Desk, count: int) -> list[bytes]:
    await desk.post("claim", count)
    return [desk.ask("POST", "/v1/tasks/claim", {"channel": "claim"})] * count


async def _heartbeat(desk: Desk, count: int) -> list[bytes]:
    return [desk.act(claim, "heartbeat") for claim in await desk.held("heartbeat", count)]


async def _release(desk: Desk, count: int) -> list[bytes]:
    # Released tasks are handed out again first: a channel of its own each time keeps them out of the way.
    _release_channels.append(f"release-{len(_release_channels)}")
    return [desk.act(claim, "release") for claim in await desk.held(_release_channels[-1], count)]


async def _ack(desk: Desk, count: int) -> list[bytes]:
    return [desk.act(claim, "ack", {"result": "ok"}) for claim in await desk.held("ack", count)]


async def _get(desk: Desk, count: int) -> list[bytes]:
    (message_id,) = await desk.post("get", 1)
    return [desk.ask("GET", f"/v1/messages/{message_id}")] * count


async def _await(desk: Desk, count: int) -> list[bytes]:
    return [desk.ask("GET", f"/v1/tasks/{await desk.finished('finished')}/result?wait=10")] * count


async def _subscribe(desk: Desk, count: int) -> list[bytes]:
    return [desk.ask("GET", f"/v1/channels/news/messages?cursor={await desk.news('news')}")] * count


async def _counts(desk: Desk, count: int) -> list[bytes]:
    await desk.post("counts", 1)
    return [desk.ask("GET", "/v1/channels/counts/counts")] * count


async def _broadcast(desk: Desk, count: int) -> list[bytes]:
    return [desk.ask("POST", "/v1/tasks/broadcast", {"channel": "broadcast", "content": CONTENT})] * count


_release_channels: list[str] = []
VERBS: dict[str, Callable[[Desk, int], Awaitable[list[bytes]]]] = {
    "post": _post,
    "claim": _claim,
    "heartbeat": _heartbeat,
    "release": _release,
    "ack": _ack,
    "get": _get,
    "await, finished": _await,
    "subscribe": _subscribe,
    "counts": _counts,
    "broadcast": _broadcast,
}
"""Requests for each verb, made ready."""
