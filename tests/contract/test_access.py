"""Restricted channels: closed to who is no member, by every verb; open to who was let in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bus import Access, Bus, Caller, Mode, errors

from .verbs import claimed, drained, held, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def _let_in(bus: Bus, owner: Caller, who: Caller, channel: str) -> None:
    asked = await bus.access.request_access(who, channel, reason="to help")
    assert asked.request_id is not None
    await bus.access.approve_access_request(owner, channel, asked.request_id)


async def test_a_restricted_channel_is_closed_to_others_by_every_verb(
    bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Not read, not written, not claimed, not counted; what is in flight there is not theirs either."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    await _let_in(bus, ann, bob, channel)
    task = await held(bus, ann, bob, channel)
    waiting = await posted(bus, ann, channel)
    for verb in (
        bus.channels.get(eve, channel), bus.channels.counts(eve, channel), bus.messages.post(eve, channel, "x"),
        bus.messages.subscribe(eve, channel), bus.messages.subscribe(eve, channel, since="0"), bus.messages.get(eve, task.id),
        bus.tasks.post(eve, channel, "x"), bus.tasks.claim(eve, channel), bus.tasks.claim_message(eve, waiting.id),
        bus.tasks.cancel(eve, waiting.id), bus.tasks.await_result(eve, task.id), bus.tasks.dead_letters(eve, channel),
        bus.tasks.redrive(eve, channel, [waiting.id]),
    ):  # fmt: skip
        with pytest.raises(errors.ChannelAccessDenied):
            await verb
    for verb in (bus.tasks.ack, bus.tasks.heartbeat, bus.tasks.release, bus.tasks.fail):
        for message_id in (task.id, waiting.id):
            with pytest.raises(errors.ChannelAccessDenied):
                await verb(eve, message_id)
    await bus.tasks.ack(bob, task.id, claim_token=task.claim_token)
    assert await drained(bus, bob, channel) == ["do it"]


async def test_a_restricted_broadcast_channel_is_closed_to_others(
    bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """News too, and receipts."""
    await made(bus, ann, channel, access=Access.RESTRICTED, mode=Mode.BROADCAST)
    message = (await bus.broadcasts.broadcast(ann, channel, "x")).message
    for verb in (
        bus.broadcasts.broadcast(eve, channel, "x"), bus.broadcasts.mark_read(eve, message.id),
        bus.messages.get(eve, message.id),
        bus.messages.subscribe(eve, channel), bus.messages.subscribe(eve, channel, actor=eve.label),
    ):  # fmt: skip
        with pytest.raises(errors.ChannelAccessDenied):
            await verb
    await _let_in(bus, ann, bob, channel)
    assert [m.content for m in (await bus.messages.subscribe(bob, channel)).items] == ["x"]
    assert [r.actor for r in (await bus.broadcasts.mark_read(bob, message.id)).message.receipts] == [bob.label]


async def test_a_member_may_do_what_anyone_may_on_an_open_channel(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Once approved, at once."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    with pytest.raises(errors.ChannelAccessDenied):
        await bus.tasks.claim(bob, channel)
    await _let_in(bus, ann, bob, channel)
    await posted(bus, bob, channel)
    assert (await claimed(bus, bob, channel)).content == "do it"
    assert (await bus.access.request_access(bob, channel)).status == "already_member"


async def test_a_request_waits_for_the_owner(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Asked twice it is one request; the owner sees them oldest first, with label and reason."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    first = await bus.access.request_access(bob, channel, reason="to help")
    again = await bus.access.request_access(bob, channel, reason="please")
    await world.passed(1)  # "oldest" is told apart by milliseconds
    other = await bus.access.request_access(eve, channel)
    assert (first.status, again) == ("pending", first)
    requests = await bus.access.list_access_requests(ann, channel)
    assert [(r.id, r.key_id, r.label, r.reason, r.status) for r in requests] == [
        (first.request_id, bob.key_id, bob.label, "to help", "pending"),
        (other.request_id, eve.key_id, eve.label, "", "pending"),
    ]


async def test_only_the_owner_lets_in(bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """Neither who asks nor who is a member; and nothing changes by trying."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    await _let_in(bus, ann, bob, channel)
    asked = await bus.access.request_access(eve, channel)
    assert asked.request_id is not None
    for caller in (bob, eve):
        with pytest.raises(errors.Forbidden):
            await bus.access.list_access_requests(caller, channel)
        for verb in (bus.access.approve_access_request, bus.access.deny_access_request):
            with pytest.raises(errors.Forbidden):
                await verb(caller, channel, asked.request_id)
    assert [r.id for r in await bus.access.list_access_requests(ann, channel)] == [asked.request_id]


