"""Broadcasts: every reader reads everything, at its own pace, and is told what it was too late for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bus import Bus, Caller, Mode, errors
from bus.streams import bus_over

from .verbs import LONG, made
from .worlds import World

pytestmark = pytest.mark.anyio


async def _news(bus: Bus, caller: Caller, channel: str, *contents: str) -> list[str]:
    """Post these; their cursors."""
    return [(await bus.broadcasts.broadcast(caller, channel, content)).cursor for content in contents]


async def _contents(bus: Bus, caller: Caller, channel: str, **options: Any) -> list[str]:
    return [m.content for m in (await bus.messages.subscribe(caller, channel, **options)).items]


async def test_every_reader_reads_everything_in_order(bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """Page by page, from the start, each at its own cursor; nothing is skipped and nothing comes twice."""
    await _news(bus, ann, channel, *map(str, range(25)))
    cursors: list[str | None] = []
    for reader, limit in ((bob, 10), (eve, 7)):
        seen, cursor = [], None
        while (page := await bus.messages.subscribe(reader, channel, since=cursor, limit=limit)).items:
            seen += [m.content for m in page.items]
            assert page.missed == 0
            cursor = page.next_cursor
        assert seen == [str(n) for n in range(25)]
        assert page.next_cursor == cursor
        cursors.append(cursor)
    await _news(bus, ann, channel, "late")
    for reader, cursor in zip((bob, eve), cursors, strict=True):
        assert await _contents(bus, reader, channel, since=cursor) == ["late"]


async def test_a_waiting_reader_is_woken_by_news(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """All of them, wherever it was posted."""
    [cursor] = await _news(bus, ann, channel, "old")
    async with asyncio.TaskGroup() as group:
        readers = [
            group.create_task(_contents(bus, reader, channel, since=cursor, wait=LONG))
            for reader in (ann, bob, eve)
            for _ in "12"
        ]
        await world.parked(6)
        await _news(bus_over(world.other), ann, channel, "new")
    assert [r.result() for r in readers] == [["new"]] * 6


async def test_an_empty_page_repeats_the_cursor(bus: Bus, ann: Caller, channel: str) -> None:
    """So that a reader need not remember it beside the page."""
    [cursor] = await _news(bus, ann, channel, "x")
    page = await bus.messages.subscribe(ann, channel, since=cursor, wait=timedelta(milliseconds=60))
    assert (list(page.items), page.next_cursor, page.missed) == ([], cursor, 0)


async def test_a_named_reader_keeps_its_place(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """By actor; a page counts as read only once the reader comes back with its cursor."""
    await _news(bus, ann, channel, "1", "2", "3", "4")
    one, two = f"{bob.label}-one", f"{bob.label}-two"
    first = await bus.messages.subscribe(bob, channel, actor=one, limit=2)
    assert [m.content for m in first.items] == ["1", "2"]
    assert await _contents(bus, bob, channel, actor=one, limit=2) == ["1", "2"]
    assert await _contents(bus, bob, channel, actor=one, since=first.next_cursor) == ["3", "4"]
    assert await _contents(bus, bob, channel, actor=one) == ["3", "4"]
    assert await _contents(bus, bob, channel, actor=two) == ["1", "2", "3", "4"]
    with pytest.raises(errors.ActorForbidden):
        await bus.messages.subscribe(ann, channel, actor=one)


async def test_a_reader_is_told_how_many_it_missed(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """`max_messages` keeps the newest; who was slower learns exactly how many are gone, once."""
    await made(bus, ann, channel, mode=Mode.BROADCAST, max_messages=3)
    cursors = await _news(bus, ann, channel, *map(str, range(10)))
    for seen, missed in ((0, 6), (2, 4), (5, 1), (6, 0)):
        page = await bus.messages.subscribe(bob, channel, since=cursors[seen])
        assert (page.missed, [m.content for m in page.items][-3:]) == (missed, ["7", "8", "9"])
        again = await bus.messages.subscribe(bob, channel, since=page.next_cursor)
        assert (again.missed, list(again.items)) == (0, [])
    assert (await bus.channels.counts(ann, channel)).total == 3


async def test_a_reader_of_news_that_all_expired_is_told_and_goes_on(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Nothing to read, some missed; the cursor it gets reads on with what comes next."""
    await made(bus, ann, channel, mode=Mode.BROADCAST)
    [cursor] = await _news(bus, ann, channel, "seen")
    await world.let_messages_live(channel, 1)
    await _news(bus, ann, channel, "a", "b")
    await world.passed(2)
    page = await bus.messages.subscribe(bob, channel, since=cursor)
    assert (list(page.items), page.missed) == ([], 2)
    await world.let_messages_live(channel, 86_400_000)
    await _news(bus, ann, channel, "next")
    page = await bus.messages.subscribe(bob, channel, since=page.next_cursor)
    assert ([m.content for m in page.items], page.missed) == (["next"], 0)


