"""Chains: tasks that are posted while working on one another say so, and a loop of agents is stopped."""

from __future__ import annotations

from typing import Any

import pytest

from bus import Bus, Caller, Mode, errors
from bus.models import Chain

from .chaining import chain_of, follow, total
from .verbs import claimed, held, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_a_task_begins_a_chain_and_what_follows_goes_on_with_it(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Whoever holds a task sees its chain; posted with it, the next task is one hop further, on any channel."""
    first = await posted(bus, ann, channel)
    assert first.chain == Chain(first.id, 0)
    holding = await claimed(bus, bob, channel)
    assert holding.message.chain == Chain(first.id, 0)
    second = await follow(bus, bob, f"{channel}-2", chain_of(holding.message))
    assert second.chain == Chain(first.id, 1)
    third = await follow(bus, ann, channel, chain_of((await claimed(bus, ann, f"{channel}-2")).message))
    assert third.chain == Chain(first.id, 2)
    assert (await bus.messages.get(bob, third.id)).chain == Chain(first.id, 2)


async def test_post_takes_a_chain_on_claimable_channels(bus: Bus, ann: Caller, channel: str) -> None:
    """The verb for either kind of channel makes hops like the one for tasks."""
    await made(bus, ann, channel)
    first = (await bus.messages.post(ann, channel, "x")).message
    found = (await bus.messages.post(ann, channel, "y", chain=chain_of(first))).message
    assert found.chain == Chain(first.id, 1)


@pytest.mark.parametrize("again", ["released", "failed", "lease ended"])
async def test_a_chain_survives_redelivery(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str, again: str) -> None:
    """However a task comes back, it is the same hop of the same chain."""
    first = await posted(bus, ann, f"{channel}-0")
    await follow(bus, ann, channel, chain_of(first))
    claim = await claimed(bus, bob, channel)
    if again == "released":
        await bus.tasks.release(bob, claim.id, claim_token=claim.claim_token)
    elif again == "failed":
        await bus.tasks.fail(bob, claim.id, claim_token=claim.claim_token)
    await world.expire(claim.id)
    found = await claimed(bus, bob, channel)
    assert (found.id, found.message.chain) == (claim.id, Chain(first.id, 1))


async def test_a_chain_survives_its_dead_letter(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A redriven task goes on as the hop that died: redriving is no way round the limits."""
    await made(bus, ann, channel, max_deliveries=1)
    first = await posted(bus, ann, f"{channel}-0")
    await follow(bus, ann, channel, chain_of(first))
    claim = await claimed(bus, bob, channel)
    await bus.tasks.fail(bob, claim.id, claim_token=claim.claim_token)
    (letter,) = (await bus.tasks.dead_letters(ann, channel)).items
    await bus.tasks.redrive(ann, channel, [letter.id])
    found = await claimed(bus, bob, channel)
    assert found.id != claim.id
    assert found.message.chain == Chain(first.id, 1)


async def test_a_finished_task_still_tells_its_chain(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Who reads the result sees where it belongs."""
    first = await posted(bus, ann, f"{channel}-0")
    await follow(bus, ann, channel, chain_of(first))
    claim = await claimed(bus, bob, channel)
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
    assert (await bus.tasks.await_result(ann, claim.id)).chain == Chain(first.id, 1)


async def test_two_agents_that_answer_each_other_are_stopped(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Each takes the other's task and posts one back: after twenty hops the next is refused, and says how it began."""
    sides = [(ann, f"{channel}-ann"), (bob, f"{channel}-bob")]
    first = await posted(bus, bob, sides[0][1])
    turns = 0

    async def play() -> None:
        nonlocal turns
        while turns < 40:
            (me, mine), (_, theirs) = sides[turns % 2], sides[(turns + 1) % 2]
            claim = await claimed(bus, me, mine)
            await follow(bus, me, theirs, chain_of(claim.message))
            await bus.tasks.ack(me, claim.id, claim_token=claim.claim_token)
            turns += 1

    with pytest.raises(errors.ChainTooLong) as caught:
        await play()
    assert turns == 20
    assert caught.value.details == {"chain_id": first.id, "max_hops": 20}
    assert first.id in caught.value.message
    assert "tell a person" in caught.value.message
    left = [await bus.channels.counts(ann, each) for _, each in sides]
    assert [(each.waiting, each.in_flight) for each in left] == [(0, 1), (0, 0)]


async def test_a_repeat_may_come_from_further_on_in_the_chain(bus: Bus, ann: Caller, channel: str) -> None:
    """Once per idempotency key: an agent that finished its task meanwhile and repeats its post gets the first message."""
    chain = chain_of(await posted(bus, ann, channel))
    first = await bus.tasks.post(ann, channel, "x", chain=chain, idempotency_key="k")
    for other in (None, Chain(chain.id, 1), Chain(f"{channel}:1-1", 0)):
        again = await bus.tasks.post(ann, channel, "x", chain=other, idempotency_key="k")
        assert again.replayed
        assert again.message.id == first.message.id
        assert again.message.chain == Chain(chain.id, 1)


async def test_news_are_of_no_chain(bus: Bus, ann: Caller, channel: str) -> None:
    """A chain is refused there rather than forgotten: whoever sends one relies on its limits."""
    await made(bus, ann, channel, mode=Mode.BROADCAST)
    chain = chain_of(await posted(bus, ann, f"{channel}-0"))
    for mode in (None, Mode.CLAIMABLE):
        with pytest.raises(errors.ChannelNotClaimable):
            await bus.messages.post(ann, channel, "x", chain=chain, mode=mode)
    with pytest.raises(errors.InvalidInput) as caught:
        await bus.messages.post(ann, channel, "x", chain=chain, mode=Mode.BROADCAST)
    assert caught.value.reason_code == "invalid_chain"
    assert await total(bus, ann, channel) == 0
    assert (await bus.broadcasts.broadcast(ann, channel, "x")).message.chain is None


async def test_a_channel_that_a_chain_makes_is_for_tasks(bus: Bus, ann: Caller, channel: str) -> None:
    """Posting with `create` and no mode makes a claimable one, as without a chain."""
    chain = chain_of(await posted(bus, ann, f"{channel}-0"))
    found = await bus.messages.post(ann, channel, "x", create=True, chain=chain)
    assert (found.channel_created, found.message.chain) == (True, Chain(chain.id, 1))


MALFORMED: dict[str, Any] = {
    "no message id": Chain("writers", 0),
    "empty id": Chain("", 0),
    "id of a line break": Chain("writers:1-1\nx", 0),
    "id with a bad channel": Chain("wri{ters}:1-1", 0),
    "id with bidi": Chain("wri\u202eters:1-1", 0),
    "no channel": Chain(":1-1", 0),
    "no stream id": Chain("writers:1-x", 0),
    "a long one": Chain("w" * 201 + ":1-1", 0),
    "id of a number": Chain(7, 0),  # type: ignore[arg-type]  # what callers may send
    "negative hops": Chain("writers:1-1", -1),
    "hops of a text": Chain("writers:1-1", "1"),  # type: ignore[arg-type]  # what callers may send
    "hops of a truth": Chain("writers:1-1", True),
    "hops of a half": Chain("writers:1-1", 0.5),  # type: ignore[arg-type]  # what callers may send
    "endless hops": Chain("writers:1-1", 2**70),
    "a text": "writers:1-1",
    "a list": ["writers:1-1", 1],
}


@pytest.mark.parametrize("what", MALFORMED)
async def test_a_malformed_chain_is_refused(world: World, bus: Bus, ann: Caller, channel: str, what: str) -> None:
    """With one code, and nothing stored; by either verb."""
    await made(bus, ann, channel)
    before = await world.everything()
    for post in (bus.tasks.post, bus.messages.post):
        with pytest.raises(errors.InvalidInput) as caught:
            await post(ann, channel, "x", chain=MALFORMED[what])
        assert caught.value.reason_code == "invalid_chain"
        assert caught.value.details["field"] == "chain"
    assert await world.everything() == before


async def test_a_chain_beyond_the_limit_is_refused_with_nothing_stored(
    world: World, bus: Bus, ann: Caller, channel: str
) -> None:
    """Nor is the chain's budget touched, nor a channel made for it."""
    chain = chain_of(await posted(bus, ann, channel))
    before = await world.everything()
    for hops in (20, 21, 9_999):
        with pytest.raises(errors.ChainTooLong):
            await follow(bus, ann, f"{channel}-new", Chain(chain.id, hops))
    assert await world.everything() == before
    assert await world.redis("EXISTS", world.keys.chain_rate(chain.id)) == 0


async def test_fields_that_were_spoiled_by_hand_end_in_a_chain_of_its_own(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """What an operator wrote in with redis-cli is claimed like any task."""
    await held(bus, ann, bob, channel)
    stream = world.keys.stream(channel)
    await world.redis("XADD", stream, "*", "content", "x", "_chain", "y", "_hop", "many")
    found = await claimed(bus, bob, channel)
    assert found.message.chain == Chain(found.id, 0)
