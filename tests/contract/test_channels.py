"""Channels: one name, one place; made once, found by whoever may see them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bus import Access, Bus, Caller, Mode, NewChannel, Settings, errors
from bus.streams import bus_over, connect_engine

from .verbs import drained, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_a_channel_is_as_it_was_made(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Every setting comes back, to its maker and to others."""
    new = NewChannel(
        name=f"  Night {channel} ", mode=Mode.CLAIMABLE, access=Access.OPEN, discoverable=False, description="what it is for",
        pinned_message="read me", ttl=timedelta(hours=2), retention=timedelta(days=3), lease=timedelta(seconds=90),
        max_deliveries=7, max_messages=55, max_writes_per_minute=66,
    )  # fmt: skip
    answer = await bus.channels.create(ann, new)
    found = await bus.channels.get(bob, new.name)
    assert answer.new
    assert answer.channel == found
    assert found == replace(
        found, id=f"night-{channel}", name=new.name.strip(), mode=new.mode, access=new.access, discoverable=False,
        description="what it is for", pinned_message="read me", ttl=new.ttl, retention=new.retention, lease=new.lease,
        max_deliveries=7, max_messages=55, max_writes_per_minute=66, owner_label=ann.label,
        owner_key_id=ann.key_id, paused=False,
    )  # fmt: skip