async def test_a_reader_whose_news_was_all_trimmed_skips_nothing_that_comes(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """The cursor it is given lies before whatever is posted next, in the same millisecond too."""
    await made(bus, ann, channel, mode=Mode.BROADCAST)
    stream = world.keys.stream(channel)
    [cursor] = await _news(bus, ann, channel, "first")
    for number in range(30):
        await _news(bus, ann, channel, "missed")
        await world.redis("XTRIM", stream, "MAXLEN", 0)
        page, sent = await asyncio.gather(
            bus.messages.subscribe(bob, channel, since=cursor), bus.broadcasts.broadcast(ann, channel, str(number))
        )
        if not page.items:
            assert page.missed == 1
            page = await bus.messages.subscribe(bob, channel, since=page.next_cursor)
        assert [m.content for m in page.items] == [str(number)]
        cursor = sent.cursor


async def test_sweeping_trims_what_passed_its_time(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """News past its time to live is not shown, swept or not, and its receipts go with it."""
    await made(bus, ann, channel, mode=Mode.BROADCAST)
    message = (await bus.broadcasts.broadcast(ann, channel, "x")).message
    await bus.broadcasts.mark_read(bob, message.id)
    await world.redis("XTRIM", world.keys.stream(channel), "MAXLEN", 0)
    await world.sweep(channel)
    assert not await world.redis("HLEN", world.keys.receipts(channel))
    await world.let_messages_live(channel, 1)
    expired = (await bus.broadcasts.broadcast(ann, channel, "y")).message
    await world.passed(2)
    assert await _contents(bus, bob, channel, since="0") == []
    for verb in (bus.messages.get, bus.tasks.await_result, bus.broadcasts.mark_read):
        with pytest.raises(errors.MessageExpired):
            await verb(bob, expired.id)


async def test_a_read_receipt_counts_once_for_each_actor(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Whoever likes may say that it has read; saying it twice changes nothing."""
    message = (await bus.broadcasts.broadcast(ann, channel, "x")).message
    once = await bus.broadcasts.mark_read(bob, message.id)
    again = await bus.broadcasts.mark_read(bob, message.id)
    assert (again.message, once.repeated, again.repeated) == (once.message, False, True)
    await bus.broadcasts.mark_read(bob, message.id, actor=f"{bob.label}-2")
    await bus.broadcasts.mark_read(ann, message.id)
    for seen in (await bus.messages.get(ann, message.id), (await bus.messages.subscribe(ann, channel)).items[0]):
        assert [r.actor for r in seen.receipts] == [bob.label, f"{bob.label}-2", ann.label]
    with pytest.raises(errors.ActorForbidden):
        await bus.broadcasts.mark_read(bob, message.id, actor=ann.label)
    with pytest.raises(errors.MessageNotFound):
        await bus.broadcasts.mark_read(bob, f"{channel}:1-1")


async def test_broadcast_verbs_are_refused_on_a_claimable_channel(bus: Bus, ann: Caller, channel: str) -> None:
    """Work is not news: each verb says so."""
    task = (await bus.tasks.post(ann, channel, "x")).message
    with pytest.raises(errors.ChannelNotBroadcast):
        await bus.broadcasts.broadcast(ann, channel, "x")
    with pytest.raises(errors.ChannelNotBroadcast):
        await bus.broadcasts.mark_read(ann, task.id)


async def test_reading_on_from_a_moment(bus: Bus, ann: Caller, channel: str) -> None:
    """`since` takes a time, with or without an offset, `0` for the start, a message's id, and a cursor."""
    [cursor, _] = await _news(bus, ann, channel, "1", "2")
    message = (await bus.messages.subscribe(ann, channel)).items[0]
    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    for since, expected in (
        ("0", ["1", "2"]), ("", ["1", "2"]), (cursor, ["2"]), (message.id, ["2"]),
        ((now - hour).isoformat(), ["1", "2"]), ((now - hour).replace(tzinfo=None).isoformat(), ["1", "2"]),
        ((now + hour).isoformat().replace("+00:00", "Z"), []),
    ):  # fmt: skip
        assert await _contents(bus, ann, channel, since=since) == expected
