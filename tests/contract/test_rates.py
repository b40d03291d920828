"""Rate limits: of API keys and of source addresses, kept in the store."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from bus import Bus, Caller, Settings, errors
from bus.models import Allowance
from bus.models.callers import NO_LIMIT
from bus.streams import bus_over, connect_engine
from bus.streams.rates import Rates
from tests.servers import server

from .worlds import Replica, World

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


def key_of(caller: Caller) -> str:
    assert caller.api_key
    return caller.api_key


async def admitted(bus: Bus, caller: Caller) -> Allowance:
    return (await bus.credentials.admit(key_of(caller)))[1]


async def pass_time(world: World, redis_key: str, milliseconds: int) -> None:
    """As if so much time had passed since the last call under this limit."""
    until = int(await world.redis("GET", redis_key))
    await world.redis("SET", redis_key, until - milliseconds * 1000, "PX", 60_000)


async def test_a_key_gets_its_limit_at_once_and_then_an_even_pace(world: World, replica: Replica, ann: Caller) -> None:
    """GCRA: five at once, then one each twelve seconds; the answer says when, exactly enough to wait for it."""
    async with replica(rate_limit=5, rate_limit_window=60) as bus:
        left = [(await admitted(bus, ann)).remaining for _ in range(5)]
        assert left == [4, 3, 2, 1, 0]
        over = await admitted(bus, ann)
        assert (over.limit, over.window, over.remaining) == (5, MINUTE, 0)
        assert timedelta(seconds=11) < over.retry_after <= timedelta(seconds=12)
        await pass_time(world, world.keys.rate(ann.key_id), 12_000)
        assert (await admitted(bus, ann)).retry_after == timedelta(0)
        assert (await admitted(bus, ann)).retry_after > timedelta(seconds=11)


async def test_a_refused_call_does_not_count(world: World, replica: Replica, ann: Caller) -> None:
    """Whoever keeps asking is let through when its time has come, not later."""
    async with replica(rate_limit=1, rate_limit_window=60) as bus:
        await admitted(bus, ann)
        before = await world.redis("GET", world.keys.rate(ann.key_id))
        refused = [await admitted(bus, ann) for _ in range(10)]
        assert all(each.retry_after for each in refused)
        assert await world.redis("GET", world.keys.rate(ann.key_id)) == before


async def test_a_limit_holds_over_replicas_and_restarts(replica: Replica, ann: Caller) -> None:
    """It is in the store: neither a second server nor a new one gives anything on top."""
    limits = {"rate_limit": 4, "rate_limit_window": 3600}
    async with replica(**limits) as one, replica(**limits) as other:
        assert [(await admitted(bus, ann)).remaining for bus in (one, other, one, other)] == [3, 2, 1, 0]
        assert (await admitted(one, ann)).retry_after
        assert (await admitted(other, ann)).retry_after
    async with replica(**limits) as restarted:
        assert (await admitted(restarted, ann)).retry_after


async def test_calls_at_the_same_moment_do_not_slip_through(replica: Replica, ann: Caller) -> None:
    """Two dozen calls over two connections: exactly as many as the limit are let through."""
    async with replica(rate_limit=7, rate_limit_window=3600) as one, replica(rate_limit=7, rate_limit_window=3600) as other:
        found = await asyncio.gather(*(admitted((one, other)[n % 2], ann) for n in range(24)))
    assert sorted(each.remaining for each in found if not each.retry_after) == list(range(7))


async def test_a_wrong_secret_burns_nothing(world: World, replica: Replica, ann: Caller) -> None:
    """Nobody without the key can use up the allowance of the one who has it."""
    async with replica(rate_limit=2, rate_limit_window=3600) as bus:
        for secret in ("x" * 32, "", key_of(ann).partition(".")[2] + "x"):
            with pytest.raises(errors.Unauthorized):
                await bus.credentials.admit(f"{ann.key_id}.{secret}")
        assert await world.redis("EXISTS", world.keys.rate(ann.key_id)) == 0
        assert (await admitted(bus, ann)).remaining == 1


async def test_a_revoked_key_is_unauthorized_before_it_is_over_its_limit(replica: Replica, ann: Caller) -> None:
    """Who is told to wait may expect that waiting helps."""
    async with replica(rate_limit=1, rate_limit_window=3600) as bus:
        await admitted(bus, ann)
        await bus.credentials.revoke(ann)
        with pytest.raises(errors.Unauthorized):
            await bus.credentials.admit(key_of(ann))


async def test_one_key_s_calls_are_not_another_s(replica: Replica, ann: Caller, bob: Caller) -> None:
    """The limit is each key's own."""
    async with replica(rate_limit=1, rate_limit_window=3600) as bus:
        assert (await admitted(bus, ann)).remaining == 0
        assert (await admitted(bus, bob)).retry_after == timedelta(0)