async def test_creating_it_again_returns_it_as_it_is(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Whoever asks and whatever else they ask for: it stays its maker's."""
    first = await bus.channels.create(ann, NewChannel(name=channel, description="first"))
    again = await bus.channels.create(bob, NewChannel(name=channel.upper(), description="second"))
    assert (again.new, again.channel) == (False, first.channel)


async def test_another_mode_or_access_is_another_channel(bus: Bus, ann: Caller, channel: str) -> None:
    """So it is refused: the name is taken."""
    await made(bus, ann, channel)
    for other in (NewChannel(name=channel, mode=Mode.BROADCAST), NewChannel(name=channel, access=Access.RESTRICTED)):
        with pytest.raises(errors.ChannelExists):
            await bus.channels.create(ann, other)
    assert (await bus.channels.get(ann, channel)).mode is Mode.CLAIMABLE


async def test_a_restricted_channel_is_not_shown_by_making_it_again(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Its settings are for its members; whoever is none learns that it must ask."""
    await made(bus, ann, channel, access=Access.RESTRICTED, pinned_message="for members")
    with pytest.raises(errors.ChannelAccessDenied):
        await bus.channels.create(bob, NewChannel(name=channel, access=Access.RESTRICTED))
    assert not (await bus.channels.create(ann, NewChannel(name=channel, access=Access.RESTRICTED))).new


@pytest.mark.parametrize(
    "name",
    [
        "Ops Alerts {}",
        "ops-alerts {}",
        " OPS \u3000 ALERTS  {}",
        "\uff2f\uff50\uff53 Alerts {}",
        "\u24de\u24df\u24e2-alerts-{}",
    ],
)
async def test_one_channel_has_many_spellings(bus: Bus, ann: Caller, channel: str, name: str) -> None:
    """Case, spaces and width make no difference, so two agents that heard the name meet."""
    await made(bus, ann, f"ops alerts {channel}")
    assert (await bus.channels.get(ann, name.format(channel))).id == f"ops-alerts-{channel}"


async def test_a_task_makes_its_channel_and_a_message_does_not(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Posting a task or news is enough to start; `Messages.post` creates only when told to."""
    with pytest.raises(errors.ChannelNotFound):
        await bus.messages.post(ann, channel, "x")
    first = await bus.messages.post(ann, channel, "x", create=True, mode=Mode.BROADCAST)
    assert first.channel_created
    assert not (await bus.broadcasts.broadcast(bob, channel, "y")).channel_created
    found = await bus.channels.get(bob, channel)
    assert (found.mode, found.access, found.owner_key_id) == (Mode.BROADCAST, Access.OPEN, ann.key_id)


async def test_a_missing_channel_names_the_nearest(bus: Bus, ann: Caller, channel: str) -> None:
    """By every verb that looks for one; hidden names are not given away."""
    await made(bus, ann, f"{channel}-alerts")
    await made(bus, ann, f"{channel}-alertz", access=Access.RESTRICTED)
    for verb in (bus.channels.get, bus.channels.counts, bus.messages.subscribe, bus.tasks.claim, bus.tasks.dead_letters):
        with pytest.raises(errors.ChannelNotFound) as missing:
            await verb(ann, f"{channel}-alert")
        assert f"{channel}-alerts" in missing.value.details["nearest"]
        assert f"{channel}-alertz" not in missing.value.details["nearest"]


async def test_a_list_shows_every_discoverable_channel_once(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Newest first, page by page, those made in one millisecond too; hidden ones not at all."""
    names = [await made(bus, ann, f"{channel}-{n}") for n in range(9)]
    await made(bus, ann, f"{channel}-hidden", discoverable=False)
    await made(bus, ann, f"{channel}-private", access=Access.RESTRICTED)
    shown = await made(bus, ann, f"{channel}-shown", access=Access.RESTRICTED, discoverable=True)
    same = await world.redis("ZSCORE", world.keys.discoverable, names[0])
    for name in names[:6]:
        await world.redis("ZADD", world.keys.discoverable, same, name)
    for limit in (1, 2, 4, 100):
        seen: list[str] = []
        cursor = None
        while True:
            page = await bus.channels.list(bob, limit=limit, cursor=cursor)
            assert len(page.items) <= limit
            seen += [each.id for each in page.items if each.id.startswith(channel)]
            cursor = page.next_cursor
            if cursor is None or len(seen) >= 30:
                break
        assert sorted(seen) == sorted([*names, shown])
        assert seen[:4] == [shown, *reversed(names[6:])]


async def test_a_list_goes_on_before_a_moment(bus: Bus, ann: Caller, channel: str) -> None:
    """A timestamp is a cursor too: what was created before it is listed, to the part of a millisecond."""
    mine = (await bus.channels.create(ann, NewChannel(name=channel))).channel
    at = mine.created_at
    for moment, there in ((at, False), (at + timedelta(microseconds=1), True), (at + timedelta(milliseconds=1), True)):
        page = await bus.channels.list(ann, limit=100, cursor=moment.isoformat())
        assert (mine.id in [each.id for each in page.items]) is there


@pytest.mark.parametrize("cursor", ["there", "\u0663.\u0664", "1." + "9" * 30, "9" * 30 + ".1", "(1", "+inf", ".", "1.1.1"])
async def test_what_is_no_cursor_of_a_list_is_refused(bus: Bus, ann: Caller, cursor: str) -> None:
    """Whatever it looks like, the store does not see it."""
    with pytest.raises(errors.InvalidInput) as caught:
        await bus.channels.list(ann, cursor=cursor)
    assert caught.value.reason_code == "invalid_cursor"


async def test_a_list_tells_membership_and_counts(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """What is in a restricted channel is for members only, also in a list."""
    await made(bus, ann, channel, access=Access.RESTRICTED, discoverable=True, description="d")
    await posted(bus, ann, channel)
    for caller, member, waiting in ((ann, True, 1), (bob, False, 0)):
        listed = {c.id: c for c in (await bus.channels.list(caller, limit=100)).items}
        summary = listed[channel]
        assert (summary.is_member, summary.counts.waiting, summary.description) == (member, waiting, "d")


async def test_a_full_channel_takes_no_more(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """`max_messages` bounds what is unfinished; nothing is stored or dropped, and finishing makes room."""
    await made(bus, ann, channel, max_messages=2)
    await posted(bus, ann, channel, "1")
    await posted(bus, ann, channel, "2", delay=timedelta(hours=1))
    before = await world.everything()
    with pytest.raises(errors.ChannelFull):
        await posted(bus, ann, channel, "3", idempotency_key="k")
    assert await world.everything() == before
    assert await drained(bus, bob, channel) == ["1"]
    await posted(bus, ann, channel, "3", idempotency_key="k")
    with pytest.raises(errors.ChannelFull):
        await posted(bus, ann, channel, "4")


async def test_a_channel_takes_no_more_writes_a_minute_than_it_allows(
    world: World, bus: Bus, ann: Caller, channel: str
) -> None:
    """The error says in how many seconds there is room; nothing was stored."""
    await made(bus, ann, channel, max_writes_per_minute=3)
    for _ in range(3):
        await posted(bus, ann, channel)
    before, pace = await world.everything(), await world.redis("GET", f"{world.keys.channel(channel)}:writes")
    with pytest.raises(errors.ChannelWriteRateExceeded) as refused:
        await posted(bus, ann, channel)
    assert 1 <= refused.value.details["retry_after"] <= 20
    assert await world.everything() == before
    assert await world.redis("GET", f"{world.keys.channel(channel)}:writes") == pace is not None


async def test_a_paused_channel_takes_no_messages_and_goes_on_handing_out(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Pausing holds what comes in, not what is there."""
    await posted(bus, ann, channel)
    await world.redis("HSET", world.keys.channel(channel), "paused", 1)
    assert (await bus.channels.get(ann, channel)).paused
    with pytest.raises(errors.ChannelPaused):
        await posted(bus, ann, channel)
    assert await drained(bus, bob, channel) == ["do it"]


async def test_two_prefixes_are_two_buses(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """On one Redis, and neither sees the other's channels, keys, actors or messages."""
    message = await posted(bus, ann, channel)
    elsewhere = Settings(**{**world.settings.model_dump(), "prefix": f"other-{channel}:"})
    async with connect_engine(elsewhere) as engine:
        other = bus_over(engine)
        stranger = await other.credentials.verify((await other.credentials.issue(ann.label)).api_key)
        with pytest.raises(errors.ChannelNotFound):
            await other.channels.get(stranger, channel)
        with pytest.raises(errors.MessageNotFound):
            await other.messages.get(stranger, message.id)
        with pytest.raises(errors.ActorNotFound):
            await other.actors.get(stranger, "nobody")
        assert not (await other.channels.list(stranger)).items
        await posted(other, stranger, channel, "theirs")
        assert await drained(bus, ann, channel) == ["do it"]
        assert await drained(other, stranger, channel) == ["theirs"]
        for key in await engine.store.command("KEYS", f"{elsewhere.prefix}*"):
            await engine.store.command("DEL", key)
