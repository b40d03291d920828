"""The 2.x Python SDK's client, in both eras, over real stdio processes and the real HTTP API: a day of two agents."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.mcp_server.conftest import Agent, eventually, inside
from tests.mcp_server.processes import environment

from .conftest import Api

pytestmark = pytest.mark.anyio
LABELS = ("ann", "bob")


@asynccontextmanager
async def over_stdio(home: Path, mode: str) -> AsyncGenerator[list[Agent]]:
    """Two processes of one user, who share that user's key."""
    async with AsyncExitStack() as stack:
        agents: list[Agent] = []
        for label in LABELS:
            env = environment(home, BACKCHANNEL_AGENT_LABEL=label)
            command = StdioServerParameters(command=sys.executable, args=["-m", "mcp_server"], env=env, cwd=home)
            agents.append(Agent(await stack.enter_async_context(Client(stdio_client(command), mode=mode)), None))
        yield agents


@asynccontextmanager
async def over_http(api: Api, mode: str) -> AsyncGenerator[list[Agent]]:
    """Two users with a key each."""
    async with AsyncExitStack() as stack:
        agents: list[Agent] = []
        for label in LABELS:
            async with httpx2.AsyncClient() as http:
                minted = (await http.post(f"{api.url}/v1/keys", json={"agent_label": label})).json()["key"]
            headers = {"Authorization": f"Bearer {minted}"}
            http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=60))
            transport = streamable_http_client(f"{api.url}/mcp", http_client=http)
            agents.append(Agent(await stack.enter_async_context(Client(transport, mode=mode)), None))
        yield agents


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_two_agents_hand_work_over_and_talk_about_it(api: Api, home: Path, transport: str, mode: str) -> None:
    """Post, claim, progress, ask, answer, ack, await, broadcast, subscribe: each side learns what the other did."""
    async with over_stdio(home, mode) if transport == "stdio" else over_http(api, mode) as (ann, bob):
        assert ann.client.protocol_version == ("2026-07-28" if mode == "2026-07-28" else "2025-11-25")
        posted = await ann.call("post_task", channel="Translations", content="translate", metadata={"to": "fr"})
        message_id = posted["message_id"]
        claimed = await bob.call("claim_task", channel="translations")
        assert inside(claimed, claimed["task"]["content"]) == "translate"
        assert claimed["task"]["metadata"] == {"to": "fr"}
        notes: list[str] = []
        outcomes: list[dict[str, Any]] = []

        async def heard(done: float, total: float | None, note: str | None) -> None:
            notes.append(note or "")

        async def delegate() -> None:
            waiting = {"message_id": message_id, "timeout_seconds": 30}
            answer = await ann.client.call_tool("await_result", waiting, progress_callback=heard)
            assert not answer.is_error, answer.content
            asked = answer.structured_content or {}
            assert (asked["status"], inside(asked, asked["question"])) == ("input_required", "formal?")
            await ann.call("answer", message_id=message_id, answer="yes, formal")
            outcomes.append(await ann.call("await_result", message_id=message_id, timeout_seconds=30))

        async with anyio.create_task_group() as group:
            await bob.call("heartbeat", message_id=message_id, progress="1/2 read")
            group.start_soon(delegate)
            note = await eventually(lambda: notes)
            assert note[0].startswith("claimed by bob")
            assert "1/2 read" in note[0]
            answered = await bob.call("ask", message_id=message_id, question="formal?", wait_seconds=30)
            assert (answered["status"], inside(answered, answered["answer"])) == ("answered", "yes, formal")
            acked = await bob.call("ack_task", message_id=message_id, result={"text": "Bonjour"})
            assert acked["state"] == "done"
        assert (outcomes[0]["status"], outcomes[0]["result"]) == ("done", {"text": "Bonjour"})
        assert outcomes[0]["from"]["label"] == "bob"

        await ann.call("broadcast", channel="news", content="translated")
        page = await bob.call("subscribe", channel="news")
        assert [inside(page, message["content"]) for message in page["messages"]] == ["translated"]
        assert page["messages"][0]["from"]["label"] == "ann"
