"""Leases: one holder at a time, handed on when it goes quiet, fenced against who comes late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bus import Bus, Caller, State, errors

from .verbs import claimed, held, made, posted, state
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_a_held_task_is_given_to_nobody_else(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """One holder, not even a second session of the same key and actor."""
    claim = await held(bus, ann, bob, channel)
    assert await bus.tasks.claim(ann, channel) is None
    assert await bus.tasks.claim(bob, channel) is None
    with pytest.raises(errors.AlreadyClaimed) as refused:
        await bus.tasks.claim_message(ann, claim.id)
    assert refused.value.details["holder"] == bob.label
    assert refused.value.details["lease_expires_at"]


async def test_an_expired_lease_passes_to_the_next_actor(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """At least once: a task its holder abandoned is delivered again, and only its new holder may finish it."""
    first = await held(bus, ann, bob, channel)
    await world.expire(first.id)
    second = await claimed(bus, eve, channel)
    assert (first.delivery, second.delivery, second.id) == (1, 2, first.id)
    with pytest.raises(errors.LeaseLost):
        await bus.tasks.ack(bob, first.id, claim_token=first.claim_token, result="late")
    assert await state(bus, ann, first.id) is State.IN_FLIGHT
    await bus.tasks.ack(eve, second.id, claim_token=second.claim_token, result="mine")
    ended = await bus.tasks.await_result(ann, first.id)
    assert ended.outcome is not None
    assert (ended.outcome.result, ended.outcome.actor, ended.outcome.delivery) == ("mine", eve.label, 2)


async def test_a_late_ack_is_accepted_while_nobody_else_took_the_task(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Work that was done is not thrown away because of the clock alone."""
    claim = await held(bus, ann, bob, channel)
    await world.expire(claim.id)
    assert await state(bus, ann, claim.id) is State.WAITING
    assert (await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)).message.state is State.DONE


async def test_a_late_heartbeat_gets_the_lease_back(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Who is late but alive keeps a task that nobody else took."""
    claim = await held(bus, ann, bob, channel)
    await world.expire(claim.id)
    renewed = await bus.tasks.heartbeat(bob, claim.id, claim_token=claim.claim_token)
    assert (renewed.delivery, renewed.claim_token) == (1, claim.claim_token)
    assert await bus.tasks.claim(ann, channel) is None


async def test_a_heartbeat_renews_the_lease_for_as_long_as_asked(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The new end counts from now; without a length it is the channel's."""
    await made(bus, ann, channel, lease=timedelta(seconds=60))
    claim = await held(bus, ann, bob, channel)
    longer = await bus.tasks.heartbeat(bob, claim.id, claim_token=claim.claim_token, lease=timedelta(seconds=600))
    assert timedelta(seconds=530) < longer.lease_expires_at - claim.lease_expires_at < timedelta(seconds=560)
    shorter = await bus.tasks.heartbeat(bob, claim.id, claim_token=claim.claim_token)
    assert timedelta(0) <= shorter.lease_expires_at - claim.lease_expires_at < timedelta(seconds=20)


async def test_a_claim_lasts_as_long_as_it_asks(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """`lease` of the claim, else the channel's; both kinds of claim."""
    await made(bus, ann, channel, lease=timedelta(seconds=60))
    ids = [(await posted(bus, ann, channel)).id for _ in range(3)]
    own = await claimed(bus, bob, channel)
    asked = await claimed(bus, bob, channel, lease=timedelta(seconds=3000))
    given = await bus.tasks.claim_message(bob, ids[2], lease=timedelta(seconds=3000))
    for claim, seconds in ((own, 60), (asked, 3000), (given, 3000)):
        assert claim.message.hold is not None
        assert claim.lease_expires_at - claim.message.hold.claimed_at == timedelta(seconds=seconds)


async def test_a_stale_token_of_the_same_actor_is_refused(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """The fence is the delivery, not the name: two sessions under one name do not finish each other's work."""
    first = await held(bus, ann, bob, channel)
    await world.expire(first.id)
    second = await claimed(bus, bob, channel)
    assert second.claim_token != first.claim_token
    for verb in (bus.tasks.ack, bus.tasks.release, bus.tasks.fail, bus.tasks.heartbeat):
        with pytest.raises(errors.LeaseLost):
            await verb(bob, first.id, claim_token=first.claim_token)
    assert (await bus.tasks.ack(bob, second.id, claim_token=second.claim_token)).message.state is State.DONE


async def test_a_client_without_tokens_means_what_its_actor_holds_now(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Naming the actor is enough, whoever keeps no token."""
    claim = await held(bus, ann, bob, channel, actor=f"{bob.label}-2")
    assert (await bus.tasks.heartbeat(bob, claim.id, actor=f"{bob.label}-2")).delivery == 1
    with pytest.raises(errors.NotClaimed):
        await bus.tasks.ack(bob, claim.id)
    assert (await bus.tasks.ack(bob, claim.id, actor=f"{bob.label}-2")).message.state is State.DONE


async def test_whoever_never_held_a_task_cannot_act_on_it(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Held by another, or waiting: it is `not_claimed`, and nothing changes."""
    claim = await held(bus, ann, bob, channel)
    waiting = await posted(bus, ann, channel)
    for verb in (bus.tasks.ack, bus.tasks.release, bus.tasks.fail, bus.tasks.heartbeat):
        for message_id in (claim.id, waiting.id):
            with pytest.raises(errors.NotClaimed):
                await verb(ann, message_id)
    assert (await bus.tasks.heartbeat(bob, claim.id)).delivery == 1
    assert await state(bus, ann, waiting.id) is State.WAITING


async def test_claiming_a_held_task_again_gives_the_same_claim(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A repeated claim of one task by its holder is an answer, not a second delivery."""
    message = await posted(bus, ann, channel)
    first = await bus.tasks.claim_message(bob, message.id)
    second = await bus.tasks.claim_message(bob, message.id)
    assert (second.claim_token, second.delivery, second.lease_expires_at) == (
        first.claim_token, first.delivery, first.lease_expires_at,
    )  # fmt: skip
