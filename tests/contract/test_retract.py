"""Taking a message back: by whoever posted it or the channel's owner, while nobody holds it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bus import Access, Bus, Caller, Message, Mode, State, errors
from bus.streams import bus_over

from .verbs import LONG, claimed, drained, held, made, posted, state
from .worlds import World

pytestmark = pytest.mark.anyio


async def _news(bus: Bus, caller: Caller, channel: str, *contents: str) -> list[Message]:
    return [(await bus.broadcasts.broadcast(caller, channel, content)).message for content in contents]


async def _archived(bus: Bus, caller: Caller, channel: str) -> list[str]:
    return [each.message.content for each in (await bus.channels.history(caller, channel)).items]


@pytest.mark.parametrize("delay", [timedelta(0), timedelta(hours=1)])
async def test_a_task_nobody_holds_ends_as_cancelled(
    bus: Bus, ann: Caller, bob: Caller, channel: str, delay: timedelta
) -> None:
    """It leaves the channel for its history, and the others are handed out as before."""
    first, second, third = [await posted(bus, ann, channel, str(n), delay=delay * (n == 1)) for n in range(3)]
    taken = await bus.messages.retract(ann, second.id)
    assert taken.outcome is not None
    assert (taken.id, taken.state, taken.outcome.key_id, taken.content) == (second.id, State.CANCELLED, ann.key_id, "1")
    assert await _archived(bus, ann, channel) == ["1"]
    counts = await bus.channels.counts(ann, channel)
    assert (counts.total, counts.waiting, counts.delayed, counts.done) == (2, 2, 0, 0)
    assert [m.id for m in (await bus.messages.subscribe(ann, channel)).items] == [first.id, third.id]
    assert await state(bus, ann, second.id) is State.CANCELLED
    assert await drained(bus, bob, channel) == ["0", "2"]


async def test_taking_it_back_again_answers_the_same(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """A lost answer is asked for again; and a cancelled task can leave too."""
    message, cancelled = await posted(bus, ann, channel, "a"), await posted(bus, ann, channel, "b")
    await bus.messages.retract(ann, message.id)
    before = await world.everything()
    assert (await bus.messages.retract(ann, message.id)).state is State.CANCELLED
    assert await world.everything() == before
    await bus.tasks.cancel(ann, cancelled.id, reason="enough")
    again = await bus.messages.retract(ann, cancelled.id)
    assert again.outcome is not None
    assert again.outcome.reason == "enough"
    assert await _archived(bus, ann, channel) == ["b", "a"]


async def test_the_awaiter_is_told(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Wherever it was taken back."""
    message = await posted(bus, ann, channel)
    async with asyncio.TaskGroup() as group:
        awaiting = group.create_task(bus.tasks.await_result(ann, message.id, wait=LONG))
        await world.parked()
        await bus_over(world.other).messages.retract(ann, message.id)
    assert awaiting.result().state is State.CANCELLED