async def test_a_request_is_resolved_once(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """After a denial one may ask again, and that is another request."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    first = await bus.access.request_access(bob, channel)
    assert first.request_id is not None
    denied = await bus.access.deny_access_request(ann, channel, first.request_id)
    assert (denied.status, denied.key_id) == ("denied", bob.key_id)
    for verb in (bus.access.approve_access_request, bus.access.deny_access_request):
        with pytest.raises(errors.AccessRequestResolved):
            await verb(ann, channel, first.request_id)
        with pytest.raises(errors.AccessRequestNotFound):
            await verb(ann, channel, "no-such-request")
    with pytest.raises(errors.ChannelAccessDenied):
        await bus.channels.get(bob, channel)
    second = await bus.access.request_access(bob, channel)
    assert second.request_id not in (None, first.request_id)
    assert (await bus.access.approve_access_request(ann, channel, second.request_id or "")).status == "approved"
    assert (await bus.channels.get(bob, channel)).id == channel
    assert not await bus.access.list_access_requests(ann, channel)


async def test_an_open_channel_needs_no_request(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """It says so; a channel that is not there is not found."""
    await made(bus, ann, channel)
    assert (await bus.access.request_access(bob, channel)).status == "open"
    with pytest.raises(errors.ChannelNotFound):
        await bus.access.request_access(bob, f"{channel}-none")


async def test_one_key_has_one_request_however_often_it_asks_at_once(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Each answer names it; the owner sees one."""
    await made(bus, ann, channel, access=Access.RESTRICTED, discoverable=False)
    answers = await asyncio.gather(*(bus.access.request_access(bob, channel) for _ in range(8)))
    assert len({answer.request_id for answer in answers}) == 1
    assert [r.id for r in await bus.access.list_access_requests(ann, channel)] == [answers[0].request_id]


async def test_a_request_is_resolved_once_by_many_at_once(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """One verdict holds, and the membership agrees with it."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    asked = (await bus.access.request_access(bob, channel)).request_id or ""
    verbs = [verb(ann, channel, asked) for verb in (bus.access.approve_access_request, bus.access.deny_access_request) * 3]
    answers = await asyncio.gather(*verbs, return_exceptions=True)
    (verdict,) = [answer.status for answer in answers if not isinstance(answer, BaseException)]
    assert sum(isinstance(answer, errors.AccessRequestResolved) for answer in answers) == 5
    assert (bob.key_id in {m.key_id for m in await bus.members.list(ann, channel)}) == (verdict == "approved")


async def test_an_alias_names_the_channel_to_enter(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Asking, listing, approving, and whatever concerns members."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    alias = (await bus.channels.add_alias(ann, channel, f"{channel}-alias")).aliases[0]
    asked = (await bus.access.request_access(bob, alias)).request_id or ""
    assert [r.channel for r in await bus.access.list_access_requests(ann, alias)] == [channel]
    assert (await bus.access.approve_access_request(ann, alias, asked)).channel == channel
    assert {m.channel for m in await bus.members.list(ann, alias)} == {channel}
    assert (await bus.invitations.create(ann, alias)).channel.id == channel


async def test_only_so_many_wait_to_be_let_in(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Beyond, one is told so; what was decided makes room, and what is pending stays."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    mine = await bus.access.request_access(bob, channel)
    pending = '{"id":"x","key_id":"x","label":"x","reason":"","status":"pending","at":1}'
    key = world.keys.requests(channel)
    await world.redis("HSET", key, *(part for n in range(999) for part in (f"bck_{n}", pending)))
    with pytest.raises(errors.InvalidInput) as refusal:
        await bus.access.request_access(eve, channel)
    assert errors.code_of(refusal.value) == "too_many_access_requests"
    assert await bus.access.request_access(bob, channel) == mine
    await world.redis("HSET", key, "bck_7", pending.replace('"pending"', '"denied"'))
    assert (await bus.access.request_access(eve, channel)).status == "pending"
    assert await world.redis("HLEN", key) == 1000
    assert len(await bus.access.list_access_requests(ann, channel)) == 1000


async def test_verbs_of_the_owner_need_the_scope_to_manage(
    bus: Bus, ann: Caller, bob: Caller, somebody: Callable[[str], Awaitable[Caller]], channel: str
) -> None:
    """An owner whose key was narrowed lets nobody in, shuts nobody out and reads no list."""
    owner = await somebody("owner")
    await made(bus, owner, channel, access=Access.RESTRICTED)
    asked = (await bus.access.request_access(bob, channel)).request_id or ""
    invitation = await bus.invitations.create(owner, channel)
    narrow = await bus.credentials.set_scopes(owner, ["channels:read", "messages:read"])
    for verb in (
        bus.access.list_access_requests(narrow, channel), bus.access.approve_access_request(narrow, channel, asked),
        bus.access.deny_access_request(narrow, channel, asked), bus.members.list(narrow, channel),
        bus.members.add(narrow, channel, bob.key_id), bus.members.remove(narrow, channel, bob.key_id),
        bus.members.events(narrow, channel), bus.invitations.create(narrow, channel),
        bus.invitations.revoke(narrow, invitation.id),
    ):  # fmt: skip
        with pytest.raises(errors.InsufficientScope):
            await verb
    assert (await bus.invitations.get(bob, invitation.id)).active
