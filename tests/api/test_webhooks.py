"""Webhooks over HTTP: set, seen, removed; and sent by the server itself, at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest

from api.serving import serving
from bus import Settings
from tests.receivers import Receiver, hang, receiving

from .conftest import UNLIMITED, Agent, refused

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def settings() -> Settings:
    """A store of its own, and receivers on this machine."""
    return Settings(redis_url=f"memory://{uuid4().hex}", port=0, webhook_allow="127.0.0.1", **UNLIMITED)


@pytest.fixture(scope="module")
async def base_url(settings: Settings) -> AsyncGenerator[str]:
    async with serving(settings) as url:
        yield url


async def _actor(agent: Agent) -> str:
    """A new actor of the agent's; the path of its webhook."""
    name = f"hook-{uuid4().hex[:8]}"
    assert (await agent.post("/v1/actors", json={"name": name})).status_code == 201
    return f"/v1/actors/{name}/webhook"


async def _hooked(owner: Agent, channel: str, receiver: Receiver, **fields: object) -> None:
    body = {"name": channel, "mode": "claimable", "webhook_url": receiver.url("/hook?token=t"), **fields}
    answer = await owner.post("/v1/channels", json=body)
    assert answer.status_code == 201, answer.text
    assert "hush" not in answer.text
    assert "token=t" not in answer.text


async def test_an_actors_webhook_in_the_contracts_shape(bob: Agent) -> None:
    """200 with the actor, the URL and whether there is a secret; 200 `deleted`; 404 then."""
    path = await _actor(bob)
    actor = path.split("/")[3]
    refused(await bob.get(path), 404, "webhook_not_found")
    answer = await bob.post(path, json={"url": "https://example.com/hook?a=b", "secret": "hush"})
    assert answer.status_code == 200
    shown = answer.json()
    assert {**shown, "updated_at": ""} == {
        "actor_id": actor,
        "url": "https://example.com/hook?a=b",
        "has_secret": True,
        "updated_at": "",
    }
    assert (await bob.get(path)).json() == shown
    for _ in range(2):
        deleted = await bob.delete(path)
        assert (deleted.status_code, deleted.json()) == (200, {"deleted": True})
    refused(await bob.get(path), 404, "webhook_not_found")


async def test_webhooks_refuse_what_they_must(ann: Agent, bob: Agent) -> None:
    """Each with the contract's status and code, and the field where there is one."""
    path = await _actor(bob)
    good = {"url": "https://example.com/"}
    refused(await ann.post(path, json=good), 403, "actor_forbidden")
    refused(await ann.get(path), 403, "actor_forbidden")
    refused(await ann.delete(path), 403, "actor_forbidden")
    refused(await ann.post("/v1/actors/nobody-here/webhook", json=good), 404, "actor_not_found")
    for body, code, field in (
        ({}, "missing_field", "url"),
        ({"url": 7}, "invalid_string", "url"),
        ({"url": None}, "invalid_string", "url"),
        ({"url": ""}, "invalid_webhook_url", "url"),
        ({"url": "ftp://example.com"}, "invalid_webhook_url", "url"),
        ({"url": "http://169.254.169.254/latest/meta-data/"}, "invalid_webhook_url", "url"),
        ({"url": "http://localhost:9/"}, "invalid_webhook_url", "url"),
        ({**good, "secret": 7}, "invalid_string", "secret"),
        ({**good, "secret": " "}, "invalid_string", "secret"),
    ):
        assert refused(await bob.post(path, json=body), 422, code)["field"] == field
    refused(await bob.get(path), 404, "webhook_not_found")


async def test_mentions_in_the_contracts_shape(ann: Agent, bob: Agent, channel: str) -> None:
    """Named by id and name, in the post's answer and in lists; a wrong type is 422 `invalid_mentions`."""
    actor = (await _actor(bob)).split("/")[3]
    await ann.post("/v1/channels", json={"name": channel, "mode": "broadcast"})
    path = f"/v1/channels/{channel}/messages"
    posted = await ann.post(path, json={"content": "look", "mentions": [actor, "nobody-here", actor]})
    assert posted.status_code == 201
    assert posted.json()["message"]["mentions"] == [{"id": actor, "name": actor}]
    (listed,) = (await bob.get(path)).json()["data"]
    assert listed["mentions"] == [{"id": actor, "name": actor}]
    for mentions in ("ann", {"ann": 1}, 7, [7], [None], ["x"] * 51):
        found = refused(await ann.post(path, json={"content": "x", "mentions": mentions}), 422, "invalid_mentions")
        assert found["field"].startswith("mentions")
    for mentions in (None, []):
        assert (await ann.post(path, json={"content": "x", "mentions": mentions})).status_code == 201


async def test_a_post_is_told_at_once(ann: Agent, channel: str) -> None:
    """By the server that took it, without anybody asking: no interval, no worker."""
    async with receiving() as receiver:
        await _hooked(ann, channel, receiver, webhook_secret="hush")
        for n in range(3):
            answer = await ann.post(f"/v1/channels/{channel}/messages", json={"content": f"{n}"})
            async with asyncio.timeout(2):
                told = await receiver.next()
            assert told.json == {"message": (await ann.get(f"/v1/messages/{answer.json()['message']['id']}")).json()}


async def test_nobody_waits_for_a_webhook(ann: Agent, channel: str) -> None:
    """Posting, claiming and acking go on while the receiver holds every delivery that it was sent."""
    async with receiving() as receiver:
        receiver.always = hang
        await _hooked(ann, channel, receiver)
        async with asyncio.timeout(5):
            for n in range(20):
                answer = await ann.post(f"/v1/channels/{channel}/messages", json={"content": f"{n}"})
                assert answer.status_code == 201
                await ann.post(f"/v1/messages/{answer.json()['message']['id']}/claim", json={})
                done = await ann.post(f"/v1/messages/{answer.json()['message']['id']}/ack", json={})
                assert done.status_code == 200
            for _ in range(16):
                await receiver.next()
        assert receiver.connections == 16  # that many at a time; the others wait


async def test_failures_are_for_the_owner(ann: Agent, bob: Agent, channel: str) -> None:
    """A page in the usual shape; 403 for others, 404 where there is no channel, 422 for a limit out of bounds."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable"})
    path = f"/v1/channels/{channel}/webhook-failures"
    answer = await ann.get(path)
    assert (answer.status_code, answer.json()) == (200, {"data": [], "limit": 50, "next_cursor": None})
    refused(await bob.get(path), 403, "forbidden")
    refused(await ann.get(f"/v1/channels/{channel}-x/webhook-failures"), 404, "channel_not_found")
    refused(await ann.get(path, params={"limit": 0}), 422, "invalid_limit")
    refused(await ann.get(path, params={"cursor": "nonsense"}), 422, "invalid_cursor")