async def test_what_somebody_holds_is_not_taken_back(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The error says who holds it, and until when; its holder may finish it."""
    claim = await held(bus, ann, bob, channel)
    with pytest.raises(errors.MessageClaimed) as refused:
        await bus.messages.retract(ann, claim.id)
    assert refused.value.details["holder"] == bob.label
    assert refused.value.details["lease_expires_at"] == claim.lease_expires_at.isoformat()
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result=1)
    with pytest.raises(errors.AlreadyFinished):
        await bus.messages.retract(ann, claim.id)
    assert await state(bus, ann, claim.id) is State.DONE


async def test_what_somebody_held_is(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Released, or with its lease run out: the late holder learns that it is over."""
    released, lapsed = await held(bus, ann, bob, channel), await held(bus, ann, bob, channel)
    await bus.tasks.release(bob, released.id)
    await world.expire(lapsed.id)
    for claim in (released, lapsed):
        assert (await bus.messages.retract(ann, claim.id)).state is State.CANCELLED
        with pytest.raises(errors.AlreadyFinished):
            await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
    assert await bus.tasks.claim(bob, channel) is None
    assert (await bus.channels.counts(ann, channel)).total == 0


async def test_what_time_has_ended_stays_ended(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A task past its time or its deliveries has its outcome, although nobody has looked yet."""
    await made(bus, ann, channel, max_deliveries=1)
    dead = await held(bus, ann, bob, channel)
    await world.expire(dead.id)
    await world.let_messages_live(channel, 1)
    expired = await posted(bus, ann, channel)
    await world.passed(2)
    for message_id, ended in ((dead.id, State.DEAD), (expired.id, State.EXPIRED)):
        with pytest.raises(errors.AlreadyFinished) as refused:
            await bus.messages.retract(ann, message_id)
        assert refused.value.details["state"] == ended
        await world.let_messages_live(channel, 86_400_000)


async def test_only_poster_and_owner_take_it_back(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Of either kind of channel; and whoever may not even read learns nothing."""
    await made(bus, eve, channel)
    news = await made(bus, eve, f"{channel}-news", mode=Mode.BROADCAST)
    closed = await made(bus, eve, f"{channel}-closed", access=Access.RESTRICTED)
    first, second = await posted(bus, ann, channel), await posted(bus, ann, channel)
    [told] = await _news(bus, ann, news, "x")
    inside = await posted(bus, eve, closed)
    before = await world.everything()
    for message, kind in (
        (first, errors.Forbidden), (told, errors.Forbidden), (inside, errors.ChannelAccessDenied),
    ):  # fmt: skip
        with pytest.raises(kind):
            await bus.messages.retract(bob, message.id)
    for missing in (f"{channel}:1-1", f"{channel}-none:1-1", "nonsense"):
        with pytest.raises(errors.MessageNotFound):
            await bus.messages.retract(bob, missing)
    assert await world.everything() == before
    await bus.messages.retract(ann, first.id)
    await bus.messages.retract(eve, second.id)
    await bus.messages.retract(eve, told.id)
    narrow = await bus.credentials.set_scopes(eve, ["messages:read"])
    with pytest.raises(errors.InsufficientScope):
        await bus.messages.retract(narrow, inside.id)


async def test_news_taken_back_is_read_no_more(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """It is in the history, its receipts are dropped, and it cannot be taken back twice."""
    kept, taken = await _news(bus, ann, channel, "kept", "taken")
    await bus.broadcasts.mark_read(bob, taken.id)
    assert (await bus.messages.retract(ann, taken.id)).content == "taken"
    assert [m.id for m in (await bus.messages.subscribe(bob, channel)).items] == [kept.id]
    assert await _archived(bus, bob, channel) == ["taken"]
    assert not await world.redis("HLEN", world.keys.receipts(channel))
    for verb in (bus.messages.retract, bus.messages.get, bus.broadcasts.mark_read):
        with pytest.raises(errors.MessageNotFound):
            await verb(ann, taken.id)


async def test_what_was_taken_back_counts_as_missed_by_nobody(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """A reader is told how many it could have read had it come earlier, and those only."""
    first, *rest = [(await bus.broadcasts.broadcast(ann, channel, str(n))) for n in range(8)]
    for posting in (rest[0], rest[1], rest[5]):
        await bus.messages.retract(ann, posting.message.id)
    page = await bus.messages.subscribe(bob, channel, since=first.cursor)
    assert ([m.content for m in page.items], page.missed) == (["3", "4", "5", "7"], 0)
    await world.redis("XTRIM", world.keys.stream(channel), "MAXLEN", 2)
    page = await bus.messages.subscribe(bob, channel, since=first.cursor)
    assert ([m.content for m in page.items], page.missed) == (["5", "7"], 2)
    await world.redis("XTRIM", world.keys.stream(channel), "MAXLEN", 0)
    page = await bus.messages.subscribe(bob, channel, since=first.cursor)
    assert ([m.content for m in page.items], page.missed) == ([], 4)


async def test_a_claim_and_a_retraction_at_once_have_one_winner(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Either somebody holds it, or it is cancelled; never both."""
    await made(bus, ann, channel)
    other = bus_over(world.other)
    for _ in range(20):
        message = await posted(bus, ann, channel)
        retracted, claim = await asyncio.gather(
            bus.messages.retract(ann, message.id), other.tasks.claim(bob, channel), return_exceptions=True
        )
        if isinstance(retracted, errors.MessageClaimed):
            assert not isinstance(claim, BaseException)
            assert claim is not None
            await bus.tasks.ack(bob, claim.id)
        else:
            assert not isinstance(retracted, BaseException)
            assert (retracted.state, claim) == (State.CANCELLED, None)


async def test_taking_back_what_was_claimed_ahead_leaves_the_order(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The group's cursor steps over what is no longer there."""
    ids = [(await posted(bus, ann, channel, str(n))).id for n in range(5)]
    await bus.tasks.claim_message(bob, ids[3])
    await bus.tasks.release(bob, ids[3], delay=timedelta(hours=1))
    await bus.messages.retract(ann, ids[3])
    await bus.messages.retract(ann, ids[0])
    assert [(await claimed(bus, bob, channel)).content for _ in range(3)] == ["1", "2", "4"]
    assert await bus.tasks.claim(bob, channel) is None
