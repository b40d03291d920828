"""Mentions over HTTP: the shape of the inbox and whose it is."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from .conftest import SOON, Agent, refused

pytestmark = pytest.mark.anyio


async def _mention(agent: Agent, channel: str, actor: str) -> dict[str, Any]:
    answer = await agent.post(f"/v1/channels/{channel}/messages", json={"content": "look", "mentions": [actor]})
    assert answer.status_code == 201, answer.text
    return answer.json()["message"]


async def _inbox(agent: Agent, actor: str, many: int, **params: Any) -> dict[str, Any]:
    """The page, once it has so many: they are noted in the background."""
    async with asyncio.timeout(SOON):
        while True:
            answer = await agent.get(f"/v1/actors/{quote(actor, safe='')}/mentions", params=params)
            assert answer.status_code == 200, answer.text
            if len(answer.json()["data"]) == many:
                return answer.json()
            await asyncio.sleep(0.01)


async def test_a_post_reaches_the_inbox_by_itself(ann: Agent, bob: Agent, channel: str) -> None:
    """Moments after it, in a page like any other; `next_cursor` as `since` reads on."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable"})
    await bob.post("/v1/actors", json={"name": f"{channel}-bob"})
    message = await _mention(ann, channel, f"{channel}-bob")
    page = await _inbox(bob, f"{channel}-bob", 1)
    cursor = page["next_cursor"]
    assert page == {
        "data": [
            {
                "cursor": cursor, "message_id": message["id"], "channel_id": channel, "mentioned_at": message["created_at"],
            }
        ],
        "limit": 50,
        "next_cursor": cursor,
    }  # fmt: skip
    rest = await _inbox(bob, f"{channel}-bob", 0, since=cursor, limit=7)
    assert rest == {"data": [], "limit": 7, "next_cursor": cursor}
    second = await _mention(ann, channel, f"{channel}-bob")
    assert (await _inbox(bob, f"{channel}-bob", 1, since=cursor))["data"][0]["message_id"] == second["id"]


async def test_an_empty_inbox_is_a_page(bob: Agent, channel: str) -> None:
    """With no cursor where none was given."""
    await bob.post("/v1/actors", json={"name": channel})
    assert await _inbox(bob, channel, 0) == {"data": [], "limit": 50, "next_cursor": None}


async def test_a_name_with_a_slash_has_an_inbox(ann: Agent, bob: Agent, channel: str) -> None:
    """And so has its alias."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable"})
    actor = f"{channel}/reviewer ü"
    await bob.post("/v1/actors", json={"name": actor})
    await bob.post(f"/v1/actors/{quote(actor, safe='')}/aliases", json={"alias": f"{channel}/other"})
    message = await _mention(ann, channel, f"{channel}/other")
    for name in (actor, f"{channel}/other"):
        assert (await _inbox(bob, name, 1))["data"][0]["message_id"] == message["id"]


async def test_an_inbox_is_not_for_others(ann: Agent, bob: Agent, channel: str) -> None:
    """403 for another key, 404 for a name that is nobody's, 401 without a key."""
    await bob.post("/v1/actors", json={"name": channel})
    refused(await ann.get(f"/v1/actors/{channel}/mentions"), 403, "actor_forbidden")
    refused(await ann.get(f"/v1/actors/{channel}-none/mentions"), 404, "actor_not_found")
    refused(await ann.get("/v1/actors/_/mentions"), 422, "invalid_actor_name")
    refused(await ann.get(f"/v1/actors/{channel}/mentions", headers={"X-API-Key": "bck_x.y"}), 401, "unauthorized")


async def test_a_key_that_may_not_read_is_refused(bob: Agent, channel: str) -> None:
    """403, naming the scope."""
    await bob.post("/v1/actors", json={"name": channel})
    narrowed = await bob.put("/v1/keys/me/scopes", json={"scopes": ["messages:write"]})
    assert narrowed.status_code == 200, narrowed.text
    refused(await bob.get(f"/v1/actors/{channel}/mentions"), 403, "insufficient_scope")
