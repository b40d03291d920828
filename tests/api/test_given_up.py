"""Calls over MCP that a client of the handshake era gives up without closing their connection."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from .conftest import Agent, begun, posted

pytestmark = pytest.mark.anyio

ACCEPT = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


async def told(agent: Agent, method: str, session: str | None = None, number: int | str | None = None, **params: Any) -> str:
    """Send a request, or without a number a notification; its session's name, which only a handshake gives."""
    message = {"jsonrpc": "2.0", "method": method, "params": params} | ({} if number is None else {"id": number})
    headers = ACCEPT | ({"Mcp-Session-Id": session} if session else {})
    answer = await agent.post("/mcp", json=message, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    return answer.headers.get("Mcp-Session-Id", "")


@pytest.mark.parametrize("number", [7, "seven"])
async def test_a_call_that_is_given_up_takes_no_task(ann: Agent, bob: Agent, channel: str, number: int | str) -> None:
    """The notification ends it, as if its client had hung up; the next task goes to whoever still wants it."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable"})
    actor, session = f"m-{channel}", await told(bob, "initialize", number=0, **HELLO)
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        arguments = {"channel": channel, "actor": actor, "wait_seconds": 60}
        claiming = group.create_task(told(bob, "tools/call", session, number, name="claim_task", arguments=arguments))
        await begun(ann, actor)
        await told(bob, "notifications/cancelled", session, requestId=number)
        assert await claiming == ""
    message = await posted(ann, channel)
    claim = (await ann.post("/v1/tasks/claim", json={"channel": channel, "wait": 15})).json()["claimed"]
    assert (claim["id"], claim["delivery"]) == (message["id"], 1)


async def test_nobody_gives_up_another_s_call(ann: Agent, bob: Agent, channel: str) -> None:
    """Every client counts its requests from 0: neither another key's numbers nor those of another session are meant."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable"})
    actor = f"m-{channel}"
    mine, other = [await told(bob, "initialize", number=0, **HELLO) for _ in range(2)]
    assert mine != other
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        arguments = {"channel": channel, "actor": actor, "wait_seconds": 60}
        group.create_task(told(bob, "tools/call", mine, 7, name="claim_task", arguments=arguments))
        await begun(ann, actor)
        await told(bob, "notifications/cancelled", other, requestId=7)
        await told(bob, "notifications/cancelled", requestId=7)
        await told(ann, "notifications/cancelled", mine, requestId=7)
        await told(bob, "notifications/cancelled", mine, requestId=8)
        message = await posted(ann, channel)
    holder = (await ann.get(f"/v1/messages/{message['id']}")).json()
    assert holder["claimed_by_key_id"] == bob.headers["X-API-Key"].partition(".")[0]


async def test_a_session_is_a_name_and_nothing_else(ann: Agent) -> None:
    """Any replica takes any: a client goes on after a restart without a new handshake. The newer era has none."""
    assert await told(ann, "tools/list", "never-given", 1) == ""
    answer = await ann.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "server/discover"}, headers=ACCEPT)
    assert "Mcp-Session-Id" not in answer.headers
