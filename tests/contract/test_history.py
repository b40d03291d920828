"""What left a channel and is still kept, how a channel does, and what an API key owns."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bus import Access, Bus, Caller, Mode, State, errors
from bus.models import OwnedTotals

from .verbs import claimed, held, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def _retracted(bus: Bus, caller: Caller, channel: str, *contents: str) -> list[str]:
    ids = [(await posted(bus, caller, channel, content)).id for content in contents]
    for message_id in ids:
        await bus.messages.retract(caller, message_id)
    return ids


async def test_history_is_paged_newest_first(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Each message once, with limits of any size; `next_cursor` None at the end, also of an empty one."""
    await made(bus, ann, channel)
    assert (await bus.channels.history(bob, channel)).next_cursor is None
    ids = await _retracted(bus, ann, channel, *map(str, range(7)))
    for limit in (1, 3, 7, 100):
        seen: list[str] = []
        cursor = None
        while True:
            page = await bus.channels.history(bob, channel, limit=limit, cursor=cursor)
            seen += [each.message.id for each in page.items]
            if (cursor := page.next_cursor) is None:
                break
        assert seen == ids[::-1]


async def test_an_archived_message_is_as_it_was(bus: Bus, ann: Caller, channel: str) -> None:
    """Its content, metadata and signature, when it was posted and when it left, and its outcome."""
    actor = f"{ann.label}-writer"
    message = await posted(bus, ann, channel, "content", metadata={"n": [1, {"é": None}]}, actor=actor, label="Ann")
    taken = await bus.messages.retract(ann, message.id)
    (found,) = (await bus.channels.history(ann, channel)).items
    assert found.message == taken
    assert taken.outcome is not None
    assert found.archived_at == taken.outcome.finished_at
    for part in ("id", "content", "metadata", "actor", "label", "key_id", "posted_at", "expires_at"):
        assert getattr(found.message, part) == getattr(message, part)


