"""The mention inbox: an actor sees where it was mentioned, without a webhook; and nobody else sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bus import Access, Bus, Caller, Mode, Settings, connect, errors
from bus.models import Mention
from bus.streams.webhooks import HandOver
from tests.receivers import receiving

from .hooks import deliver, forget_queue
from .verbs import claimed, made
from .worlds import SOON, World

pytestmark = pytest.mark.anyio
DAY_MS = 86_400_000


async def _actor(bus: Bus, caller: Caller, name: str = "reviewer") -> str:
    """A name of the caller's that nobody else has."""
    return (await bus.actors.create(caller, f"{name}-{caller.label}")).name


async def _mention(world: World, caller: Caller, channel: str, *actors: str, hand_on: bool = True) -> str:
    """A message that mentions them; its id. Nothing hands on by itself in these worlds."""
    message = (await world.bus.messages.post(caller, channel, "look", mentions=actors)).message
    if hand_on:
        await HandOver(world.other).hand_on(channel)
    return message.id


async def _inbox(bus: Bus, caller: Caller, actor: str, **options: Any) -> Sequence[Mention]:
    return (await bus.actors.mentions(caller, actor, **options)).items


@pytest.mark.parametrize("mode", list(Mode))
async def test_an_actor_sees_where_it_was_mentioned(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str, mode: Mode
) -> None:
    """Oldest first, every time, each with its channel and the time of the post; another actor sees its own."""
    await made(bus, ann, channel, mode=mode)
    one, two = await _actor(bus, bob, "one"), await _actor(bus, bob, "two")
    first = await _mention(world, ann, channel, one)
    second = await _mention(world, ann, channel, two, one)
    found = await _inbox(bus, bob, one)
    assert [(m.message_id, m.channel) for m in found] == [(first, channel), (second, channel)]
    assert [m.mentioned_at for m in found] == [(await bus.messages.get(bob, each)).posted_at for each in (first, second)]
    assert [m.message_id for m in await _inbox(bus, bob, two)] == [second]
    assert list(await _inbox(bus, bob, await _actor(bus, bob, "three"))) == []


