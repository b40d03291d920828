"""Webhooks are delivered at least once: whatever dies, whoever shares the work, and with a visible end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bus import Bus, Caller, errors
from bus.streams.webhooks import HandOver, Sender
from bus.streams.webhooks.queue import MOST_ATTEMPTS, NAME, Held, Queue
from bus.webhooks import Webhooks
from tests.receivers import BROKEN, TAKEN, Receiver, hang, receiving

from .hooks import deliver, forget_queue, make_due
from .verbs import made, posted
from .worlds import SOON, World

pytestmark = pytest.mark.anyio


async def _hooked(world: World, bus: Bus, owner: Caller, receiver: Receiver, channel: str) -> None:
    await forget_queue(world)
    await made(bus, owner, channel, webhook_url=receiver.url("/hook?token=t"), webhook_secret="hush")


async def _queued(world: World) -> int:
    return await world.redis("XLEN", world.keys.stream(NAME))


async def test_another_process_hands_on_what_one_left(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """The note is written with the message: a process that ends right after the post takes nothing with it."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel)
        await posted(bus, ann, channel)  # nothing in the background here: as if it had ended
        assert await _queued(world) == 0
        assert await deliver(world, channel) == 1
        assert (await receiver.next()).json["message"]["content"] == "do it"
        assert await world.redis("XLEN", world.keys.outbox(channel)) == 0
        assert await _queued(world) == 0


