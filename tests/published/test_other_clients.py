"""The requests of the clients that are no Python package: the TypeScript SDK and the n8n node, sent as they send them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from .conftest import ADMIN_TOKEN, Agent

pytestmark = pytest.mark.anyio

Make = Callable[[str], Awaitable[Agent]]


async def ok(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return answer.json()


class N8n:
    """The node: every request of an execution carries a key made of its number, its method and its path."""

    def __init__(self, agent: Agent, execution: int) -> None:
        self._agent, self._execution = agent, execution

    async def send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        headers = {"Idempotency-Key": f"n8n-{self._execution}-{method}-{path}"}
        return await self._agent.request(method, path, headers=headers, **parts)


async def test_an_n8n_workflow(agent: Make, channel: str) -> None:
    """Credential test, channel, post, list, claim, ack; and the same execution again, which does nothing twice."""
    node_agent = await agent("n8n")
    node = N8n(node_agent, 231)
    assert (await ok(await node.send("GET", "/v1/keys/me")))["active"] is True
    posting = f"/v1/channels/{channel}/messages"
    made = [await node.send("POST", "/v1/channels", json={"name": channel, "mode": "claimable"}) for _ in range(2)]
    assert [answer.json()["id"] for answer in made] == [channel] * 2
    sent = [await node.send("POST", posting, json={"content": "invoice", "actor_label": "n8n"}) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [201, 201]
    task = sent[0].json()["message"]["id"]
    assert sent[1].json()["message"]["id"] == task
    assert sent[1].headers["X-Idempotent-Replay"] == "true"
    rows = await ok(await node.send("GET", posting, params={"status": "unclaimed", "limit": 50}))
    assert [row["id"] for row in rows["data"]] == [task]
    for _ in range(2):
        claim = await ok(await node.send("POST", f"/v1/messages/{task}/claim", json={"actor": f"n8n-{channel}"}))
        assert claim["message"]["claimed_by"]["name"] == f"n8n-{channel}"
    # The key of a GET names no answer: the list is read anew.
    assert (await ok(await node.send("GET", posting, params={"status": "unclaimed", "limit": 50})))["data"] == []
    acks = [await ok(await node.send("POST", f"/v1/messages/{task}/ack", json={"actor": f"n8n-{channel}"})) for _ in range(2)]
    assert acks[0]["status"] == "acknowledged"
    assert acks[1]["message"] == acks[0]["message"]


async def test_n8n_takes_409_for_a_channel_that_exists(agent: Make, channel: str) -> None:
    """Another mode is a conflict, and the channel's name is then its identifier."""
    node = N8n(await agent("n8n"), 7)
    await ok(await (await agent("ann")).post("/v1/channels", json={"name": channel, "mode": "broadcast"}), 201)
    conflict = await node.send("POST", "/v1/channels", json={"name": channel, "mode": "claimable"})
    assert (conflict.status_code, conflict.json()["error"]) == (409, "channel_exists")
    await ok(await node.send("POST", f"/v1/channels/{channel}/messages", json={"content": "x"}), 201)


async def test_two_items_of_one_n8n_execution_are_never_taken_for_one(agent: Make, channel: str) -> None:
    """The node gives both the same key: the second is refused in the open, where the first server lost it."""
    node = N8n(await agent("n8n"), 8)
    await ok(await node.send("POST", "/v1/channels", json={"name": channel, "mode": "claimable"}), 201)
    await ok(await node.send("POST", f"/v1/channels/{channel}/messages", json={"content": "first"}), 201)
    second = await node.send("POST", f"/v1/channels/{channel}/messages", json={"content": "second"})
    assert (second.status_code, second.json()["error"]) == (409, "idempotency_conflict")


async def test_the_typescript_sdk_s_channels_and_tasks(url: str, agent: Make, channel: str) -> None:
    """Keys, channels, access, messages with waiting, claim, ack: bodies as it sends them, undefined fields left out."""
    async with httpx.AsyncClient(base_url=url) as nobody:
        key = await ok(await nobody.post("/v1/keys", json={"agent_label": f"ts-{channel}"}), 201)
        admin = {"X-Admin-Token": ADMIN_TOKEN}
        await ok(await nobody.post("/v1/admin/keys", json={"agent_label": f"fleet-{channel}"}, headers=admin), 201)
        assert await ok(await nobody.post("/v1/admin/minting", json={"enabled": True}, headers=admin)) == {
            "public_minting_enabled": True
        }
    async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": key["key"]}, timeout=30) as ts:
        made = await ok(await ts.post("/v1/channels", json={"name": channel, "mode": "claimable", "access": "open"}), 201)
        assert (await ok(await ts.get(f"/v1/channels/{channel}")))["id"] == made["id"]
        assert channel in [each["name"] for each in (await ok(await ts.get("/v1/channels", params={"limit": 100})))["data"]]
        lobby = {"name": f"{channel}-lobby", "mode": "claimable", "access": "restricted"}
        await ok(await (await agent("owner")).post("/v1/channels", json=lobby), 201)
        asked = await ts.post(f"/v1/channels/{channel}-lobby/access-requests", json={"reason": ""})
        assert (asked.status_code, asked.json()["status"]) == (202, "pending")
        sent = await ok(await ts.post(f"/v1/channels/{channel}/messages", json={"content": "x", "metadata": {}}), 201)
        page = await ok(await ts.get(f"/v1/channels/{channel}/messages", params={"since": "0", "limit": 50, "wait": 5}))
        assert [row["id"] for row in page["data"]] == [sent["message"]["id"]]
        claim = await ok(await ts.post(f"/v1/messages/{sent['message']['id']}/claim", json={"actor": f"ts-{channel}"}))
        ack = await ok(await ts.post(f"/v1/messages/{sent['message']['id']}/ack", json={"actor": f"ts-{channel}"}))
        assert (claim["status"], ack["status"]) == ("claimed", "acknowledged")


async def test_the_typescript_sdk_s_webhooks_and_sessions(agent: Make, channel: str) -> None:
    """What it keeps on the server for an agent."""
    ts = await agent("ts")
    actor = await ok(await ts.post("/v1/actors", json={"name": f"ts-{channel}"}), 201)
    hook = await ok(await ts.post(f"/v1/actors/{actor['id']}/webhook", json={"url": "http://127.0.0.1:9/"}))
    assert (hook["actor_id"], hook["has_secret"]) == (actor["id"], False)
    session = await ok(await ts.post("/v1/sessions", json={"name": "memory"}), 201)
    path = f"/v1/sessions/{session['id']}"
    assert session["state"] == {}
    assert (await ok(await ts.patch(path, json={"state": {"a": 1}})))["state"] == {"a": 1}
    assert (await ok(await ts.get(path)))["state"] == {"a": 1}
    assert (await ok(await ts.delete(path)))["status"] == "deleted"
    assert (await ts.get(path)).status_code == 404
