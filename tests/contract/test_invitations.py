"""Invitations: a link lets in whoever has it, until its day is over or it is taken back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from hashlib import sha256

import pytest

from bus import Access, Bus, Caller, errors
from bus.models import Invitation
from bus.streams import bus_over

from .verbs import made
from .worlds import World

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def _may_look_up(world: World) -> None:
    """Over HTTP every test comes from one address, which has a limit."""
    await world.redis("DEL", world.keys.address_rate("invitation", "127.0.0.1"))


async def _invited(bus: Bus, owner: Caller, channel: str) -> Invitation:
    await made(bus, owner, channel, access=Access.RESTRICTED, description="for reviewers")
    return await bus.invitations.create(owner, channel)


def _digest(invitation: Invitation) -> str:
    return sha256(invitation.id.encode()).hexdigest()


async def _changed(world: World, channel: str, invitation: Invitation, **fields: int) -> None:
    """Age what is kept of an invitation."""
    key, digest = f"{world.keys.channel(channel)}:invitations", _digest(invitation)
    text: str = await world.redis("HGET", key, digest)
    for field, value in fields.items():
        text = re.sub(rf'"{field}":\d+', f'"{field}":{value}', text)
    await world.redis("HSET", key, digest, text)


async def test_an_invitation_lets_in_whoever_has_it(
    bus: Bus, ann: Caller, channel: str, somebody: Callable[[str], Awaitable[Caller]]
) -> None:
    """Any number of keys, from whichever process; it says what it leads to."""
    invitation = await _invited(bus, ann, channel)
    assert re.fullmatch(r"[A-Za-z0-9_-]{24}", invitation.id)
    assert invitation.expires_at - invitation.created_at == timedelta(hours=24)
    assert (invitation.active, invitation.revoked_at, invitation.owner_label) == (True, None, ann.label)
    assert (invitation.channel.id, invitation.channel.mode, invitation.channel.description) == (
        channel, "claimable", "for reviewers"
    )  # fmt: skip
    guests = [await somebody("guest") for _ in range(3)]
    assert await asyncio.gather(*(bus.invitations.accept(guest, invitation.id) for guest in guests)) == [invitation] * 3
    for guest in guests:
        assert (await bus.channels.get(guest, channel)).id == channel


async def test_what_came_in_by_an_invitation_is_on_record(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Members and events name it by its digest: its id would let in whoever reads it."""
    invitation = await _invited(bus, ann, channel)
    await bus.invitations.accept(bob, invitation.id)
    await bus.invitations.accept(ann, invitation.id)
    await bus.invitations.revoke(ann, invitation.id)
    members = await bus.members.list(ann, channel)
    assert [(m.key_id, m.invitation_id) for m in members] == [(ann.key_id, None), (bob.key_id, _digest(invitation))]
    events = (await bus.members.events(ann, channel)).items
    assert [(e.event_type, e.actor_key_id, e.subject_key_id) for e in events] == [
        ("member_added", ann.key_id, bob.key_id),
        ("invitation_resolved", bob.key_id, bob.key_id),
        ("invitation_resolved", ann.key_id, ann.key_id),
        ("invitation_revoked", ann.key_id, None),
    ]
    assert {event.invitation_id for event in events} == {_digest(invitation)}