async def test_what_finished_long_ago_is_in_the_history_with_its_result_for_those_who_may_see_it(
    bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """The newest hundred finished ones stay in the channel; older ones are archived with their outcome, 16 at a time."""
    first = await held(bus, ann, bob, channel)
    await bus.tasks.ack(bob, first.id, result={"pages": 3})
    for n in range(115):
        claim = await held(bus, ann, bob, channel)
        await bus.tasks.ack(bob, claim.id, result=n)
    for caller, result in ((ann, {"pages": 3}), (bob, {"pages": 3}), (eve, None)):
        archived = (await bus.channels.history(caller, channel)).items
        found = archived[-1]
        outcome = found.message.outcome
        assert outcome is not None
        assert len(archived) == 16
        assert (found.message.id, found.message.state, outcome.actor) == (first.id, State.DONE, bob.label)
        assert (outcome.result, found.message.result_withheld) == (result, result is None)


async def test_what_expired_is_in_the_history(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Tasks with their outcome, and news, once they are swept."""
    news = await made(bus, ann, f"{channel}-news", mode=Mode.BROADCAST)
    await made(bus, ann, channel)
    for name in (channel, news):
        await world.let_messages_live(name, 1)
    task = await posted(bus, ann, channel)
    told = [(await bus.broadcasts.broadcast(ann, news, str(n))).message for n in range(3)]
    await world.let_messages_live(news, 86_400_000)
    kept = (await bus.broadcasts.broadcast(ann, news, "kept")).message
    await world.passed(2)
    assert await world.sweep(channel) == 1
    assert await world.sweep(news) == 0
    (found,) = (await bus.channels.history(ann, channel)).items
    assert (found.message.id, found.message.state) == (task.id, State.EXPIRED)
    archived = (await bus.channels.history(ann, news)).items
    assert [(each.message.content, each.message.state) for each in archived] == [("2", None), ("1", None), ("0", None)]
    assert [m.id for m in (await bus.messages.subscribe(ann, news)).items] == [kept.id]
    with pytest.raises(errors.MessageNotFound):
        await bus.messages.get(ann, told[0].id)


async def test_many_expired_news_are_all_archived(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """More than one step of the sweeper takes; the history keeps the newest thousand."""
    await made(bus, ann, channel, mode=Mode.BROADCAST)
    await world.let_messages_live(channel, 1)
    await asyncio.gather(*(bus.broadcasts.broadcast(ann, channel, str(n)) for n in range(230)))
    await world.passed(2)
    await world.sweep(channel)
    assert (await bus.channels.counts(ann, channel)).total == 0
    assert await world.redis("XLEN", world.keys.history(channel)) == 230


async def test_history_is_kept_for_as_long_as_the_channel_says(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """After that it is not shown, swept or not, and the sweeper takes it away, on either kind of channel."""
    news = await made(bus, ann, f"{channel}-news", mode=Mode.BROADCAST)
    await made(bus, ann, channel)
    await _retracted(bus, ann, channel, "old")
    await bus.messages.retract(ann, (await bus.broadcasts.broadcast(ann, news, "old")).message.id)
    for name in (channel, news):
        assert len((await bus.channels.history(ann, name)).items) == 1
        await world.redis("HSET", world.keys.channel(name), "retention_ms", 1)
        await world.passed(2)
        assert not (await bus.channels.history(ann, name)).items
        await world.sweep(name)
        assert await world.redis("XLEN", world.keys.history(name)) == 0
        assert await world.redis("HGET", world.keys.channel(name), "history_bytes") == "0"


async def test_history_is_read_by_who_may_read_the_channel(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A member, with the scope to read; and bad input is named."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    await _retracted(bus, ann, channel, "x")
    for verb in (bus.channels.history, bus.channels.metrics):
        with pytest.raises(errors.ChannelAccessDenied):
            await verb(bob, channel)
        with pytest.raises(errors.ChannelNotFound):
            await verb(bob, f"{channel}-none")
    for options, code in (
        ({"limit": 0}, "invalid_limit"),
        ({"limit": 101}, "invalid_limit"),
        ({"cursor": "x"}, "invalid_cursor"),
    ):
        with pytest.raises(errors.InvalidInput) as refused:
            await bus.channels.history(ann, channel, **options)
        assert errors.code_of(refused.value) == code
    narrow = await bus.credentials.set_scopes(ann, ["channels:read"])
    with pytest.raises(errors.InsufficientScope):
        await bus.channels.history(narrow, channel)


async def test_metrics_say_how_long_tasks_took(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """From claim to ack, over the newest finished ones; what a client writes into a result or a reason does not count."""
    await made(bus, ann, channel)
    empty = await bus.channels.metrics(ann, channel)
    assert (empty.acknowledged, empty.claim_to_ack, empty.counts.total) == (0, None, 0)
    done, failed, cancelled, waiting = [await posted(bus, ann, channel, str(n)) for n in range(4)]
    lie = '","claimed_at":1,"at":9,"result":'
    for message, status in ((done, "done"), (failed, "failed")):
        await bus.tasks.claim_message(bob, message.id)
        await world.passed(30)
        await bus.tasks.ack(bob, message.id, status=status, reason=lie, result={"claimed_at": 1, "state": "failed", "x": lie})
    await bus.tasks.cancel(ann, cancelled.id, reason=lie)
    found = await bus.channels.metrics(bob, channel)
    assert (found.acknowledged, found.counts.done, found.counts.waiting) == (2, 3, 1)
    assert found.claim_to_ack is not None
    assert timedelta(milliseconds=30) <= found.claim_to_ack < timedelta(seconds=10)
    assert found.computed_at >= waiting.posted_at


async def test_metrics_of_news_count_what_was_read(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Messages with a receipt, however many readers each has."""
    messages = [(await bus.broadcasts.broadcast(ann, channel, str(n))).message for n in range(3)]
    for caller in (ann, bob):
        await bus.broadcasts.mark_read(caller, messages[1].id)
    found = await bus.channels.metrics(bob, channel)
    assert (found.counts.total, found.acknowledged, found.claim_to_ack) == (3, 1, None)


async def test_a_key_owns_what_it_made(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Of its channels, restricted ones too, how many messages are there and how many of them are held; not of others'."""
    assert await bus.channels.owned(ann) == OwnedTotals(0, 0, 0)
    await made(bus, bob, f"{channel}-bob")
    await made(bus, ann, f"{channel}-1", access=Access.RESTRICTED, discoverable=False)
    await posted(bus, ann, f"{channel}-1")
    await posted(bus, ann, f"{channel}-1")
    await claimed(bus, ann, f"{channel}-1")
    await bus.broadcasts.broadcast(ann, f"{channel}-2", "x")
    assert await bus.channels.owned(ann) == OwnedTotals(channels=2, messages=3, claimed=1)
    await bus.channels.delete(ann, f"{channel}-1")
    assert await bus.channels.owned(ann) == OwnedTotals(channels=1, messages=1, claimed=0)
    # An index that says too much is not believed.
    await world.redis("ZADD", world.keys.owned(ann.key_id), 1, f"{channel}-bob", 2, f"{channel}-1")
    assert (await bus.channels.owned(ann)).channels == 1
