"""Waiting for work: woken by what makes some, one for one, and gone without a trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from bus import Bus, Caller, Claim, errors
from bus.streams import bus_over, connect_engine

from .verbs import LONG, claimed, held, made, posted
from .worlds import SOON, World

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def waking(world: World, bus: Bus, caller: Caller, channel: str) -> AsyncGenerator[list[Claim]]:
    """A claim that waits while the body makes work; the list holds it at the end."""
    got: list[Claim] = []
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.claim(caller, channel, wait=LONG))
        await world.parked()
        yield got
    claim = waiting.result()
    assert claim is not None
    got.append(claim)


async def test_a_claim_waits_for_a_post(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A post wakes it, from whichever process it comes."""
    await made(bus, ann, channel)
    for poster in (bus, bus_over(world.other)):
        async with waking(world, bus, bob, channel) as got:
            message = await posted(poster, ann, channel)
        assert got[0].id == message.id


async def test_a_claim_waits_for_a_release(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """No new entry tells of it, so the bell does."""
    claim = await held(bus, ann, ann, channel)
    async with waking(world, bus, bob, channel) as got:
        await bus.tasks.release(ann, claim.id, claim_token=claim.claim_token)
    assert (got[0].id, got[0].delivery) == (claim.id, 2)


async def test_a_claim_waits_for_a_delay_to_end(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Not before, and at its time: whether it was delayed before the wait began or during it."""
    await made(bus, ann, channel)
    before = await posted(bus, ann, channel, delay=timedelta(milliseconds=300))
    assert await bus.tasks.claim(bob, channel) is None
    first = await claimed(bus, bob, channel, wait=LONG)
    async with waking(world, bus, bob, channel) as got:
        during = await posted(bus, ann, channel, delay=timedelta(milliseconds=300))
    for claim, message in ((first, before), (got[0], during)):
        assert claim.id == message.id
        assert message.available_at is not None
        assert claim.message.hold is not None
        late = claim.message.hold.claimed_at - message.available_at
        assert timedelta(0) <= late < timedelta(seconds=2)


async def test_a_claim_waits_for_a_failed_delivery_to_come_back(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """The pause after a failure ends a wait as any delay does."""
    claim = await held(bus, ann, ann, channel)
    async with waking(world, bus, bob, channel) as got:
        await bus.tasks.fail(ann, claim.id, claim_token=claim.claim_token)
    assert (got[0].id, got[0].delivery) == (claim.id, 2)


async def test_a_claim_waits_for_a_lease_to_run_out(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A holder that vanished is noticed when its lease ends, by whoever waits."""
    await posted(bus, ann, channel)
    await claimed(bus, ann, channel, lease=timedelta(seconds=1))
    assert (await claimed(bus, bob, channel, wait=LONG)).delivery == 2


async def test_a_delayed_task_is_not_to_be_had_before_its_time(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Neither as the next nor by id; tasks posted after it are."""
    delayed = await posted(bus, ann, channel, "later", delay=timedelta(hours=1))
    now = await posted(bus, ann, channel, "now")
    assert (await claimed(bus, bob, channel)).id == now.id
    assert await bus.tasks.claim(bob, channel) is None
    with pytest.raises(errors.NotAvailableYet) as refused:
        await bus.tasks.claim_message(bob, delayed.id)
    assert delayed.available_at is not None
    assert refused.value.details["available_at"] == delayed.available_at.isoformat()
    await world.expire(delayed.id)
    assert (await claimed(bus, bob, channel)).delivery == 1


async def test_a_claim_that_waited_in_vain_says_so(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """None, after the time asked for and not before."""
    await made(bus, ann, channel)
    begun = asyncio.get_running_loop().time()
    assert await bus.tasks.claim(bob, channel, wait=timedelta(milliseconds=250)) is None
    assert asyncio.get_running_loop().time() - begun >= 0.25


async def test_a_wait_of_no_length_is_no_outage(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Over before the store could confirm a subscription, it still ends in what there is to see."""
    await made(bus, ann, channel)
    assert await bus.tasks.claim(bob, channel, wait=timedelta(microseconds=1)) is None
    message = await posted(bus, ann, channel)
    assert (await bus.tasks.await_result(ann, message.id, wait=timedelta(microseconds=1))).outcome is None


async def test_several_channels_are_waited_for_at_once(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The first with work ends the wait."""
    names = [await made(bus, ann, f"{channel}-{n}") for n in range(3)]
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.claim(bob, names, wait=LONG))
        await world.parked()
        message = await posted(bus, ann, names[2])
    claim = waiting.result()
    assert claim is not None
    assert claim.id == message.id


async def test_one_post_wakes_one_of_many(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Ten wait, three tasks come: three get one each, seven go on waiting until more comes."""
    await made(bus, ann, channel)
    done: list[str] = []

    async def work(number: int) -> None:
        claim = await bus.tasks.claim(bob, channel, actor=f"{bob.label}-{number}", wait=LONG)
        assert claim is not None
        done.append(claim.id)

    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        for number in range(10):
            group.create_task(work(number))
        await world.parked(10)
        sent = [(await posted(bus, ann, channel)).id for _ in range(3)]
        while len(done) < 3:  # noqa: ASYNC110 - counting what others do
            await asyncio.sleep(0.002)
        assert sorted(done) == sorted(sent)
        await world.parked(7)  # one that was woken for nothing looks, and parks again
        sent += [(await posted(bus, ann, channel)).id for _ in range(7)]
    assert sorted(done) == sorted(sent)


async def test_a_burst_of_posts_leaves_no_waiter_asleep(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """As many tasks as waiters, all at once: every waiter gets one."""
    await made(bus, ann, channel)
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        waiting = [group.create_task(bus.tasks.claim(bob, channel, wait=LONG)) for _ in range(20)]
        await world.parked(20)
        sent = await asyncio.gather(*(posted(bus, ann, channel) for _ in range(20)))
    got = [w.result() for w in waiting]
    assert sorted(c.id for c in got if c) == sorted(m.id for m in sent)


async def test_who_left_gets_nothing(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A caller that went away is not in line any more: what comes then is for the next."""
    await made(bus, ann, channel)
    for _ in range(10):
        waiting = asyncio.ensure_future(bus.tasks.claim(bob, channel, wait=LONG))
        await world.parked()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(SOON):
            while world.engine.bell.waiting():  # noqa: ASYNC110 - leaving tells no event
                await asyncio.sleep(0.002)
        message = await posted(bus, ann, channel)
        claim = await claimed(bus, ann, channel)
        assert (claim.id, claim.delivery) == (message.id, 1)


async def test_a_cancelled_wait_leaves_nothing_claimed(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Whatever moment a caller leaves at, its task is there for the next, uncounted. Over HTTP, one whose answer was on
    the network already has reached nobody: its lease brings it back.
    """
    await made(bus, ann, channel)
    on_the_network = 0
    for number in range(50):
        waiting = asyncio.ensure_future(bus.tasks.claim(bob, channel, wait=LONG))
        await world.parked()
        posting = asyncio.ensure_future(posted(bus, ann, channel))
        for _ in range(number % 25):
            await asyncio.sleep(0)  # leave a little later each time, in turns of the loop
        waiting.cancel()
        message = await posting
        [left] = await asyncio.gather(waiting, return_exceptions=True)
        kept = left if isinstance(left, Claim) else await bus.tasks.claim(ann, channel, wait=timedelta(seconds=1))
        if kept is None and world.name.endswith("-http"):
            on_the_network += 1
            hold = (await bus.messages.get(ann, message.id)).hold
            assert hold is not None
            assert hold.actor == bob.label
            await world.expire(message.id)
            kept = await claimed(bus, ann, channel)
        assert kept is not None
        assert kept.id == message.id
        await bus.tasks.ack(bob if kept is left else ann, kept.id, claim_token=kept.claim_token)
    counts = await bus.channels.counts(ann, channel)
    assert (counts.waiting, counts.in_flight, counts.dead, counts.done) == (0, 0, 0, 50)
    assert on_the_network < 25


async def test_draining_ends_every_wait(world: World, channel: str) -> None:
    """A process that stops answers whoever waits as if their time were up, now and from now on."""
    async with connect_engine(world.settings) as engine:
        bus = bus_over(engine)
        await _drain_ends(bus, lambda: engine.bell.waiting() >= 3, channel)


async def _drain_ends(bus: Bus, all_parked: Callable[[], bool], channel: str) -> None:
    caller = await bus.credentials.verify((await bus.credentials.issue(f"drain-{channel}")).api_key)
    message = await posted(bus, caller, channel, delay=timedelta(hours=1))
    await bus.broadcasts.broadcast(caller, f"{channel}-news", "x")

    def calls() -> list[Awaitable[Any]]:
        return [
            bus.tasks.claim(caller, channel, wait=LONG * 100),
            bus.tasks.await_result(caller, message.id, wait=LONG * 100),
            bus.messages.subscribe(caller, f"{channel}-news", since="9999999999999-0", wait=LONG * 100),
        ]

    async with asyncio.timeout(SOON):
        waiting = asyncio.gather(*calls())
        while not all_parked():  # noqa: ASYNC110 - parking tells no event
            await asyncio.sleep(0.002)
        bus.drain()
        claim, task, page = await waiting
        assert (claim, task.id, list(page.items)) == (None, message.id, [])
        claim, task, page = await asyncio.gather(*calls())
        assert (claim, task.id, list(page.items)) == (None, message.id, [])