async def test_without_a_limit_nothing_is_counted(world: World, replica: Replica, ann: Caller) -> None:
    """0 turns it off, and costs no write."""
    async with replica(rate_limit=0) as bus:
        assert await admitted(bus, ann) == Allowance(0, MINUTE, NO_LIMIT)
        assert await bus.credentials.usage(ann) == Allowance(0, MINUTE, NO_LIMIT)
    assert await world.redis("EXISTS", world.keys.rate(ann.key_id)) == 0


async def test_looking_at_the_allowance_does_not_use_it(replica: Replica, ann: Caller) -> None:
    """`usage` tells what is left, and how long it is until something is left again."""
    async with replica(rate_limit=2, rate_limit_window=60) as bus:
        await admitted(bus, ann)
        assert [(await bus.credentials.usage(ann)).remaining for _ in range(3)] == [1, 1, 1]
        await admitted(bus, ann)
        used_up = await bus.credentials.usage(ann)
        assert used_up.remaining == 0
        assert used_up.retry_after > timedelta(seconds=25)


async def test_a_limit_that_is_lowered_costs_a_window_at_most(replica: Replica, ann: Caller) -> None:
    """What was used under a wider limit is not held against the key for longer than the new one asks."""
    async with replica(rate_limit=1, rate_limit_window=86_400) as strict:
        await admitted(strict, ann)
    async with replica(rate_limit=10, rate_limit_window=60) as bus:
        assert (await admitted(bus, ann)).retry_after <= MINUTE / 10


async def test_the_state_of_a_limit_goes_away_by_itself(world: World, replica: Replica, ann: Caller) -> None:
    """Once the key is back at an even pace there is nothing to remember."""
    async with replica(rate_limit=10, rate_limit_window=60) as bus:
        await admitted(bus, ann)
        assert 0 < await world.redis("PTTL", world.keys.rate(ann.key_id)) <= 6_000


async def test_an_address_is_limited_for_each_kind_of_call(world: World) -> None:
    """What needs no API key counts by where it comes from; without an address, as in process, nothing counts."""
    rates, address = Rates(world.engine), f"192.0.2.{uuid4().int % 250}"
    what = uuid4().hex
    for _ in range(3):
        await rates.spend(what, address, 3, MINUTE)
    with pytest.raises(errors.RateLimitExceeded) as refused:
        await rates.spend(what, address, 3, MINUTE)
    assert refused.value.details["retry_after"] == 20
    assert (await rates.take(f"{what}-2", address, 3, MINUTE)).remaining == 2
    assert (await rates.take(what, "192.0.2.251", 3, MINUTE)).remaining == 2
    assert (await rates.take(what, None, 3, MINUTE)) == Allowance(0, MINUTE, NO_LIMIT)
    assert (await rates.take(what, address, 0, MINUTE)) == Allowance(0, MINUTE, NO_LIMIT)


async def test_an_ipv6_customer_is_one_address(world: World) -> None:
    """Somebody who has a /64, as everybody with IPv6 has, does not have 2^64 allowances; IPv4 is IPv4 however it is written."""
    rates, what = Rates(world.engine), uuid4().hex
    same = ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:DB8:1:2:0::3")
    assert [(await rates.take(what, address, 5, MINUTE)).remaining for address in same] == [4, 3, 2]
    assert (await rates.take(what, "2001:db8:1:3::1", 5, MINUTE)).remaining == 4
    assert [(await rates.take(what, one, 5, MINUTE)).remaining for one in ("198.51.100.7", "::ffff:198.51.100.7")] == [4, 3]


async def test_minting_is_limited_by_address(replica: Replica) -> None:
    """Counted before the label is looked at, so that nobody tries labels without end; other addresses mint on."""
    address = f"2001:db8:{uuid4().hex[:4]}:{uuid4().hex[:4]}::1"
    async with replica(key_mint_limit=3, key_mint_window=3600) as bus:
        label = f"ann-{uuid4().hex}"
        await bus.credentials.issue(label, address=address)
        with pytest.raises(errors.LabelInUse):
            await bus.credentials.issue(label, address=address)
        with pytest.raises(errors.InvalidInput):
            await bus.credentials.issue(" ", address=address)
        with pytest.raises(errors.RateLimitExceeded) as refused:
            await bus.credentials.issue(uuid4().hex, address=address)
        assert 1100 < refused.value.details["retry_after"] <= 1200
        await bus.credentials.issue(uuid4().hex, address=f"198.51.100.{uuid4().int % 250}")
        await bus.credentials.issue(uuid4().hex)


async def test_a_full_store_still_lets_calls_in(tmp_path: Path) -> None:
    """Claiming and finishing is what empties it again: so being counted must not need memory that is not there."""
    with server(tmp_path) as store:
        settings = Settings(redis_url=store.url, rate_limit=5, rate_limit_window=3600)
        async with connect_engine(settings) as engine:
            bus = bus_over(engine)
            issued = await bus.credentials.issue("ann")
            await engine.store.command("CONFIG", "SET", "maxmemory", 1)
            assert [(await bus.credentials.admit(issued.api_key))[1].remaining for _ in range(3)] == [4, 3, 2]
            with pytest.raises(errors.StoreFull):
                await bus.credentials.issue("bob")