async def test_reading_on_after_the_cursor(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Page by page without a gap or a repeat; at the end the cursor stays, and then shows only what is new."""
    await made(bus, ann, channel)
    actor = await _actor(bus, bob)
    ids = [await _mention(world, ann, channel, actor) for _ in range(5)]
    seen: list[str] = []
    since: str | None = None
    for many in (2, 2, 1, 0):
        page = await bus.actors.mentions(bob, actor, since=since, limit=2)
        assert len(page.items) == many
        assert page.next_cursor == (page.items[-1].cursor if page.items else since)
        seen += [m.message_id for m in page.items]
        since = page.next_cursor
    assert seen == ids
    newest = await _mention(world, ann, channel, actor)
    assert [m.message_id for m in await _inbox(bus, bob, actor, since=since)] == [newest]
    assert [m.message_id for m in await _inbox(bus, bob, actor, since="0")] == [*ids, newest]
    assert list(await _inbox(bus, bob, actor, since=(datetime.now(UTC) + timedelta(hours=1)).isoformat())) == []


async def test_an_empty_inbox_repeats_the_cursor(bus: Bus, bob: Caller) -> None:
    """None before anything was ever there, so that the first mention is not skipped."""
    actor = await _actor(bus, bob)
    assert (await bus.actors.mentions(bob, actor)).next_cursor is None
    assert (await bus.actors.mentions(bob, actor, since="1795361503332-0")).next_cursor == "1795361503332-0"


async def test_an_alias_stands_for_its_actor(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """In the message and in the question."""
    await made(bus, ann, channel)
    actor = await _actor(bus, bob)
    await bus.actors.add_alias(bob, actor, f"the {actor}")
    message = await _mention(world, ann, channel, f"the {actor}", actor)
    for name in (actor, f"the {actor}"):
        assert [m.message_id for m in await _inbox(bus, bob, name)] == [message]


async def test_an_inbox_is_its_owners(world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """Another API key is refused, also the one that wrote the message."""
    await made(bus, ann, channel)
    actor = await _actor(bus, bob)
    await _mention(world, ann, channel, actor)
    for other in (ann, eve):
        with pytest.raises(errors.ActorForbidden):
            await bus.actors.mentions(other, actor)


async def test_a_name_that_nobody_has_has_no_inbox(bus: Bus, bob: Caller) -> None:
    """And asking makes no actor of it."""
    nobody = f"nobody-{bob.label}"
    for _ in range(2):
        with pytest.raises(errors.ActorNotFound):
            await bus.actors.mentions(bob, nobody)
    with pytest.raises(errors.ActorNotFound):
        await bus.actors.get(bob, nobody)


async def test_a_successor_reads_the_inbox_of_the_name_it_goes_on_under(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """The names of a revoked key pass to the next one of its label, with what was said to them."""
    await made(bus, ann, channel)
    actor = await _actor(bus, bob)
    message = await _mention(world, ann, channel, actor)
    await bus.credentials.revoke(bob)
    next_one = await bus.credentials.verify((await bus.credentials.issue(bob.label)).api_key)
    assert [m.message_id for m in await _inbox(bus, next_one, actor)] == [message]


async def test_reading_is_what_it_takes(world: World, bus: Bus, bob: Caller) -> None:
    """An API key without `messages:read` sees no mentions."""
    actor = await _actor(bus, bob)
    await world.redis("HSET", world.keys.api_key(bob.key_id), "scopes", '["messages:write"]')
    narrowed = await bus.credentials.verify(bob.api_key or "")
    with pytest.raises(errors.InsufficientScope):
        await bus.actors.mentions(narrowed, actor)


@pytest.mark.parametrize(
    ("options", "code"),
    [({"limit": 0}, "invalid_limit"), ({"limit": 101}, "invalid_limit"), ({"since": "yesterday"}, "invalid_cursor")],
)
async def test_malformed_input_is_refused(bus: Bus, bob: Caller, options: Any, code: str) -> None:
    """With the field named."""
    actor = await _actor(bus, bob)
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.actors.mentions(bob, actor, **options)
    assert refused.value.reason_code == code


async def test_it_is_noted_whether_or_not_a_webhook_is_told(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """A webhook is told once a minute; the inbox has every mention."""
    await forget_queue(world)
    await made(bus, ann, channel)
    actor = await _actor(bus, bob)
    async with receiving() as receiver:
        await bus.webhooks.set(bob, actor, receiver.url("/hook"), secret="hush")
        ids = [await _mention(world, ann, channel, actor, hand_on=False) for _ in range(3)]
        assert await deliver(world, channel) == 1
    assert [m.message_id for m in await _inbox(bus, bob, actor)] == ids


async def test_a_mention_handed_on_twice_is_shown_once(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A process that ends before it takes the entry off the outbox leaves it to another, also if more came in between."""
    await made(bus, ann, channel)
    actor = await _actor(bus, bob)
    outbox = world.keys.outbox(channel)
    first = await _mention(world, ann, channel, actor, hand_on=False)
    ((_, fields),) = await world.redis("XRANGE", outbox, "-", "+")
    await HandOver(world.other).hand_on(channel)
    second = await _mention(world, ann, channel, actor)
    await world.redis("XADD", outbox, "*", *fields)
    await asyncio.gather(*(HandOver(engine).hand_on(channel) for engine in (world.engine, world.other)))
    assert [m.message_id for m in await _inbox(bus, bob, actor)] == [first, second]
    assert await world.redis("XLEN", outbox) == 0


async def test_the_newest_hundred_are_kept(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Older ones make room, and a cursor of theirs goes on with what is left."""
    await made(bus, ann, channel)
    actor = await _actor(bus, bob)
    first = await _mention(world, ann, channel, actor)
    (oldest,) = await _inbox(bus, bob, actor)
    ids = [first, *[await _mention(world, ann, channel, actor, hand_on=False) for _ in range(103)]]
    await HandOver(world.other).hand_on(channel)
    assert [m.message_id for m in await _inbox(bus, bob, actor, limit=100)] == ids[-100:]
    assert [m.message_id for m in await _inbox(bus, bob, actor, since=oldest.cursor, limit=100)] == ids[-100:]


async def test_a_week_is_how_long_they_are_kept(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Older ones are neither shown nor kept, and an inbox without news ends by itself."""
    await made(bus, ann, channel)
    actor = await _actor(bus, bob)
    message = await _mention(world, ann, channel, actor)
    key = world.keys.mentions(actor)
    assert 0 < await world.redis("PTTL", key) <= 7 * DAY_MS
    (kept,) = await world.redis("XRANGE", key, "-", "+")
    now = int(kept[0].partition("-")[0])
    await world.redis("DEL", key)
    for age in (8 * DAY_MS, 7 * DAY_MS + 1, 6 * DAY_MS):
        await world.redis("XADD", key, f"{now - age}-0", *kept[1])
    (shown,) = await _inbox(bus, bob, actor)
    assert (shown.message_id, shown.cursor) == (message, f"{now - 6 * DAY_MS}-0")
    await _mention(world, ann, channel, actor)
    assert await world.redis("XLEN", key) == 2


async def test_a_channel_that_may_not_be_entered_any_more_is_left_out(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Shut out of it, or it was deleted, or is another of that name by now; the cursor passes what is left out."""
    closed, gone = f"{channel}-closed", f"{channel}-gone"
    await made(bus, ann, closed, access=Access.RESTRICTED)
    await bus.members.add(ann, closed, bob.key_id)
    for name in (gone, channel):
        await made(bus, ann, name)
    actor = await _actor(bus, bob)
    hidden = await _mention(world, ann, closed, actor)
    await _mention(world, ann, gone, actor)
    shown = await _mention(world, ann, channel, actor)
    await bus.members.remove(ann, closed, bob.key_id)
    await bus.channels.delete(ann, gone)
    page = await bus.actors.mentions(bob, actor, limit=1)
    assert [m.message_id for m in page.items] == [shown]
    await world.passed(1)
    await made(bus, ann, gone)
    assert [m.message_id for m in await _inbox(bus, bob, actor)] == [shown]
    await bus.channels.delete(ann, channel)
    emptied = await bus.actors.mentions(bob, actor)
    assert (list(emptied.items), emptied.next_cursor) == ([], page.next_cursor)
    await bus.members.add(ann, closed, bob.key_id)
    assert [m.message_id for m in await _inbox(bus, bob, actor)] == [hidden]


async def test_a_message_that_is_gone_is_named_still(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Whoever reads it learns that it was taken back."""
    await made(bus, ann, channel)
    actor = await _actor(bus, bob)
    message = await _mention(world, ann, channel, actor)
    await bus.messages.retract(ann, message)
    assert [m.message_id for m in await _inbox(bus, bob, actor)] == [message]


async def test_what_was_added_by_hand_is_passed_over(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """An entry that names no message hides none of the others."""
    await made(bus, ann, channel)
    actor = await _actor(bus, bob)
    await world.redis("XADD", world.keys.mentions(actor), "*", "note", "hello")
    message = await _mention(world, ann, channel, actor)
    assert [m.message_id for m in await _inbox(bus, bob, actor)] == [message]


async def test_a_spoiled_inbox_stops_nobody_else(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A key of another type under its name costs that actor its mentions, and no other, nor the webhooks."""
    await made(bus, ann, channel)
    spoiled, other = await _actor(bus, bob, "spoiled"), await _actor(bus, bob, "other")
    await world.redis("SET", world.keys.mentions(spoiled), "by hand")
    try:
        message = await _mention(world, ann, channel, spoiled, other)
        assert [m.message_id for m in await _inbox(bus, bob, other)] == [message]
        assert await world.redis("XLEN", world.keys.outbox(channel)) == 0
    finally:
        await world.redis("DEL", world.keys.mentions(spoiled))


async def test_a_process_on_the_embedded_store_fills_the_inbox_by_itself(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No server, no sweeper's turn: who posts hands on at once, and the task is claimed meanwhile as any other."""
    settings = Settings(data_dir=Path(tmp_path_factory.mktemp("mentions")))
    async with connect(settings) as poster, connect(settings) as reader:
        ann, bob = [
            await poster.credentials.verify((await poster.credentials.issue(label)).api_key) for label in ("ann", "bob")
        ]
        actor = (await reader.actors.create(bob, "bob")).name
        message = (await poster.messages.post(ann, "writers", "look", create=True, mentions=[actor])).message
        async with asyncio.timeout(SOON):
            while not (found := await _inbox(reader, bob, actor)):  # noqa: ASYNC110 - the background tells no event
                await asyncio.sleep(0.002)
        assert [m.message_id for m in found] == [message.id]
        assert (await claimed(reader, bob, "writers")).id == message.id
