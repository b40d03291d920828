"""What a poster learns at once: who works there, whether the name was meant; and what its task belongs to."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from mcp.client import Client

from bus import Bus, Settings, connect
from bus.models import Workers
from mcp_server.server import create_server
from mcp_server.session import Session
from mcp_server.standing import ago, who_works

from .conftest import Agent, Connect, eventually
from .pairs import both_ways, pair

pytestmark = pytest.mark.anyio


@both_ways
async def test_a_poster_learns_who_works_there(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """Nobody ever: said plainly, for a task that nobody takes is the dearest of errors. Then who waits, who worked."""
    async with pair(agent, bus, transport, mode) as (ann, bob), anyio.create_task_group() as group:
        first = await ann.call("post_task", channel="writers", content="1")
        assert first["channel_created"] is True
        assert first["note"] == "no agent ever worked on this channel (30 days back): the task waits until one does"
        await bob.call("claim_task", channel="writers")
        second = await ann.call("post_task", channel="writers", content="2")
        assert "channel_created" not in second
        assert second["note"] == "no agent waits for tasks here now, 1 worked here in the last 15 minutes"
        await bob.call("claim_task", channel="writers")
        group.start_soon(lambda: bob.client.call_tool("claim_task", {"channel": "writers", "wait_seconds": 60}))

        async def seen() -> bool:
            later = await ann.call("post_task", channel="writers", content="x", delay_seconds=600)
            return later["note"] == "1 agent waits for tasks here now, 1 worked here in the last 15 minutes"

        await eventually(seen)
        group.cancel_scope.cancel()


def test_who_works_is_said_in_words() -> None:
    """One, several, nobody now, nobody ever."""
    now = datetime.now(UTC)
    assert who_works(Workers(0, 0, None)).startswith("no agent ever worked")
    assert who_works(Workers(0, 0, now - timedelta(hours=3))).endswith("an agent was last seen 3 h ago")
    assert who_works(Workers(2, 3, now)) == "2 agents wait for tasks here now, 3 worked here in the last 15 minutes"
    ages = [(0, "0 s ago"), (119, "119 s ago"), (120, "2 min ago"), (7_200, "2 h ago"), (86_400 * 2, "2 d ago")]
    assert [ago(now - timedelta(seconds=seconds)) for seconds, _ in ages] == [said for _, said in ages]
    assert ago(now + timedelta(minutes=5)) == "0 s ago", "a clock that is ahead"


@both_ways
async def test_a_channel_made_by_a_slip_names_the_nearest(agent: Connect, bus: Bus, transport: str, mode: str) -> None:
    """It is made all the same, for who posts first makes it; but the poster sees what it may have meant."""
    async with pair(agent, bus, transport, mode) as (ann, _):
        await ann.call("post_task", channel="writers", content="1")
        slip = await ann.call("post_task", channel="wrtiers", content="2")
        assert slip["channel_created"] is True
        assert slip["nearest"] == ["writers"]
        assert "nearest" not in await ann.call("post_task", channel="wrtiers", content="3")


@asynccontextmanager
async def pair_with(settings: Settings, transport: str, mode: str, **limits: int) -> AsyncGenerator[tuple[Agent, Agent]]:
    """`pair` on a bus with other limits."""

    @asynccontextmanager
    async def agent(label: str, *, mode: str) -> AsyncGenerator[Agent]:
        session = Session(settings.model_copy(update={"agent_label": label}))
        async with Client(create_server(bus, session), mode=mode) as client:
            yield Agent(client, session)

    async with connect(settings.model_copy(update=limits)) as bus, pair(agent, bus, transport, mode) as agents:
        yield agents


async def claimed(bob: Agent) -> str:
    return (await bob.call("claim_task", channel="writers", wait_seconds=20))["task"]["message_id"]


async def test_what_is_posted_while_holding_a_task_is_its_next_hop(agent: Connect) -> None:
    """No model need think of it: the chain is that of the task in hand, and hops are shown to the next worker."""
    async with agent("ann") as ann, agent("bob") as bob:
        await ann.call("post_task", channel="writers", content="1")
        await claimed(bob)
        await bob.call("post_task", channel="readers", content="2")
        second = await ann.call("claim_task", channel="readers")
        assert second["task"]["hops"] == 1
        assert second["note"].startswith("hop 1 of a chain of tasks")
        await ann.call("post_task", channel="writers", content="3")
        assert (await bob.call("claim_task", channel="writers"))["task"]["hops"] == 2


@both_ways
async def test_parent_says_what_a_task_is_posted_for(settings: Settings, transport: str, mode: str) -> None:
    """Its chain goes on, whatever is held; and a circle is stopped with words that tell the model to stop too."""
    async with pair_with(settings, transport, mode, max_hops=2) as (ann, bob):
        parent = (await ann.call("post_task", channel="writers", content="0"))["message_id"]
        for _ in range(2):
            parent = (await bob.call("post_task", channel="writers", content="next", parent=parent))["message_id"]
        refused = await bob.refused("post_task", channel="writers", content="too far", parent=parent)
        assert refused.startswith("chain_too_long: ")
        assert "Next: stop: agents are handing work round in a circle" in refused
        news = (await ann.call("broadcast", channel="news", content="x"))["message_id"]
        assert "must be a task" in await ann.refused("post_task", channel="writers", content="x", parent=news)
        waiting = (await ann.call("get_channel", channel="writers"))["counts"]["waiting"]
        assert waiting == 3, "what was refused is not there"


@both_ways
async def test_a_chain_that_grows_too_fast_is_stopped(settings: Settings, transport: str, mode: str) -> None:
    """Fanning out counts as well: the error says when it goes on."""
    async with pair_with(settings, transport, mode, chain_limit=3) as (ann, _):
        parent = (await ann.call("post_task", channel="writers", content="0"))["message_id"]
        refused = ""
        for _ in range(5):
            answer = await ann.client.call_tool("post_task", {"channel": "writers", "content": "x", "parent": parent})
            if answer.is_error:
                refused = "".join(block.text for block in answer.content if block.type == "text")
                break
        assert refused.startswith("chain_rate_exceeded: ")
        assert "Next: stop: " in refused
