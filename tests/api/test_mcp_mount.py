"""The MCP endpoint: who may use it, and that it is the same bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from .conftest import Agent, begun, posted, refused

pytestmark = pytest.mark.anyio

CALL: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@asynccontextmanager
async def mcp_client(agent: Agent, header: str, mode: str) -> AsyncGenerator[Client]:
    key = agent.headers["X-API-Key"]
    value = f"Bearer {key}" if header == "Authorization" else key
    url = str(agent.base_url).rstrip("/") + "/mcp"
    async with (
        httpx2.AsyncClient(headers={header: value}, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_tools_act_for_the_key_of_the_request(ann: Agent, bob: Agent, channel: str, header: str, mode: str) -> None:
    """A task posted over HTTP is claimed over MCP, in the name of that client's key."""
    message = await posted(ann, channel, "by http")
    async with mcp_client(bob, header, mode) as client:
        answer = await client.call_tool("claim_task", {"channel": channel})
        assert not answer.is_error, answer
        assert answer.structured_content is not None
        fence = answer.structured_content["fence"]
        assert answer.structured_content["task"]["content"] == f"<<{fence} by http {fence}>>"
    seen = (await ann.get(f"/v1/messages/{message['id']}")).json()
    assert seen["claimed_by_key_id"] == bob.headers["X-API-Key"].partition(".")[0]


async def test_without_a_key_the_answer_says_how_to_get_one(http: httpx.AsyncClient) -> None:
    """The body is what a user sees when a client cannot connect."""
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        body = refused(await http.post("/mcp", json=CALL, headers=headers), 401, "unauthorized")
        assert "/v1/keys" in body["message"] or "bck_" in body["message"]


async def test_a_foreign_page_or_name_is_refused(ann: Agent) -> None:
    """DNS rebinding: a name that is not this server's is not served, whatever key it brings."""
    refused(await ann.post("/mcp", json=CALL, headers={"Host": "evil.example"}), 421, "host_not_allowed")
    refused(await ann.post("/mcp", json=CALL, headers={"Origin": "https://evil.example"}), 403, "origin_not_allowed")


async def test_the_body_limit_holds(ann: Agent) -> None:
    """As for every other route."""
    refused(await ann.post("/mcp", content=b" " * 262_145), 413, "body_too_large")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"null", b"\xff", b"[" * 100_000, b'{"jsonrpc": "2.0", "id": 1}'])
async def test_what_is_no_json_rpc_is_refused_as_json_rpc_says(ann: Agent, body: bytes) -> None:
    """400 with an error that a client of the protocol reads, whatever the body is."""
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    answer = await ann.post("/mcp", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in (-32700, -32600, -32602)


async def test_without_a_key_the_answer_names_both_headers(http: httpx.AsyncClient) -> None:
    """It is shown to a person whose client's configuration lacks one."""
    said = (await http.post("/mcp", json=CALL)).json()["message"]
    assert "X-API-Key" in said
    assert "Authorization: Bearer" in said


async def test_a_wrong_method_is_no_page(ann: Agent) -> None:
    """Without sessions there is no stream to open by GET and nothing to DELETE; the path has no others beside it."""
    for answer in (await ann.get("/mcp", headers={"Accept": "text/event-stream"}), await ann.delete("/mcp")):
        refused(answer, 405, "method_not_allowed")
        assert answer.headers["Allow"] == "OPTIONS, POST"
    refused(await ann.post("/mcp/", json=CALL), 404, "not_found")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_that_hangs_up_takes_no_task_with_it(ann: Agent, bob: Agent, channel: str, mode: str) -> None:
    """A blocking claim over MCP ends with its connection, or in the older era when its client says so."""
    await ann.post("/v1/channels", json={"name": channel, "mode": "claimable"})
    actor = f"m-{channel}"
    async with mcp_client(bob, "X-API-Key", mode) as client, asyncio.TaskGroup() as group:
        waiting = group.create_task(client.call_tool("claim_task", {"channel": channel, "actor": actor, "wait_seconds": 20}))
        await begun(ann, actor)
        waiting.cancel()
    message = await posted(ann, channel)
    claim = await ann.post("/v1/tasks/claim", json={"channel": channel, "wait": 15})
    assert claim.json()["claimed"]["id"] == message["id"]
