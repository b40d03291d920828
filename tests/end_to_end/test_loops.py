"""Agents that answer each other for ever are stopped by the bus, with an error that says so."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from .conftest import minted, serve
from .hasty import Hasty, Refused, over_http, piped

pytestmark = pytest.mark.anyio
both_transports = pytest.mark.parametrize("transport", ["stdio", "http"])


@asynccontextmanager
async def two(home: Path, transport: str) -> AsyncGenerator[tuple[Hasty, Hasty]]:
    """Two agents: with a server process each, or with a key each at one HTTP server."""
    async with AsyncExitStack() as stack:
        join = stack.enter_async_context
        if transport == "stdio":
            ann = await join(piped(home, BACKCHANNEL_AGENT_LABEL="ann"))
            yield ann, await join(piped(home, BACKCHANNEL_AGENT_LABEL="bob"))
            return
        url = await join(serve(home))
        ann, bob = [await join(over_http(url, await minted(url, name), "auto")) for name in ("ann", "bob")]
        yield ann, bob


async def thank(agent: Hasty, channel: str, message_id: str) -> str | None:
    """What the bus said against it, None when it is posted."""
    try:
        await agent.call("post_task", channel=channel, content=f"thank you for {message_id}")
    except Refused as refusal:
        return str(refusal)
    return None


async def be_polite(agent: Hasty, mine: str, other: str, thanked: list[str], *, thank_first: bool) -> None:
    """Take each task, finish it, and post a thank-you to the other's channel, or the other way round; until refused."""
    while True:
        claimed = await agent.call("claim_task", channel=mine, wait_seconds=60)
        message_id = claimed["task"]["message_id"]
        if not thank_first:
            await agent.call("ack_task", message_id=message_id, result="done, thanks!")
        refusal = await thank(agent, other, message_id)
        if refusal is not None:
            assert re.match(r"chain_too_long: .*20.*\. Next: .*stop", refusal), refusal
            return
        thanked.append(message_id)
        if thank_first:
            await agent.call("ack_task", message_id=message_id, result="done, thanks!")


@both_transports
async def test_two_bots_that_thank_each_other_are_stopped(home: Path, transport: str) -> None:
    """After twenty thank-yous in a row the next is refused, though one of the two thanks before it finishes, the other one
    after. Here two rows go on side by side."""
    async with two(home, transport) as (ann, bob), asyncio.timeout(60):
        for channel in ("ann-in", "bob-in"):
            await bob.call("post_task", channel=channel, content="hello")
        thanked: list[str] = []
        async with asyncio.TaskGroup() as group:
            polite = [
                group.create_task(be_polite(ann, "ann-in", "bob-in", thanked, thank_first=False)),
                group.create_task(be_polite(bob, "bob-in", "ann-in", thanked, thank_first=True)),
            ]
            await asyncio.wait(polite, return_when=asyncio.FIRST_COMPLETED)
            for bot in polite:
                bot.cancel()
    assert 20 <= len(thanked) <= 40


async def post_all(agent: Hasty, count: int) -> list[str]:
    """Post so many tasks, eight at a time; the refusals."""
    left, refused = iter(range(count)), list[str]()

    async def post_on() -> None:
        for number in left:
            try:
                await agent.call("post_task", channel="out", content=f"{number}")
            except Refused as refusal:
                refused.append(str(refusal))

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(post_on())
    return refused


async def waiting(agent: Hasty, channel: str) -> int:
    listed = await agent.call("list_channels")
    return next(each["waiting"] for each in listed["channels"] if each["channel"] == channel)


@both_transports
async def test_a_bot_that_fans_out_is_stopped(home: Path, transport: str) -> None:
    """One task may be followed by two hundred others in an hour. Who works on nothing may post as many as it likes."""
    async with two(home, transport) as (ann, bob), asyncio.timeout(60):
        await ann.call("post_task", channel="in", content="tell everybody")
        await bob.call("claim_task", channel="in")
        refused = await post_all(bob, 230)
        stored = await waiting(ann, "out")
        assert len(refused) == 230 - stored
        assert 200 <= stored <= 203, "an hour's two hundred, and one for each 18 s that this took"
        assert all(re.match(r"chain_rate_exceeded: 200 tasks .*\. Next: .*stop", refusal) for refusal in refused), refused[0]
        assert await post_all(ann, 30) == []
