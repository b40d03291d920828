"""What is remembered of a caller: by the process over stdio, in the bus over streamable HTTP."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from mcp.client import Client

from api.serving import serving
from bus import Bus, Caller, Settings, connect
from bus.models import Chain
from mcp_server import kept
from mcp_server.server import create_server
from mcp_server.session import Session

from .conftest import Agent, Clock, Connect
from .listening import caller_of, key, remote, served

pytestmark = pytest.mark.anyio
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture(autouse=True)
def looks_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call looks: what is not told is not there."""
    monkeypatch.setattr(kept, "EVERY_SECONDS", 0.0)


async def chain_of(bus: Bus, caller: Caller, message_id: str) -> Chain | None:
    return (await bus.messages.get(caller, message_id)).chain


@MODES
async def test_over_http_news_survive_the_restart_of_a_replica(agent: Connect, bus: Bus, mode: str) -> None:
    """Posted through one server process, told by the next one, once, by whichever answers first."""
    caller = await caller_of(bus, "remote")
    async with agent("bob") as bob:
        async with remote(bus, key(caller), mode) as first:
            message_id = (await first.call("post_task", channel="writers", content="x"))["message_id"]
        await bob.call("claim_task", channel="writers")
        await bob.call("ack_task", message_id=message_id, result="r")
        async with remote(bus, key(caller), mode) as second, remote(bus, key(caller), mode) as third:
            told = (await second.call("list_channels"))["notice"]
            assert told == f'{message_id} is done: await_result(message_id="{message_id}") returns the outcome.'
            assert "notice" not in await third.call("list_channels")


@MODES
async def test_over_http_what_is_posted_while_holding_a_task_is_its_next_hop(bus: Bus, mode: str) -> None:
    """On any replica; and for a minute after the task was finished, for who acks first and thanks then."""
    poster, worker = await caller_of(bus, "poster"), await caller_of(bus, "worker")
    first = (await bus.tasks.post(poster, "writers", "x")).message.id
    async with remote(bus, key(worker), mode) as here, remote(bus, key(worker), mode) as there:
        unrelated = (await here.call("post_task", channel="readers", content="y"))["message_id"]
        await here.call("claim_task", channel="writers")
        during = (await there.call("post_task", channel="readers", content="y"))["message_id"]
        await there.call("ack_task", message_id=first, result="r")
        after = (await here.call("post_task", channel="readers", content="thanks"))["message_id"]
    assert await chain_of(bus, worker, unrelated) == Chain(unrelated, 0)
    assert await chain_of(bus, worker, during) == Chain(first, 1)
    assert await chain_of(bus, worker, after) == Chain(first, 1)


async def test_agents_that_share_a_key_and_name_themselves_are_told_apart(bus: Bus) -> None:
    """What one posts under its name belongs to its own task, not to the one that another holds."""
    caller = await caller_of(bus, "shared")
    first, second = [(await bus.tasks.post(caller, "writers", "x")).message.id for _ in range(2)]
    async with served(bus) as url, remote(bus, key(caller), url=url) as ann, remote(bus, key(caller), url=url) as bob:
        await ann.call("claim_task", channel="writers", actor="ann")
        await bob.call("claim_task", channel="writers", actor="bob")
        mine = (await ann.call("post_task", channel="readers", content="y", actor_label="ann"))["message_id"]
        theirs = (await bob.call("post_task", channel="readers", content="y", actor_label="bob"))["message_id"]
    assert await chain_of(bus, caller, mine) == Chain(first, 1)
    assert await chain_of(bus, caller, theirs) == Chain(second, 1)


async def test_sharing_a_memory_shares_reminders_and_no_claim(agent: Connect, bus: Bus) -> None:
    """Another agent on the same key hears of the task; it does not get the token, and under another name it is refused."""
    caller = await caller_of(bus, "shared")
    message_id = (await bus.tasks.post(caller, "writers", "x")).message.id
    async with remote(bus, key(caller)) as ann, remote(bus, key(caller)) as bob:
        token = (await ann.call("claim_task", channel="writers", actor="ann", lease_seconds=3600))["claim_token"]
        (state,) = await bus.sessions.list(caller)
        assert token not in str(state)
        assert (await bob.refused("ack_task", message_id=message_id, result="mine")).startswith("not_claimed")
        assert (await bob.refused("heartbeat", message_id=message_id, actor="bob")).startswith("not_claimed")
        again = await bob.call("claim_task", channel="writers", wait_seconds=0)
        assert again["status"] == "none"
        assert (await ann.call("ack_task", message_id=message_id, claim_token=token, result="ann's"))["state"] == "done"
        assert "notice" not in await bob.call("list_channels")


async def test_over_http_an_outcome_read_as_a_resource_is_no_news(agent: Connect, bus: Bus) -> None:
    """As over stdio: what a client has just shown is not told again on the next answer."""
    caller = await caller_of(bus, "remote")
    async with agent("bob") as bob, served(bus) as url, remote(bus, key(caller), url=url) as ann:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await bob.call("claim_task", channel="writers")
        await bob.call("ack_task", message_id=message_id, result="r")
        await ann.client.read_resource(f"backchannel://messages/{message_id}")
        assert "notice" not in await ann.call("list_channels")


