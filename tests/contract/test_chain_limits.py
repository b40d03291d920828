"""The limits of a chain: so many hops, and so many tasks in an hour over all processes; only what was made counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from bus import Access, Bus, Caller, Message, Mode, errors
from bus.models import Chain

from .chaining import chain_of, follow, total
from .verbs import made, posted
from .worlds import Replica, World

pytestmark = pytest.mark.anyio

HOUR_MS = 3_600_000


async def pass_time(world: World, chain: Chain, milliseconds: int) -> None:
    """As if so much time had passed since the chain's last task."""
    pace = world.keys.chain_rate(chain.id)
    await world.redis("SET", pace, int(await world.redis("GET", pace)) - milliseconds * 1000, "PX", HOUR_MS)


async def test_the_number_of_hops_is_a_setting(replica: Replica, ann: Caller, channel: str) -> None:
    """BACKCHANNEL_MAX_HOPS."""
    async with replica(max_hops=2) as bus:
        first = await posted(bus, ann, channel)
        last = await follow(bus, ann, channel, chain_of(await follow(bus, ann, channel, chain_of(first))))
        with pytest.raises(errors.ChainTooLong):
            await follow(bus, ann, channel, chain_of(last))
        assert await total(bus, ann, channel) == 3


async def test_the_201st_task_of_a_chain_in_an_hour_is_refused(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Whoever fans out in a circle is stopped too; 18 s later one more is let through, and an hour later 200."""
    chain = chain_of(await posted(bus, ann, channel))
    for _ in range(4):
        await asyncio.gather(*(follow(bus, ann, channel, chain) for _ in range(50)))
    with pytest.raises(errors.ChainRateExceeded) as caught:
        await follow(bus, ann, channel, chain)
    retry_after = caught.value.details["retry_after"]
    assert caught.value.details == {"chain_id": chain.id, "retry_after": retry_after}
    assert 1 <= retry_after <= 18
    assert chain.id in caught.value.message
    assert await total(bus, ann, channel) == 201
    assert (await follow(bus, ann, channel, chain_of(await posted(bus, ann, channel)))).chain is not None
    await pass_time(world, chain, retry_after * 1000)
    await follow(bus, ann, channel, chain)
    with pytest.raises(errors.ChainRateExceeded):
        await follow(bus, ann, channel, chain)
    await pass_time(world, chain, HOUR_MS)
    await asyncio.gather(*(follow(bus, ann, channel, chain) for _ in range(50)))


async def test_the_budget_holds_over_processes_and_callers(
    replica: Replica, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """It is the chain's, whoever posts where: many at once get exactly as many as there may be."""
    async with replica(chain_limit=5) as one, replica(chain_limit=5) as two:
        chain = chain_of(await posted(one, ann, channel))
        channels = [await made(one, ann, f"{channel}-{n}") for n in range(2)]
        tries = [
            follow(bus, who, channels[turn % 2], Chain(chain.id, turn % 3))
            for turn in range(4)
            for bus in (one, two)
            for who in (ann, bob, eve)
        ]
        found = await asyncio.gather(*tries, return_exceptions=True)
        assert len([each for each in found if isinstance(each, Message)]) == 5
        assert {type(each) for each in found} == {Message, errors.ChainRateExceeded}
        assert sum([await total(two, ann, each) for each in channels]) == 5


async def test_another_spelling_is_the_same_chain(replica: Replica, ann: Caller, channel: str) -> None:
    """An id with its channel's name in capitals, or with spaces around it, is no way to a budget of its own."""
    async with replica(chain_limit=1) as bus:
        chain = chain_of(await posted(bus, ann, channel))
        found = await follow(bus, ann, channel, Chain(f"  {chain.id.upper()} ", 0))
        assert found.chain == Chain(chain.id, 1)
        with pytest.raises(errors.ChainRateExceeded):
            await follow(bus, ann, channel, chain)


async def test_without_a_limit_nothing_is_counted(world: World, replica: Replica, ann: Caller, channel: str) -> None:
    """BACKCHANNEL_CHAIN_LIMIT=0: only the hops are."""
    async with replica(chain_limit=0) as bus:
        chain = chain_of(await posted(bus, ann, channel))
        await follow(bus, ann, channel, chain)
        assert await world.redis("EXISTS", world.keys.chain_rate(chain.id)) == 0


async def test_a_replay_is_neither_refused_nor_counted(world: World, replica: Replica, ann: Caller, channel: str) -> None:
    """A post that is sent again makes nothing, so it costs nothing, also when the budget is spent."""
    async with replica(chain_limit=2) as bus:
        chain = chain_of(await posted(bus, ann, channel))
        first = await bus.tasks.post(ann, channel, "x", chain=chain, idempotency_key="k")
        spent = await world.redis("GET", world.keys.chain_rate(chain.id))
        again = await bus.tasks.post(ann, channel, "x", chain=chain, idempotency_key="k")
        assert (again.replayed, again.message.id) == (True, first.message.id)
        assert again.message.chain == first.message.chain == Chain(chain.id, 1)
        assert await world.redis("GET", world.keys.chain_rate(chain.id)) == spent
        await follow(bus, ann, channel, chain)
        with pytest.raises(errors.ChainRateExceeded):
            await follow(bus, ann, channel, chain, idempotency_key="another")
        assert (await bus.tasks.post(ann, channel, "x", chain=chain, idempotency_key="k")).replayed
        assert await total(bus, ann, channel) == 3


async def test_repeats_at_once_are_counted_once(world: World, replica: Replica, ann: Caller, channel: str) -> None:
    """Of several first calls with one idempotency key those that made nothing are given back."""
    async with replica(chain_limit=10) as bus:
        chain = chain_of(await posted(bus, ann, channel))
        found = await asyncio.gather(*(bus.tasks.post(ann, channel, "x", chain=chain, idempotency_key="k") for _ in range(5)))
        assert sorted(each.replayed for each in found) == [False, True, True, True, True]
        left = [each async for each in _until_refused(bus, ann, channel, chain)]
        assert len(left) == 9


async def _until_refused(bus: Bus, caller: Caller, channel: str, chain: Chain) -> AsyncGenerator[Message]:
    while True:
        try:
            yield await follow(bus, caller, channel, chain)
        except errors.ChainRateExceeded:
            return


async def test_the_record_of_a_deleted_channel_is_no_replay(world: World, replica: Replica, ann: Caller, channel: str) -> None:
    """What it stood for is gone: the task is posted, and counted."""
    async with replica(chain_limit=3) as bus:
        chain = chain_of(await posted(bus, ann, f"{channel}-0"))
        await bus.tasks.post(ann, channel, "x", chain=chain, idempotency_key="k")
        await bus.channels.delete(ann, channel)
        await world.passed(2)
        assert not (await bus.tasks.post(ann, channel, "x", chain=chain, idempotency_key="k")).replayed
        assert len([each async for each in _until_refused(bus, ann, channel, chain)]) == 1


async def test_a_refused_post_does_not_use_the_budget_up(
    world: World, replica: Replica, ann: Caller, eve: Caller, channel: str
) -> None:
    """Paused, full, of the wrong kind or shut: nothing was made, so nothing is counted."""
    shut = await made(world.bus, ann, f"{channel}-shut", access=Access.RESTRICTED)
    full = await made(world.bus, ann, f"{channel}-full", max_messages=1)
    await posted(world.bus, ann, full)
    news = await made(world.bus, ann, f"{channel}-news", mode=Mode.BROADCAST)
    async with replica(chain_limit=1) as bus:
        chain = chain_of(await posted(bus, ann, channel))
        for target, why in (
            (shut, errors.ChannelAccessDenied),
            (full, errors.ChannelFull),
            (news, errors.ChannelNotClaimable),
        ):
            with pytest.raises(why):
                await follow(bus, eve, target, chain)
        with pytest.raises(errors.ChannelNotFound):
            await bus.messages.post(eve, f"{channel}-none", "x", chain=chain)
        assert await world.redis("EXISTS", world.keys.chain_rate(chain.id)) == 0
        await follow(bus, eve, channel, chain)
