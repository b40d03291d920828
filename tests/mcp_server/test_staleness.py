"""A task that its session has forgotten: kept for a while, shown as stale, and given up after four hours."""

from __future__ import annotations

from importlib import resources

import pytest

from bus import Bus
from bus.errors import ChannelAccessDenied
from mcp_server.notebook import STALE_SECONDS
from mcp_server.renewal import Renewal
from mcp_server.session import Held, Session

from .conftest import Agent, Clock, Connect

pytestmark = pytest.mark.anyio
HOUR = 3600.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def claimed(ann: Agent, bus: Bus, *, poster: Agent | None = None, **arguments: object) -> tuple[Session, Held]:
    """A task, of the agent's own unless a poster is named, held; with its session."""
    await (poster or ann).call("post_task", channel="writers", content="x")
    message_id = (await ann.call("claim_task", channel="writers", **arguments))["task"]["message_id"]
    assert ann.session is not None
    return ann.session, ann.session.held[message_id]


async def renew(bus: Bus, session: Session) -> None:
    await Renewal(bus, session).renew_due(session.clock())


async def expire(session: Session, bus: Bus, held: Held) -> None:
    """The lease runs out and the task is claimable again, as after a minute that nobody renewed it."""
    await bus.tasks.release(held.who.caller, held.claim.id, claim_token=held.claim.claim_token)


def test_a_session_and_the_bus_call_the_same_stale() -> None:
    """The one reminds the holder of what the other shows to the poster."""
    row = (resources.files("bus") / "scripts" / "lib" / "row.lua").read_text()
    assert f"local STALE_MS = {STALE_SECONDS * 1000:.0f}\n" in row


async def test_a_task_that_is_touched_is_renewed_for_as_long_as_it_takes(agent: Connect, bus: Bus, clock: Clock) -> None:
    """Ten hours of work with a word of progress every three: never given up."""
    async with agent("ann", clock=clock) as ann:
        session, held = await claimed(ann, bus)
        for _ in range(3):
            clock.passes(3 * HOUR)
            await renew(bus, session)
            await ann.call("heartbeat", message_id=held.claim.id, progress="going on")
        clock.passes(3 * HOUR)
        await renew(bus, session)
        assert list(session.held) == [held.claim.id]


async def test_renewing_is_no_sign_of_life(agent: Connect, bus: Bus, clock: Clock) -> None:
    """After four hours without a call about it the lease is left to run out, however often the process renewed it."""
    async with agent("ann", clock=clock) as ann:
        session, held = await claimed(ann, bus)
        for _ in range(7):
            clock.passes(HOUR / 2)
            await renew(bus, session)
            assert held.claim.id in session.held
        clock.passes(HOUR / 2)
        await renew(bus, session)
        assert held.claim.id not in session.held
        ends = held.claim.lease_expires_at
        clock.passes(HOUR)
        await renew(bus, session)
        hold = (await bus.messages.get(held.who.caller, held.claim.id)).hold
        assert hold is not None
        assert hold.lease_expires_at == ends


async def test_who_left_a_task_alone_is_told_and_may_still_finish_it(agent: Connect, bus: Bus, clock: Clock) -> None:
    """The next answer says so, once; the work is not thrown away while nobody else has taken the task."""
    async with agent("ann", clock=clock) as ann:
        session, held = await claimed(ann, bus)
        clock.passes(4 * HOUR)
        await renew(bus, session)
        told = (await ann.call("list_channels"))["notice"]
        assert told.startswith(f"{held.claim.id} lay untouched for 4 h, so its lease is not renewed any more")
        assert "notice" not in await ann.call("list_channels")
        assert (await ann.call("ack_task", message_id=held.claim.id, result="late, but here"))["state"] == "done"
        assert not session.lost


async def test_who_comes_back_to_a_task_that_passed_on_learns_why(agent: Connect, bus: Bus, clock: Clock) -> None:
    """lease_lost, with the reason; the result is not taken, and the next one's is."""
    async with agent("ann", clock=clock) as ann, agent("bob") as bob:
        session, held = await claimed(ann, bus)
        clock.passes(4 * HOUR)
        await renew(bus, session)
        await expire(session, bus, held)
        await bob.call("claim_task", channel="writers")
        refused = await ann.refused("ack_task", message_id=held.claim.id, result="late")
        assert refused.startswith(f"lease_lost: {held.claim.id} lay untouched in this session for 4 h")
        assert "heartbeat and progress" in refused
        assert "Next: discard what you did for it" in refused
        assert "Notice" not in refused
        assert (await bob.call("ack_task", message_id=held.claim.id, result="bob's"))["state"] == "done"


async def test_who_takes_a_forgotten_task_up_again_has_it_renewed_again(agent: Connect, bus: Bus, clock: Clock) -> None:
    """A heartbeat is a sign of life, if it comes before somebody else has the task."""
    async with agent("ann", clock=clock) as ann:
        session, held = await claimed(ann, bus)
        clock.passes(4 * HOUR)
        await renew(bus, session)
        await ann.call("heartbeat", message_id=held.claim.id)
        assert held.claim.id in session.held
        clock.passes(HOUR)
        await renew(bus, session)
        assert held.claim.id in session.held
        assert "notice" not in await ann.call("heartbeat", message_id=held.claim.id)


async def test_a_task_whose_question_is_open_is_not_forgotten(agent: Connect, bus: Bus, clock: Clock) -> None:
    """Its poster is at turn, for days if need be; from the answer on the worker has all the time anew."""
    async with agent("ann", clock=clock) as ann, agent("eve") as eve:
        session, held = await claimed(ann, bus, poster=eve)
        message_id = held.claim.id
        await ann.call("ask", message_id=message_id, question="which?", wait_seconds=0)
        clock.passes(5 * HOUR)
        await renew(bus, session)
        assert "notice" not in await ann.call("list_channels")
        pause = session.held[message_id].renew_at - clock()
        assert pause == 300  # a third of the lease that the answer will start
        await eve.call("answer", message_id=message_id, answer="that one")
        clock.passes(pause)
        await renew(bus, session)
        assert message_id in session.held
        assert session.held[message_id].renew_at - clock() == 20
        clock.passes(3 * HOUR)
        await renew(bus, session)
        assert message_id in session.held
        clock.passes(HOUR)
        await renew(bus, session)
        assert message_id not in session.held


async def test_the_poster_sees_that_a_task_was_forgotten(agent: Connect, bus: Bus, clock: Clock) -> None:
    """What the process renews by itself does not count as touching it on the bus either."""
    async with agent("ann", clock=clock) as ann:
        session, held = await claimed(ann, bus, lease_seconds=60)
        before = (await bus.messages.get(held.who.caller, held.claim.id)).hold
        clock.passes(30)
        await renew(bus, session)
        after = (await bus.messages.get(held.who.caller, held.claim.id)).hold
        assert before is not None
        assert after is not None
        assert after.lease_expires_at > before.lease_expires_at
        assert not after.stale


async def test_a_parked_task_is_looked_after_though_its_channel_cannot_be_read(
    agent: Connect, bus: Bus, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then at the pace of any other task: the claim is none the worse for it."""
    async with agent("ann", clock=clock) as ann:
        session, held = await claimed(ann, bus)
        await ann.call("ask", message_id=held.claim.id, question="which?", wait_seconds=0)

        async def denied(*_: object) -> None:
            raise ChannelAccessDenied("members only")

        monkeypatch.setattr(type(bus.channels), "get", denied)
        clock.passes(HOUR)
        await renew(bus, session)
        assert session.held[held.claim.id].renew_at - clock() == 20
