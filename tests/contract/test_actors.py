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


async def test_making_one_s_own_actor_again_changes_what_is_given(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Nothing given, nothing changed; another key changes nothing."""
    metadata = {"empty": [], "none": None, "large": 2**60 + 1, "deep": {"a": [{}, "/"]}, "": "ü"}
    first = await bus.actors.create(ann, channel, description="first", metadata=metadata)
    assert (first.owner_label, first.metadata, first.aliases) == (ann.label, metadata, ())
    assert first.created_at == first.updated_at
    assert await bus.actors.create(ann, f" {channel} ") == first
    assert await bus.actors.create(ann, channel, description="first", metadata=metadata) == first
    await world.passed(1)
    second = await bus.actors.create(ann, channel, description="second")
    assert (second.description, second.metadata, second.created_at) == ("second", metadata, first.created_at)
    assert second.updated_at > first.updated_at
    with pytest.raises(errors.ActorForbidden):
        await bus.actors.create(bob, channel, description="bob's")
    assert await bus.actors.get(bob, channel) == second
    cleared = await bus.actors.create(ann, channel, description="", metadata={})
    assert (cleared.description, cleared.metadata) == ("", {})


async def test_the_names_of_a_revoked_key_pass_to_its_successor(bus: Bus, bob: Caller, channel: str) -> None:
    """Who lost a key gets another of the same label and goes on under the same names; nobody else does."""
    first = await bus.credentials.verify((await bus.credentials.issue(f"label-{channel}")).api_key)
    await bus.actors.create(first, channel, description="reviews")
    await bus.webhooks.set(first, channel, "https://example.com/?token=of-the-first")
    await posted(bus, first, channel)
    await bus.credentials.revoke(first)
    with pytest.raises(errors.ActorForbidden):
        await bus.actors.create(bob, channel)
    second = await bus.credentials.verify((await bus.credentials.issue(first.label)).api_key)
    assert (await bus.actors.get(bob, second.label)).key_id == second.key_id
    claim = await claimed(bus, second, channel, actor=channel)
    assert claim.actor == channel
    actor = await bus.actors.get(bob, channel)
    assert (actor.key_id, actor.description) == (second.key_id, "reviews")
    with pytest.raises(errors.WebhookNotFound):
        await bus.webhooks.get(second, channel)
    await bus.webhooks.set(second, channel, "https://example.com/second")
    assert (await bus.webhooks.get(second, channel)).url == "https://example.com/second"


async def test_a_key_comes_with_the_actor_of_its_label(bus: Bus, ann: Caller) -> None:
    """So that claiming without a name acts under the label."""
    actor = await bus.actors.get(ann, ann.label)
    assert (actor.key_id, actor.owner_label) == (ann.key_id, ann.label)


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


async def test_an_alias_acts_as_its_actor(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Wherever an actor is named: the claim is the actor's, by whichever name it is finished."""
    name, alias = f"{channel}-a", f"{channel} alias/ü"
    await bus.actors.create(ann, name)
    aliased = await bus.actors.add_alias(ann, name, f" {alias} ")
    assert (aliased.name, aliased.aliases) == (name, (alias,))
    assert await bus.actors.get(bob, alias) == aliased == await bus.actors.create(ann, alias)
    assert (await posted(bus, ann, channel, actor=alias)).actor == name
    claim = await claimed(bus, ann, channel, actor=alias)
    assert claim.actor == name
    await bus.tasks.heartbeat(ann, claim.id, actor=alias)
    await bus.tasks.heartbeat(ann, claim.id, actor=alias, claim_token=claim.claim_token)
    with pytest.raises(errors.ActorForbidden):
        await bus.tasks.ack(bob, claim.id, actor=alias)
    await bus.tasks.ack(ann, claim.id, actor=name)
    outcome = (await bus.messages.get(ann, claim.id)).outcome
    assert outcome is not None
    assert outcome.actor == name


async def test_an_alias_of_an_alias_is_one_of_the_actor(bus: Bus, ann: Caller, channel: str) -> None:
    """Names never form a chain; repeating one changes nothing."""
    await bus.actors.create(ann, channel)
    await bus.actors.add_alias(ann, channel, f"{channel}-1")
    twice = await bus.actors.add_alias(ann, f"{channel}-1", f"{channel}-2")
    assert twice.aliases == (f"{channel}-1", f"{channel}-2")
    assert await bus.actors.add_alias(ann, f"{channel}-2", f"{channel}-1") == twice


async def test_an_alias_that_is_taken_is_refused(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """By an actor or another's alias, also of the same key; an actor's own name is no alias of it."""
    mine, other, his = (f"{channel}-{name}" for name in ("mine", "other", "his"))
    for caller, name in ((ann, mine), (ann, other), (bob, his)):
        await bus.actors.create(caller, name)
        await bus.actors.add_alias(caller, name, f"{name}-alias")
    for alias in (mine, other, his, f"{other}-alias", f"{his}-alias"):
        with pytest.raises(errors.AliasConflict):
            await bus.actors.add_alias(ann, mine, alias)
    assert (await bus.actors.get(ann, mine)).aliases == (f"{mine}-alias",)


async def test_only_the_key_of_an_actor_gives_it_another_name(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Else whoever likes could take a name away from the others."""
    with pytest.raises(errors.ActorNotFound):
        await bus.actors.add_alias(ann, channel, f"{channel}-1")
    await bus.actors.create(ann, channel)
    with pytest.raises(errors.ActorForbidden):
        await bus.actors.add_alias(bob, channel, f"{channel}-1")
    for alias in ("", "_", "a" * 201, "a\u202eb"):
        with pytest.raises(errors.InvalidInput):
            await bus.actors.add_alias(ann, channel, alias)
    with pytest.raises(errors.ActorNotFound):
        await bus.actors.get(ann, f"{channel}-1")


async def test_an_actor_has_at_most_twenty_aliases(bus: Bus, ann: Caller, channel: str) -> None:
    """The next is refused, by name of what to do."""
    await bus.actors.create(ann, channel)
    for n in range(20):
        await bus.actors.add_alias(ann, channel, f"{channel}-{n}")
    with pytest.raises(errors.InvalidInput) as refusal:
        await bus.actors.add_alias(ann, channel, f"{channel}-20")
    assert errors.code_of(refusal.value) == "too_many_aliases"
    assert len((await bus.actors.add_alias(ann, channel, f"{channel}-19")).aliases) == 20


async def test_two_actors_that_want_one_alias_at_once(
    bus: Bus, channel: str, somebody: Callable[[str], Awaitable[Caller]]
) -> None:
    """One has it; and who wants it as an actor's name is in the same race."""
    callers = [await somebody("c") for _ in range(6)]
    for n, caller in enumerate(callers):
        await bus.actors.create(caller, f"{channel}-{n}")
    answers = await asyncio.gather(
        *(bus.actors.add_alias(caller, f"{channel}-{n}", channel) for n, caller in enumerate(callers[:3])),
        *(bus.actors.create(caller, channel) for caller in callers[3:]),
        return_exceptions=True,
    )
    winners = [actor for actor in answers if not isinstance(actor, BaseException)]
    assert len(winners) == 1
    assert await bus.actors.get(callers[0], channel) == winners[0]
    assert {type(refused) for refused in answers if isinstance(refused, BaseException)} <= {
        errors.AliasConflict, errors.ActorForbidden
    }  # fmt: skip


async def test_an_actor_of_an_older_store_acts_on(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """As it was kept before actors had labels and aliases; it can have both from now on."""
    old = f'{{"key_id": "{ann.key_id}", "created_ms": 1795397564910, "description": "old", "metadata": {{"a": 1}}}}'
    await world.redis("HSET", world.keys.actors, channel, old)
    assert (await held(bus, ann, ann, channel, actor=channel)).actor == channel
    found = await bus.actors.get(ann, channel)
    assert (found.owner_label, found.metadata, found.updated_at) == (ann.key_id, {"a": 1}, found.created_at)
    assert (await bus.actors.add_alias(ann, channel, f"{channel}-1")).metadata == {"a": 1}
    assert (await bus.actors.create(ann, f"{channel}-1", metadata={"a": []})).metadata == {"a": []}
