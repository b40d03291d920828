"""SIGKILL of the server that was to tell a webhook: another tells it, once it has the store."""

from __future__ import annotations

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from bus.keys import Keys
from bus.streams.webhooks.queue import NAME
from tests.receivers import BROKEN, TAKEN, Received, receiving
from tests.servers import Server, server

from .conftest import SOON, minted, serve

pytestmark = pytest.mark.anyio


def _killed(home: Path, store: Server) -> AbstractAsyncContextManager[str]:
    """A server on this store that may tell webhooks on this machine; its base URL. Ended by SIGKILL."""
    return serve(
        home,
        kill=True,
        BACKCHANNEL_REDIS_URL=store.url,
        BACKCHANNEL_WEBHOOK_ALLOW="127.0.0.1",
        BACKCHANNEL_RATE_LIMIT="0",
    )


def _ids(received: list[Received]) -> dict[str, str]:
    """Message id to delivery id."""
    return {json.loads(each.body)["message"]["id"]: each.delivery for each in received}


def _make_due(store: Server) -> None:
    """End the leases of the senders that were killed, and every backoff."""
    due = Keys().of_channel(NAME)[2]
    with store.client() as client:
        for stream_id in client.zrange(due, 0, -1):
            client.zadd(due, {stream_id: 1}, xx=True)
        client.set(Keys().bell(NAME), "1")


async def test_what_a_killed_server_posted_is_told_by_the_next(home: Path, tmp_path: Path) -> None:
    """Every message whose post was answered, under one delivery id each, however far its telling had come."""
    with server(tmp_path) as store:
        async with receiving() as receiver:
            posted: list[str] = []
            receiver.always = BROKEN
            async with _killed(home, store) as url:
                headers = {"X-API-Key": await minted(url, "ann")}
                async with httpx.AsyncClient(base_url=url, headers=headers) as http:
                    body = {"name": "told", "mode": "claimable", "webhook_url": receiver.url()}
                    assert (await http.post("/v1/channels", json=body)).status_code == 201
                    for n in range(60):
                        answer = await http.post("/v1/channels/told/messages", json={"content": f"{n}"})
                        posted.append(answer.json()["message"]["id"])
            tried = _ids(receiver.all())  # in vain; others were under way, or only noted
            receiver.always = TAKEN
            told: dict[str, str] = {}
            async with _killed(home, store), asyncio.timeout(SOON):
                while set(told) != set(posted):
                    _make_due(store)
                    told |= _ids(receiver.all())
                    await asyncio.sleep(0.05)
            assert {message: told[message] for message in tried} == tried
