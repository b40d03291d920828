"""The published MCP server finds its task behind any backlog, although it looks at one page only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Agent, open_mcp, said

pytestmark = pytest.mark.anyio

Make = Callable[[str], Awaitable[Agent]]


async def posted(poster: Agent, channel: str, count: int) -> list[str]:
    """Ids of so many new tasks, in the order of their posting."""
    found: list[str] = []
    for number in range(count):
        answer = await poster.post("/v1/tasks/post", json={"channel": channel, "content": str(number)})
        assert answer.status_code == 201, answer.text
        found.append(answer.json()["message"]["id"])
    return found


async def claim(worker: Agent, channel: str, count: int) -> list[dict[str, Any]]:
    answers = [await worker.post("/v1/tasks/claim", json={"channel": channel}) for _ in range(count)]
    assert all(answer.json()["claimed"] for answer in answers)
    return [answer.json() for answer in answers]


async def finish(worker: Agent, channel: str, count: int) -> None:
    for held in await claim(worker, channel, count):
        done = await worker.post(f"/v1/messages/{held['claimed']['id']}/ack", json={"claim_token": held["claim_token"]})
        assert done.status_code == 200, done.text


async def test_a_claim_behind_finished_and_held_tasks(url: str, home: Path, agent: Make, channel: str) -> None:
    """30 are finished, 30 are held by others, one waits: the page of 20 that the client looks at has it."""
    ann, bob = await agent("ann"), await agent("bob")
    await posted(ann, channel, 60)
    await finish(bob, channel, 30)
    await claim(bob, channel, 30)
    (waiting,) = await posted(ann, channel, 1)
    async with open_mcp(url, home) as session:
        got = await said(session, "claim_task", channel=channel, actor=f"w-{channel}")
        assert got["message"]["id"] == waiting
        assert (await said(session, "claim_task", channel=channel, actor=f"w-{channel}"))["claimed"] is None


async def test_claims_come_in_order_behind_what_was_given_back(url: str, home: Path, agent: Make, channel: str) -> None:
    """The oldest first, also when it was held before and others that came later are finished."""
    ann, bob = await agent("ann"), await agent("bob")
    tasks = await posted(ann, channel, 40)
    first = (await claim(bob, channel, 1))[0]
    await finish(bob, channel, 30)
    await bob.post(f"/v1/messages/{first['claimed']['id']}/release", json={"claim_token": first["claim_token"]})
    async with open_mcp(url, home) as session:
        got = [(await said(session, "claim_task", channel=channel, actor=f"w-{channel}"))["message"]["id"] for _ in range(3)]
    assert got == [tasks[0], tasks[31], tasks[32]]


@pytest.mark.parametrize("place", [0, 200], ids=["the oldest", "the newest"])
async def test_an_await_behind_waiting_tasks(url: str, home: Path, agent: Make, channel: str, place: int) -> None:
    """200 others wait, before it or after it; whoever finishes it, its poster sees that."""
    bob = await agent("bob")
    async with open_mcp(url, home) as session:
        await posted(bob, channel, place)
        mine = (await said(session, "post_task", channel=channel, content="mine"))["message_id"]
        await posted(bob, channel, 200 - place)
        path = f"/v1/messages/{mine}"
        assert (await bob.post(f"{path}/claim", json={})).status_code == 200
        awaiting = asyncio.create_task(said(session, "await_result", channel=channel, message_id=mine, timeout_seconds=30))
        assert (await bob.post(f"{path}/ack", json={})).status_code == 200
        told = await awaiting
    assert (told["status"], told["message"]["id"]) == ("acknowledged", mine)


async def test_an_await_after_many_were_finished(url: str, home: Path, agent: Make, channel: str) -> None:
    """Others that were finished before it do not push it off the page."""
    ann, bob = await agent("ann"), await agent("bob")
    await posted(ann, channel, 90)
    async with open_mcp(url, home) as session:
        mine = (await said(session, "post_task", channel=channel, content="mine"))["message_id"]
        await posted(ann, channel, 110)
        await finish(bob, channel, 91)
        told = await said(session, "await_result", channel=channel, message_id=mine, timeout_seconds=10)
    assert told["status"] == "acknowledged"
