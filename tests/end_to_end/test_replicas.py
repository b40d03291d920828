"""Agents over streamable HTTP, whose server is one of several, is killed, or is told to stop while they wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from tests.servers import Server, free_port, server

from .conftest import SOON, minted, serve, until_listening
from .hasty import Library, over_http

pytestmark = pytest.mark.anyio
ERAS = ("auto", "legacy")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path) as running:
        yield running


async def hand_round(here: Library, there: Library, channel: str) -> str:
    """Posted and claimed at one replica, kept and finished at the other, though the first is gone by then."""
    posted = await here.call("post_task", channel=channel, content="x")
    claimed = await here.call("claim_task", channel=channel, wait_seconds=5)
    assert claimed["task"]["message_id"] == posted["message_id"]
    kept = await there.call("heartbeat", message_id=posted["message_id"])
    assert kept["lease_expires_at"] > claimed["lease_expires_at"]
    return posted["message_id"]


async def broken_off(here: Library, channel: str) -> None:
    """A wait that is in flight when its server dies ends with an error, at once: its client may call again."""
    with pytest.raises(MCPError):
        async with asyncio.timeout(SOON):
            await here.call("claim_task", channel=channel, wait_seconds=60)


async def test_a_replica_that_dies_costs_its_clients_nothing(home: Path, store: Server) -> None:
    """Killed between two calls and in mid-wait, and started again: the clients, which know nothing of it, go on, and so
    does what they hold at another replica. In both eras of the protocol."""
    redis, port = {"BACKCHANNEL_REDIS_URL": store.url}, free_port()
    async with AsyncExitStack() as stack, asyncio.timeout(90):
        second = await stack.enter_async_context(serve(home, **redis))
        api_key = await minted(second, "ann")
        there = {era: await stack.enter_async_context(over_http(second, api_key, era)) for era in ERAS}
        async with serve(home, kill=True, port=port, **redis) as first:
            here = {era: await stack.enter_async_context(over_http(first, api_key, era)) for era in ERAS}
            tasks = {era: await hand_round(here[era], there[era], f"w-{era}") for era in ERAS}
        for era, message_id in tasks.items():
            await there[era].call("ack_task", message_id=message_id, result=era)
        async with asyncio.TaskGroup() as group, serve(home, kill=True, port=port, **redis):
            for era, message_id in tasks.items():
                assert (await here[era].call("await_result", message_id=message_id))["result"].split()[1] == era
                group.create_task(broken_off(here[era], f"w-{era}"))
                await until_listening(store.socket, f"bc:{{w-{era}}}:stream")
        late = {era: await there[era].call("post_task", channel=f"w-{era}", content="late") for era in ERAS}
        async with serve(home, kill=True, port=port, **redis):
            for era in ERAS:
                claimed = await here[era].call("claim_task", channel=f"w-{era}")
                assert claimed["task"]["message_id"] == late[era]["message_id"]
                assert claimed["task"]["delivery"] == 1


def open_waits(group: asyncio.TaskGroup, client: Library, message_id: str, since: str) -> list[asyncio.Task[dict[str, Any]]]:
    """Ten calls that nothing will answer."""
    calls = [("claim_task", {"channel": "writers", "wait_seconds": 60})] * 4
    calls += [("await_result", {"message_id": message_id, "timeout_seconds": 60})] * 3
    calls += [("subscribe", {"channel": "news", "since": since, "wait_seconds": 60})] * 3
    return [group.create_task(client.call(tool, **arguments)) for tool, arguments in calls]


async def test_a_server_that_is_told_to_stop_answers_twenty_waits_first(home: Path) -> None:
    """SIGTERM: each gets the answer of a wait that is over, and the process ends with 0 within two seconds."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        async with serve(home) as url:
            api_key = await minted(url, "ann")
            clients = [await stack.enter_async_context(over_http(url, api_key, era)) for era in ERAS]
            posted = await clients[0].call("post_task", channel="writers", content="x", delay_seconds=600)
            told = await clients[1].call("broadcast", channel="news", content="x")
            ids = (posted["message_id"], told["cursor"])
            waits = [wait for client in clients for wait in open_waits(group, client, *ids)]
            async with asyncio.timeout(SOON):
                while any(len(client.told) < 10 for client in clients):  # noqa: ASYNC110  # a list tells no event
                    await asyncio.sleep(0.01)
            stopping = time.monotonic()
        took = time.monotonic() - stopping
        answers = [await wait for wait in waits]
    print(f"20 waits answered and the process gone after {took:.2f} s")
    assert [answer.get("status") for answer in answers] == (["none"] * 4 + ["pending"] * 3 + [None] * 3) * 2
    assert all(answer["messages"] == [] for answer in answers if "status" not in answer)
    assert all(answer["next"] for answer in answers)
    assert took < 4, "an idle machine needs half a second of the two promised; this bound is for a busy one"
