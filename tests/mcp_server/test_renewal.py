"""The process renews its leases: a live session keeps its task, a dead one loses it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bus import Bus, Claim
from bus.errors import RateLimitExceeded, StoreFull, StoreUnavailable
from mcp_server.renewal import Renewal

from .conftest import Connect, eventually, inside

pytestmark = pytest.mark.anyio


async def test_a_live_session_keeps_its_task_through_many_leases(agent: Connect, bus: Bus) -> None:
    """The model need never heartbeat: with a lease of one second the task is still held three leases later."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = (await ann.call("post_task", channel="writers", content="long"))["message_id"]
        await ann.call("claim_task", channel="writers", lease_seconds=1)
        assert ann.session is not None
        caller = (await ann.session.who(bus)).caller
        first = (await bus.messages.get(caller, message_id)).hold
        assert first is not None

        async def held_on() -> bool:
            hold = (await bus.messages.get(caller, message_id)).hold
            assert hold is not None
            assert hold.delivery == 1
            return hold.lease_expires_at > first.lease_expires_at + timedelta(seconds=3)

        await eventually(held_on)
        assert (await bob.call("claim_task", channel="writers", wait_seconds=0))["status"] == "none"
        assert (await ann.call("ack_task", message_id=message_id, result="done"))["state"] == "done"


async def test_a_renewal_says_that_no_agent_made_it(agent: Connect, bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bus tells a lease that a program keeps up from a task that its holder still thinks of; a heartbeat is the latter."""
    said: list[bool] = []
    heartbeat = type(bus.tasks).heartbeat

    async def listening(*args: Any, **more: Any) -> Claim:
        said.append(more.get("automatic", False))
        return await heartbeat(*args, **more)

    monkeypatch.setattr(type(bus.tasks), "heartbeat", listening)
    async with agent("ann") as ann:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await ann.call("claim_task", channel="writers")
        assert ann.session is not None
        await Renewal(bus, ann.session).renew_due(ann.session.clock() + 60)
        await ann.call("heartbeat", message_id=message_id)
    assert said == [True, False]


async def test_a_renewal_that_is_refused_for_now_is_tried_again(
    agent: Connect, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rate limit, or a store that is full or away, says nothing about the claim: it is kept, and renewed a second later."""
    heartbeat, refusals = type(bus.tasks).heartbeat, [StoreFull("full"), RateLimitExceeded("slower"), StoreUnavailable("gone")]

    async def refused(*args: Any, **more: Any) -> Claim:
        if refusals:
            raise refusals.pop()
        return await heartbeat(*args, **more)

    monkeypatch.setattr(type(bus.tasks), "heartbeat", refused)
    async with agent("ann") as ann:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await ann.call("claim_task", channel="writers")
        session = ann.session
        assert session is not None
        while refusals:
            await Renewal(bus, session).renew_due(session.clock() + 60)
            assert 0 < session.held[message_id].renew_at - session.clock() <= 1
        await Renewal(bus, session).renew_due(session.clock() + 60)
        assert session.held[message_id].renew_at - session.clock() > 15


async def test_a_session_that_ends_gives_the_task_to_the_next_within_a_lease(agent: Connect) -> None:
    """Nobody renews it any more: the waiting worker gets it when the lease ends."""
    async with agent("bob") as bob:
        async with agent("ann") as ann:
            await ann.call("post_task", channel="writers", content="x")
            await ann.call("claim_task", channel="writers", lease_seconds=1)
        again = await bob.call("claim_task", channel="writers", wait_seconds=20)
        assert again["task"]["delivery"] == 2


async def test_a_cancelled_task_is_told_at_the_next_call_about_it(agent: Connect, bus: Bus) -> None:
    """Renewing meets the cancellation; the worker learns of it, not of some lost lease."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await bob.call("claim_task", channel="writers", lease_seconds=1)
        assert ann.session is not None
        assert bob.session is not None
        await bus.tasks.cancel((await ann.session.who(bus)).caller, message_id)
        await eventually(lambda: not bob.session or message_id in bob.session.lost)
        refused = await bob.refused("ack_task", message_id=message_id, result="too late")
        assert refused.startswith("task_cancelled")
        assert "Next: stop working on it" in refused
        assert (await ann.call("await_result", message_id=message_id))["status"] == "cancelled"


async def test_a_lease_that_passed_on_is_told_at_the_next_call_about_it(agent: Connect, bus: Bus) -> None:
    """A claim that another agent has by now is refused with lease_lost, and its result is not taken."""
    async with agent("ann") as ann, agent("bob") as bob:
        message_id = (await ann.call("post_task", channel="writers", content="x"))["message_id"]
        await ann.call("claim_task", channel="writers", lease_seconds=1)
        assert ann.session is not None
        held = ann.session.held[message_id]
        await bus.tasks.release(held.who.caller, message_id, actor="ann", claim_token=held.claim.claim_token)
        await bob.call("claim_task", channel="writers")
        assert (await ann.refused("ack_task", message_id=message_id, result="late")).startswith("lease_lost")
        assert message_id not in ann.session.held
        assert (await bob.call("ack_task", message_id=message_id, result="bob's"))["state"] == "done"
        outcome = await ann.call("await_result", message_id=message_id)
        assert inside(outcome, outcome["result"]) == "bob's"


async def test_a_claim_call_that_is_cancelled_takes_no_task_with_it(agent: Connect) -> None:
    """A client that gives up waiting leaves the next task to the others."""
    import anyio

    async with agent("ann") as ann, agent("bob") as bob:
        seen: list[float] = []

        async def progress(done: float, total: float | None, message: str | None) -> None:
            seen.append(done)

        await ann.call("post_task", channel="writers", content="taken")
        await ann.call("claim_task", channel="writers")
        async with anyio.create_task_group() as group:

            async def wait() -> None:
                await bob.client.call_tool("claim_task", {"channel": "writers", "wait_seconds": 60}, progress_callback=progress)

            group.start_soon(wait)
            await eventually(lambda: seen)
            group.cancel_scope.cancel()
        await ann.call("post_task", channel="writers", content="free")
        assert (await ann.call("claim_task", channel="writers", wait_seconds=10))["task"]["delivery"] == 1
        assert bob.session is not None
        assert not bob.session.held