async def test_over_http_a_lease_that_ends_is_told_in_time(bus: Bus) -> None:
    """Nothing renews it there: with a third of it left, the next answer says so; when it is over, likewise; each once."""
    caller = await caller_of(bus, "remote")
    message_id = (await bus.tasks.post(caller, "writers", "x")).message.id
    async with served(bus) as url, remote(bus, key(caller), url=url) as worker:
        await worker.call("claim_task", channel="writers", lease_seconds=900)
        assert "notice" not in await worker.call("list_channels")
        await touched(bus, caller, message_id, seconds_ago=700)
        await bus.tasks.heartbeat(caller, message_id, lease=timedelta(seconds=200))
        told = (await worker.call("list_channels"))["notice"]
        assert told.startswith(f"the lease of {message_id}, claimed with this API key, ends in ")
        assert "notice" not in await worker.call("list_channels")
        await bus.tasks.release(caller, message_id)
        over = (await worker.call("list_channels"))["notice"]
        assert over.startswith(f"the lease of {message_id} ran out: heartbeat takes it back")
        assert "notice" not in await worker.call("list_channels")


async def touched(bus: Bus, caller: Caller, message_id: str, seconds_ago: float) -> None:
    """Age what is remembered of this task."""
    (state,) = await bus.sessions.list(caller)
    field = f"held:{message_id}"
    work = dict(state.state[field])
    work["touched_at"] -= seconds_ago
    await bus.sessions.update(caller, state.id, {field: work})


@pytest.mark.parametrize("how", ["cancelled", "passed on", "finished elsewhere"])
async def test_over_http_a_claim_that_ended_is_told(agent: Connect, bus: Bus, how: str) -> None:
    """A cancellation and a task that another agent has by now are news; one's own finish through another door is none."""
    caller = await caller_of(bus, "remote")
    message_id = (await bus.tasks.post(caller, "writers", "x")).message.id
    async with remote(bus, key(caller)) as worker, agent("bob") as bob:
        token = (await worker.call("claim_task", channel="writers"))["claim_token"]
        if how == "cancelled":
            await bus.tasks.cancel(caller, message_id)
        elif how == "passed on":
            await bus.tasks.release(caller, message_id)
            await bob.call("claim_task", channel="writers")
        else:
            await bus.tasks.ack(caller, message_id, claim_token=token, result="r")
        told = (await worker.call("list_channels")).get("notice")
        expected = {
            "cancelled": f"{message_id} was called off: stop working on it.",
            "passed on": f"you no longer hold {message_id} (lease_lost): drop what you did for it.",
            "finished elsewhere": None,
        }
        assert told == expected[how]
        assert "notice" not in await worker.call("list_channels")


async def test_over_http_a_task_that_lies_is_called_to_mind_without_saying_whose_it_is(bus: Bus) -> None:
    """With a long lease, after 15 minutes and after 30: whoever shares the key may be the one who reads it."""
    caller = await caller_of(bus, "remote")
    message_id = (await bus.tasks.post(caller, "writers", "x")).message.id
    async with served(bus) as url, remote(bus, key(caller), url=url) as worker:
        await worker.call("claim_task", channel="writers", lease_seconds=86_400)
        for minutes, more in ((16, ""), (32, ", so its poster sees it as stale")):
            await touched(bus, caller, message_id, seconds_ago=16 * 60)
            told = (await worker.call("list_channels"))["notice"]
            assert told.startswith(f"{message_id}, claimed with this API key, was not touched for {minutes} min{more}: whoever")
            assert "notice" not in await worker.call("list_channels")
        await worker.call("heartbeat", message_id=message_id, lease_seconds=86_400)
        assert "notice" not in await worker.call("list_channels")


async def test_a_local_session_of_a_remote_bus_is_told_likewise(bus: Bus, settings: Settings) -> None:
    """stdio in front of the HTTP API, which it asks more seldom: each look is a request of its key."""

    @asynccontextmanager
    async def this_bus(_: Settings) -> AsyncGenerator[Bus]:
        yield bus

    clock = Clock()
    async with serving(settings.model_copy(update={"port": 0}), connect=this_bus) as base_url:
        far = settings.model_copy(update={"base_url": base_url, "agent_label": "ann"})
        async with connect(far) as behind, Client(create_server(behind, Session(far, clock))) as client:
            ann = Agent(client, None)
            message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
            worker = await caller_of(bus, "worker")
            claim = await bus.tasks.claim(worker, "writers")
            assert claim is not None
            await bus.tasks.ack(worker, claim.id, claim_token=claim.claim_token, result="r")
            clock.passes(10)
            assert "notice" not in await ann.call("list_channels")
            clock.passes(10.1)
            assert (await ann.call("list_channels"))["notice"].startswith(f"{message_id} is done: await_result(")