async def test_handing_on_twice_sends_once(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """A crash between queueing a delivery and crossing it off, and two processes that hand on at once."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel)
        for n in range(5):
            await posted(bus, ann, channel, f"{n}")
        outbox = world.keys.outbox(channel)
        noted = await world.redis("XRANGE", outbox, "-", "+")
        await asyncio.gather(HandOver(world.other).hand_on(channel), HandOver(world.engine).hand_on(channel))
        stream_id, fields = noted[0]
        await world.redis("DEL", outbox)
        await world.redis("XADD", outbox, stream_id, *fields)  # not crossed off, it seems
        assert await deliver(world, channel) == 5
        assert sorted(told.json["message"]["content"] for told in receiver.all()) == ["0", "1", "2", "3", "4"]


async def test_senders_share_the_work(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Two processes send each delivery once, while neither fails."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel)
        for n in range(30):
            await posted(bus, ann, channel, f"{n}")
        await HandOver(world.engine).hand_on(channel)

        async def all_of(sender: Sender) -> int:
            sent = 0
            while await sender.send_once():
                sent += 1
            return sent

        shares = await asyncio.gather(*(all_of(Sender(engine)) for engine in (world.engine, world.other, world.engine)))
        told = receiver.all()
    assert sum(shares) == len(told) == 30
    assert len({each.delivery for each in told}) == 30
    assert sorted(int(each.json["message"]["content"]) for each in told) == list(range(30))


async def test_what_a_dead_sender_held_is_sent_by_another(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Its lease ends; the same delivery comes again under the same id. Until then nobody else takes it."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel)
        await posted(bus, ann, channel)
        await HandOver(world.other).hand_on(channel)
        held = await Queue(world.engine).next()
        assert isinstance(held, Held)
        waits = await Queue(world.other).next()
        assert isinstance(waits, float)
        assert 0 < waits <= 30
        assert not await Sender(world.other).send_once()
        assert await make_due(world) == 1
        assert await Sender(world.other).send_once()
        assert (await receiver.next()).delivery == held.delivery.id


async def test_a_sender_that_is_stopped_gives_back_uncounted(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Another sends it at once, and it is no attempt of the five."""
    async with receiving() as receiver:
        receiver.always = hang
        await _hooked(world, bus, ann, receiver, channel)
        await posted(bus, ann, channel)
        await HandOver(world.other).hand_on(channel)
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(Sender(world.other).send_once())
            first = await receiver.next()
            sending.cancel()
        receiver.always = TAKEN
        async with asyncio.timeout(SOON):
            while not await Sender(world.engine).send_once():  # noqa: ASYNC110 - the release tells this test nothing
                await asyncio.sleep(0.005)
        assert (await receiver.next()).delivery == first.delivery


async def test_what_fails_is_tried_again_and_then_shown_as_given_up(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Five attempts, 30 s doubled each time with jitter between them; then the owner sees what each attempt met."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel)
        message = await posted(bus, ann, channel)
        for attempt in range(MOST_ATTEMPTS):
            receiver.answers.append(BROKEN)
            assert await deliver(world, channel) == 1
            assert await deliver(world, channel) == 0
            if attempt < MOST_ATTEMPTS - 1:
                waits = await Queue(world.other).next()
                assert isinstance(waits, float)
                assert 30 * 2**attempt / 2 - 5 < waits <= 30 * 2**attempt
                assert list((await bus.webhooks.failures(ann, channel)).items) == []
                assert await make_due(world) == 1
        told = receiver.all()
    assert len(told) == MOST_ATTEMPTS
    assert {each.delivery for each in told} == {told[0].delivery}
    assert await _queued(world) == 0
    (failure,) = (await bus.webhooks.failures(ann, channel)).items
    assert (failure.id, failure.channel, failure.event) == (told[0].delivery, channel, "message.posted")
    assert failure.message_id == message.id
    assert failure.url == receiver.url("/hook")  # tokens stand in the query
    assert [each.answer for each in failure.attempts] == ["HTTP 500"] * MOST_ATTEMPTS
    assert failure.attempts[0].at <= failure.attempts[-1].at <= failure.failed_at
    assert "hush" not in repr(failure)
    with pytest.raises(errors.Forbidden):
        await bus.webhooks.failures(bob, channel)


async def test_one_that_recovers_is_told(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """And nothing is shown as given up."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel)
        await posted(bus, ann, channel)
        receiver.answers += [BROKEN, BROKEN]
        for _ in range(3):
            assert await deliver(world, channel) == 1
            await make_due(world)
        assert await deliver(world, channel) == 0
        assert len({told.delivery for told in receiver.all()}) == 1
    assert list((await bus.webhooks.failures(ann, channel)).items) == []
    assert await _queued(world) == 0


async def test_a_lost_last_attempt_is_shown_too(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Each sender died at it: the sweep gives it up and shows it."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel)
        await posted(bus, ann, channel)
        await HandOver(world.other).hand_on(channel)
        for _ in range(MOST_ATTEMPTS):
            assert isinstance(await Queue(world.other).next(), Held)
            await make_due(world)
        assert await world.sweep(NAME) == 1
        assert await HandOver(world.other).bury() == 1
        assert receiver.connections == 0
    (failure,) = (await bus.webhooks.failures(ann, channel)).items
    assert [each.answer for each in failure.attempts] == ["the sender went away"] * MOST_ATTEMPTS


async def _given_up(world: World, bus: Bus, owner: Caller, channel: str, count: int) -> None:
    """So many deliveries given up, in order."""
    dead = world.keys.dead(NAME)
    for n in range(count):
        noted = await world.redis("XADD", world.keys.outbox(channel), "*", "event", "message.posted")
        text = f'{{"id": "{n}", "event": "message.posted", "channel": "{channel}", "noted": "{noted}", "message": "1-{n}"}}'
        await world.redis("XADD", dead, "*", "content", text, "_at", noted.partition("-")[0], "_reason", "dead")
    assert await HandOver(world.other).bury() == count


async def _ids(webhooks: Webhooks, owner: Caller, channel: str, **options: Any) -> tuple[list[str], str | None]:
    page = await webhooks.failures(owner, channel, **options)
    return [failure.id for failure in page.items], page.next_cursor


async def test_failures_are_paged_newest_first(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """1 to 100 a page; a cursor reads on; the last page has none. A dead letter that is moved twice is there once."""
    await _hooked(world, bus, ann, Receiver(), channel)
    await _given_up(world, bus, ann, channel, 5)
    first, cursor = await _ids(bus.webhooks, ann, channel, limit=2)
    second, cursor = await _ids(bus.webhooks, ann, channel, limit=2, cursor=cursor)
    third, last = await _ids(bus.webhooks, ann, channel, limit=2, cursor=cursor)
    assert (first, second, third, last) == (["4", "3"], ["2", "1"], ["0"], None)
    (newest, fields), *_ = await world.redis("XREVRANGE", world.keys.failures(channel), "+", "-", "COUNT", 1)
    text = f'{{"id": "4", "event": "message.posted", "channel": "{channel}", "noted": "{newest}", "message": "1-4"}}'
    await world.redis("DEL", world.keys.dead(NAME))
    await world.redis("XADD", world.keys.dead(NAME), newest, "content", text, "_at", 1, "_reason", "dead")
    assert await HandOver(world.other).bury() == 1
    assert (await _ids(bus.webhooks, ann, channel))[0] == ["4", "3", "2", "1", "0"]
    assert fields
    for start in ("0", "0-0", ""):
        assert (await _ids(bus.webhooks, ann, channel, limit=1, cursor=start))[0] == ["4"]
    for wrong in ({"limit": 0}, {"limit": 101}, {"cursor": "nonsense"}, {"cursor": f"{2**64 - 1}-{2**64 - 1}"}):
        with pytest.raises(errors.InvalidInput):
            await bus.webhooks.failures(ann, channel, **wrong)
    with pytest.raises(errors.ChannelNotFound):
        await bus.webhooks.failures(ann, f"{channel}-none")


async def test_a_new_owner_does_not_see_the_failures_of_the_old(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """A channel that is made anew under the name starts with none, whenever the old one's last was written down."""
    await _hooked(world, bus, ann, Receiver(), channel)
    await _given_up(world, bus, ann, channel, 1)
    assert (await _ids(bus.webhooks, ann, channel))[0] == ["0"]
    before = await world.redis("XRANGE", world.keys.failures(channel), "-", "+")
    await bus.channels.delete(ann, channel)
    await world.passed(2)
    await made(bus, bob, channel)
    for stream_id, fields in before:  # a replica that was just about to
        await world.redis("XADD", world.keys.failures(channel), stream_id, *fields)
    assert await _ids(bus.webhooks, bob, channel) == ([], None)


async def test_an_actors_webhook_stays_its_secret_when_it_fails(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """The channel's owner sees that a mention could not be told, not where it would have gone."""
    await forget_queue(world)
    await made(bus, ann, channel)
    actor = (await bus.actors.create(bob, f"hook-{bob.label}")).name
    await bus.webhooks.set(bob, actor, "http://127.0.0.1:1/private?token=t")
    await bus.messages.post(ann, channel, "look", mentions=[actor])
    for _ in range(MOST_ATTEMPTS):
        assert await deliver(world, channel) == 1
        await make_due(world)
    (failure,) = (await bus.webhooks.failures(ann, channel)).items
    assert (failure.event, failure.url) == ("message.mentioned", "")
    assert {each.answer for each in failure.attempts} == {"no answer"}


async def test_what_is_no_delivery_is_dropped(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """An entry added to the queue by hand stops nobody."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel)
        await posted(bus, ann, channel)
        await HandOver(world.other).hand_on(channel)
        for content in ("nonsense", "[]", '{"id": 1}', "null"):
            await world.redis("XADD", world.keys.stream(NAME), "*", "content", content)
        await world.redis("XADD", world.keys.stream(NAME), "*", "other", "field")
        assert await deliver(world, channel) == 1
        assert await _queued(world) == 0
