"""Members of a channel: the owner lets in and shuts out, and what happened can be looked up."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bus import Access, Bus, Caller, Mode, errors
from bus.streams import bus_over

from .verbs import LONG, held, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_the_owner_lets_in_and_shuts_out(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """At once, and as often as one likes."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    for _ in range(2):
        with pytest.raises(errors.ChannelAccessDenied):
            await bus.channels.get(bob, channel)
        member = await bus.members.add(ann, channel, bob.key_id)
        assert (member.channel, member.key_id, member.invitation_id) == (channel, bob.key_id, None)
        assert (await bus.channels.get(bob, channel)).id == channel
        assert await bus.members.add(ann, channel, f" {bob.key_id} ") == member
        await bus.members.remove(ann, channel, bob.key_id)
        await bus.members.remove(ann, channel, bob.key_id)


async def test_the_owner_is_the_first_member(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """The others follow as they came; on an open channel too."""
    await made(bus, ann, channel)
    (owner,) = await bus.members.list(ann, channel)
    assert (owner.key_id, owner.granted_at) == (ann.key_id, (await bus.channels.get(ann, channel)).created_at)
    assert await bus.members.add(ann, channel, ann.key_id) == owner
    for caller in (eve, bob):
        await world.passed(1)  # "oldest" is told apart by milliseconds
        await bus.members.add(ann, channel, caller.key_id)
    members = await bus.members.list(ann, channel)
    assert [member.key_id for member in members] == [ann.key_id, eve.key_id, bob.key_id]


async def test_the_owner_stays_a_member(bus: Bus, ann: Caller, channel: str) -> None:
    """A channel that nobody can administer helps nobody."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    with pytest.raises(errors.CannotRemoveOwner):
        await bus.members.remove(ann, channel, ann.key_id)
    assert len(await bus.members.list(ann, channel)) == 1


async def test_only_the_owner_administers_members(bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """No member and no stranger, on a restricted channel or an open one; and nothing changes by trying."""
    for name, access in ((channel, Access.RESTRICTED), (f"{channel}-open", Access.OPEN)):
        await made(bus, ann, name, access=access)
        await bus.members.add(ann, name, bob.key_id)
        for caller in (bob, eve):
            for verb in (
                bus.members.list(caller, name), bus.members.add(caller, name, eve.key_id), bus.members.events(caller, name),
                bus.members.remove(caller, name, bob.key_id), bus.members.remove(caller, name, ann.key_id),
            ):  # fmt: skip
                with pytest.raises(errors.Forbidden):
                    await verb
        assert {member.key_id for member in await bus.members.list(ann, name)} == {ann.key_id, bob.key_id}
        assert [event.event_type for event in (await bus.members.events(ann, name)).items] == ["member_added"]


async def test_where_there_is_no_channel_there_are_no_members(bus: Bus, ann: Caller, channel: str) -> None:
    """By every verb."""
    for verb in (
        bus.members.list(ann, channel), bus.members.add(ann, channel, "bck_x"), bus.members.remove(ann, channel, "bck_x"),
        bus.members.events(ann, channel),
    ):  # fmt: skip
        with pytest.raises(errors.ChannelNotFound):
            await verb


@pytest.mark.parametrize(
    ("key_id", "code"),
    [
        ("", "invalid_string"), (" ", "invalid_string"), ("bck_x y", "invalid_key_id"), ("bck_ü", "invalid_key_id"),
        ("bck/x", "invalid_key_id"),
        ("bck_x\u200b", "invalid_key_id"), ("b" * 201, "invalid_key_id"), ("bck_x.secret", "invalid_key_id"),
    ],
)  # fmt: skip
async def test_what_is_no_key_s_id_is_refused(bus: Bus, ann: Caller, channel: str, key_id: str, code: str) -> None:
    """A whole key above all: it would be kept where others read it."""
    await made(bus, ann, channel)
    with pytest.raises(errors.InvalidInput) as refusal:
        await bus.members.add(ann, channel, key_id)
    assert (errors.code_of(refusal.value), refusal.value.details["field"]) == (code, "key_id")
    assert "secret" not in refusal.value.message


async def test_each_change_is_an_event(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Who did what to whom, oldest first; what changes nothing is none."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    for _ in range(2):
        await bus.members.add(ann, channel, bob.key_id)
    for _ in range(2):
        await bus.members.remove(ann, channel, bob.key_id)
    asked = await bus.access.request_access(bob, channel)
    await bus.access.approve_access_request(ann, channel, asked.request_id or "")
    events = (await bus.members.events(ann, channel)).items
    assert [event.event_type for event in events] == ["member_added", "member_removed", "member_added"]
    assert {(e.channel, e.actor_key_id, e.subject_key_id, e.invitation_id) for e in events} == {
        (channel, ann.key_id, bob.key_id, None)
    }
    assert all(event.expires_at - event.created_at == timedelta(days=1) for event in events)
    assert len({event.id for event in events}) == 3


async def test_events_are_read_page_by_page(bus: Bus, ann: Caller, channel: str) -> None:
    """On from the cursor, nothing twice and nothing left out; an empty page repeats the cursor."""
    await made(bus, ann, channel)
    assert (await bus.members.events(ann, channel)).next_cursor is None
    for n in range(5):
        await bus.members.add(ann, channel, f"bck_{n}")
    seen: list[str | None] = []
    cursor = "0"
    while page := (await bus.members.events(ann, channel, since=cursor, limit=2)).items:
        seen += [event.subject_key_id for event in page]
        cursor = (await bus.members.events(ann, channel, since=cursor, limit=2)).next_cursor or ""
    assert seen == [f"bck_{n}" for n in range(5)]
    last = await bus.members.events(ann, channel, since=cursor)
    assert (list(last.items), last.next_cursor) == ([], cursor)
    moment = (await bus.members.events(ann, channel)).items[-1].created_at + timedelta(milliseconds=1)
    assert not (await bus.members.events(ann, channel, since=moment.isoformat())).items
    for limit in (0, 101):
        with pytest.raises(errors.InvalidInput):
            await bus.members.events(ann, channel, limit=limit)
    with pytest.raises(errors.InvalidInput):
        await bus.members.events(ann, channel, since="yesterday")


async def test_events_of_the_day_before_are_not_shown(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """They live 24 h, by the store's clock."""
    await made(bus, ann, channel)
    now = int((await world.redis("TIME"))[0]) * 1000
    events = world.keys.events(channel)
    for minutes in (-1, 1):
        stream_id = f"{now - 86_400_000 + minutes * 60_000}-0"
        await world.redis("XADD", events, stream_id, "event", "member_added", "by", ann.key_id, "subject", f"bck_{minutes}")
    await bus.members.add(ann, channel, "bck_now")
    for since in (None, "0"):
        found = (await bus.members.events(ann, channel, since=since)).items
        assert [event.subject_key_id for event in found] == ["bck_1", "bck_now"]
    assert 0 < await world.redis("PTTL", events) <= 86_400_000


async def test_a_channel_has_only_so_many_members(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """By whichever way in; who is one already is still welcome."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    asked = await bus.access.request_access(bob, channel)
    invitation = await bus.invitations.create(ann, channel)
    members = [part for n in range(10_000) for part in (f"bck_{n}", '{"at":1,"by":"x","via":""}')]
    await world.redis("HSET", world.keys.members(channel), *members)
    for verb in (
        bus.members.add(ann, channel, bob.key_id), bus.invitations.accept(bob, invitation.id),
        bus.access.approve_access_request(ann, channel, asked.request_id or ""),
    ):  # fmt: skip
        with pytest.raises(errors.InvalidInput) as refusal:
            await verb
        assert errors.code_of(refusal.value) == "too_many_members"
    assert (await bus.members.add(ann, channel, "bck_7")).key_id == "bck_7"
    await bus.members.remove(ann, channel, "bck_7")
    assert (await bus.access.approve_access_request(ann, channel, asked.request_id or "")).status == "approved"


async def test_who_is_shut_out_may_finish_what_it_holds(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Its work is not lost; it gets no more."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    await bus.members.add(ann, channel, bob.key_id)
    claim = await held(bus, ann, bob, channel)
    await posted(bus, ann, channel)
    await bus.members.remove(ann, channel, bob.key_id)
    await bus.tasks.heartbeat(bob, claim.id, claim_token=claim.claim_token)
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="done")
    assert (await bus.tasks.await_result(ann, claim.id)).outcome is not None
    for verb in (bus.tasks.claim(bob, channel), bus.messages.subscribe(bob, channel), bus.messages.get(bob, claim.id)):
        with pytest.raises(errors.ChannelAccessDenied):
            await verb


async def test_who_is_shut_out_while_it_waits_gets_nothing(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Neither a task, nor news, nor a result: each wait ends, from whichever process it was shut out."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    await made(bus, ann, f"{channel}-news", mode=Mode.BROADCAST, access=Access.RESTRICTED)
    for name in (channel, f"{channel}-news"):
        await bus.members.add(ann, name, bob.key_id)
    claim = await held(bus, bob, ann, channel)
    for name, look in (
        (channel, bus.tasks.claim(bob, channel, wait=LONG)),
        (f"{channel}-news", bus.messages.subscribe(bob, f"{channel}-news", since="0", wait=LONG)),
        (channel, bus.tasks.await_result(bob, claim.id, wait=LONG)),
    ):
        await bus.members.add(ann, name, bob.key_id)
        async with asyncio.timeout(LONG.total_seconds() / 2), asyncio.TaskGroup() as group:
            waiting = group.create_task(_denied(look))
            await world.parked()
            await bus_over(world.other).members.remove(ann, name, bob.key_id)
        assert waiting.result()


async def test_a_waiter_that_was_shut_out_stands_in_nobody_s_way(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """The task that woke it goes to the next in line at once."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    await bus.members.add(ann, channel, bob.key_id)
    async with asyncio.timeout(LONG.total_seconds()), asyncio.TaskGroup() as group:
        first = group.create_task(_denied(bus.tasks.claim(bob, channel, wait=2 * LONG)))
        await world.parked()
        second = group.create_task(bus.tasks.claim(ann, channel, wait=2 * LONG))
        await world.parked(2)
        # By hand, so that only the post wakes anybody.
        await world.redis("HDEL", world.keys.members(channel), bob.key_id)
        await posted(bus, ann, channel)
    assert first.result()
    assert second.result() is not None


async def _denied(verb: object) -> bool:
    try:
        await verb  # type: ignore[misc]  # any coroutine of the bus
    except errors.ChannelAccessDenied:
        return True
    return False
