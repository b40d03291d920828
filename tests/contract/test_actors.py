"""Actors: a name belongs to the first API key that used it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bus import Bus, Caller, errors

from .verbs import claimed, held, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_a_name_is_its_first_user_s(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """By being made, by claiming, or by signing a post: no other key acts under it."""
    names = [f"{channel}-{n}" for n in range(3)]
    actor = await bus.actors.create(ann, names[0], description="reviews", metadata={"gpu": 1})
    assert (actor.name, actor.key_id, actor.description, actor.metadata) == (names[0], ann.key_id, "reviews", {"gpu": 1})
    await posted(bus, ann, channel, actor=names[1])
    await claimed(bus, ann, channel, actor=names[2])
    for name in names:
        assert (await bus.actors.get(bob, name)).key_id == ann.key_id
        for verb in (
            bus.actors.create(bob, name), bus.tasks.claim(bob, channel, actor=name),
            bus.tasks.post(bob, channel, "x", actor=name),
            bus.tasks.claim_message(bob, f"{channel}:1-1", actor=name), bus.tasks.ack(bob, f"{channel}:1-1", actor=name),
        ):  # fmt: skip
            with pytest.raises(errors.ActorForbidden):
                await verb


async def test_making_one_s_own_actor_again_returns_it(bus: Bus, ann: Caller, channel: str) -> None:
    """As it was made first."""
    first = await bus.actors.create(ann, channel, description="first")
    assert await bus.actors.create(ann, f" {channel} ", description="second") == first
    assert await bus.actors.get(ann, channel) == first


async def test_a_key_comes_with_the_actor_of_its_label(bus: Bus, ann: Caller) -> None:
    """So that claiming without a name acts under the label."""
    assert (await bus.actors.get(ann, ann.label)).key_id == ann.key_id


async def test_an_unknown_actor_is_not_found(bus: Bus, ann: Caller, channel: str) -> None:
    """Looking for one does not make it."""
    for _ in range(2):
        with pytest.raises(errors.ActorNotFound):
            await bus.actors.get(ann, channel)


async def test_two_keys_that_ask_for_a_name_at_once_get_one_owner(
    bus: Bus, channel: str, somebody: Callable[[str], Awaitable[Caller]]
) -> None:
    """One of them has it, and everybody agrees on who."""
    callers = [await somebody("c") for _ in range(6)]
    answers = await asyncio.gather(*(bus.actors.create(c, channel) for c in callers), return_exceptions=True)
    owners = [a.key_id for a in answers if not isinstance(a, BaseException)]
    assert len(owners) == 1
    assert sum(isinstance(a, errors.ActorForbidden) for a in answers) == 5
    assert (await bus.actors.get(callers[0], channel)).key_id == owners[0]


async def test_a_holder_s_name_is_of_no_use_to_another_key(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """A claim token names actor and delivery: shown by another key it is refused."""
    claim = await held(bus, ann, bob, channel)
    for verb in (bus.tasks.ack, bus.tasks.heartbeat, bus.tasks.release, bus.tasks.fail):
        with pytest.raises(errors.ActorForbidden):
            await verb(eve, claim.id, claim_token=claim.claim_token)
    hold = (await bus.messages.get(ann, claim.id)).hold
    assert hold is not None
    assert hold.key_id == bob.key_id