async def test_looking_at_an_invitation_enters_nothing(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """It shows what accepting would."""
    invitation = await _invited(bus, ann, channel)
    assert await bus.invitations.get(bob, invitation.id) == invitation
    with pytest.raises(errors.ChannelAccessDenied):
        await bus.channels.get(bob, channel)
    assert not (await bus.members.events(ann, channel)).items


async def test_an_invitation_that_was_taken_back_lets_nobody_in(
    bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """At once; who came in by it stays. Again changes nothing."""
    invitation = await _invited(bus, ann, channel)
    await bus.invitations.accept(bob, invitation.id)
    revoked = await bus.invitations.revoke(ann, invitation.id)
    assert (revoked.id, revoked.active) == (invitation.id, False)
    assert revoked.revoked_at is not None
    assert await bus.invitations.revoke(ann, invitation.id) == revoked
    for verb in (bus.invitations.accept, bus.invitations.get):
        with pytest.raises(errors.InvitationRevoked):
            await verb(eve, invitation.id)
    with pytest.raises(errors.ChannelAccessDenied):
        await bus.channels.get(eve, channel)
    assert (await bus.channels.get(bob, channel)).id == channel


async def test_an_invitation_is_good_for_a_day(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Then it says so, and an hour later it was never there."""
    invitation = await _invited(bus, ann, channel)
    await _changed(world, channel, invitation, expires=1)
    for verb in (bus.invitations.accept, bus.invitations.get):
        with pytest.raises(errors.InvitationExpired):
            await verb(bob, invitation.id)
    assert not (await bus.invitations.revoke(ann, invitation.id)).active
    index = world.keys.invitation(_digest(invitation))
    for key in (index, f"{world.keys.channel(channel)}:invitations"):
        assert 86_400_000 < await world.redis("PTTL", key) <= 90_000_000
    await world.redis("DEL", index)
    with pytest.raises(errors.InvitationNotFound):
        await bus.invitations.accept(bob, invitation.id)


async def test_only_the_owner_invites_and_takes_back(bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """No member, no guest and no stranger; on an open channel neither."""
    invitation = await _invited(bus, ann, channel)
    await bus.invitations.accept(bob, invitation.id)
    await made(bus, ann, f"{channel}-open")
    for caller in (bob, eve):
        for verb in (
            bus.invitations.create(caller, channel), bus.invitations.create(caller, f"{channel}-open"),
            bus.invitations.revoke(caller, invitation.id),
        ):  # fmt: skip
            with pytest.raises(errors.Forbidden):
                await verb
    assert await bus.invitations.accept(eve, invitation.id) == invitation
    with pytest.raises(errors.ChannelNotFound):
        await bus.invitations.create(ann, f"{channel}-none")


@pytest.mark.parametrize("guess", ["x", "A" * 24, "..", "ü" * 24, " ", "0" * 2000])
async def test_a_guess_finds_nothing(bus: Bus, ann: Caller, guess: str) -> None:
    """By every verb."""
    for verb in (bus.invitations.accept, bus.invitations.get, bus.invitations.revoke):
        with pytest.raises(errors.InvitationNotFound):
            await verb(ann, guess)


async def test_the_id_itself_is_kept_nowhere(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Who reads the store cannot enter by what stands there."""
    invitation = await _invited(bus, ann, channel)
    await bus.invitations.accept(bob, invitation.id)
    await bus.invitations.revoke(ann, invitation.id)
    everything = await world.everything()
    assert any(_digest(invitation) in key + contents for key, contents in everything.items())
    assert not [key for key, contents in everything.items() if invitation.id in key + contents]


async def test_an_invitation_ends_with_its_channel(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Also when another of that name is made."""
    invitation = await _invited(bus, ann, channel)
    await bus.channels.delete(ann, channel)
    for _ in range(2):
        with pytest.raises(errors.InvitationNotFound):
            await bus.invitations.accept(bob, invitation.id)
        await made(bus, ann, channel, access=Access.RESTRICTED)


async def test_a_channel_has_only_so_many_invitations(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """What lets nobody in any more makes room; what does, stays."""
    invitation = await _invited(bus, ann, channel)
    key = f"{world.keys.channel(channel)}:invitations"
    good = '{"by":"x","at":1,"expires":99999999999999}'
    await world.redis("HSET", key, *(part for n in range(999) for part in (f"{n}", good)))
    with pytest.raises(errors.InvalidInput) as refusal:
        await bus.invitations.create(ann, channel)
    assert errors.code_of(refusal.value) == "too_many_invitations"
    await world.redis("HSET", key, "1", '{"by":"x","at":1,"expires":2}', "2", good.replace("}", ',"revoked":5}'))
    await bus.invitations.create(ann, channel)
    assert await world.redis("HLEN", key) == 999
    assert await bus.invitations.accept(bob, invitation.id) == invitation


async def test_lookups_of_an_address_are_limited(world: World, ann: Caller) -> None:
    """Ten a minute, on whichever replica; without an address nothing is counted."""
    one, other = bus_over(world.engine), bus_over(world.other)
    address = f"198.51.100.{int(ann.key_id.encode().hex(), 16) % 250}"
    for n in range(10):
        await (one, other)[n % 2].invitations.count_lookup(address)
    for each in (one, other):
        with pytest.raises(errors.RateLimitExceeded) as refusal:
            await each.invitations.count_lookup(address)
        assert 1 <= refusal.value.details["retry_after"] <= 60
        await each.invitations.count_lookup(None)
        await each.invitations.count_lookup("192.0.2.1")


async def test_the_one_who_is_let_in_twice_at_once_is_one_member(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """By invitation, by the owner and by approval together."""
    invitation = await _invited(bus, ann, channel)
    asked = await bus.access.request_access(bob, channel)
    await asyncio.gather(
        bus.invitations.accept(bob, invitation.id), bus.members.add(ann, channel, bob.key_id),
        bus.access.approve_access_request(ann, channel, asked.request_id or ""), bus.invitations.accept(bob, invitation.id),
    )  # fmt: skip
    assert len(await bus.members.list(ann, channel)) == 2
    events = [event.event_type for event in (await bus.members.events(ann, channel)).items]
    assert sorted(events) == ["invitation_resolved", "invitation_resolved", "member_added"]
