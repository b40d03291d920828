"""Questions: a holder asks back, the poster is told at once and answers, and the holder goes on."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bus import Bus, Caller, Mode, State, errors
from bus.streams import bus_over

from .verbs import LONG, claimed, held, made, posted, refusal, state
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_a_question_reaches_the_poster_and_the_answer_the_holder(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Both wait, each is told by the other's call, through whichever process it comes."""
    claim = await held(bus, ann, bob, channel)
    elsewhere = bus_over(world.other)
    async with asyncio.TaskGroup() as group:
        awaiting = group.create_task(bus.tasks.await_result(ann, claim.id, wait=LONG))
        await world.parked()
        asked = await elsewhere.tasks.ask(bob, claim.id, "which version?", claim_token=claim.claim_token)
    told = awaiting.result()
    assert (told.state, asked.message.state, told.outcome) == (State.INPUT_REQUIRED, State.INPUT_REQUIRED, None)
    assert [(q.text, q.actor, q.key_id, q.answer) for q in told.questions] == [
        ("which version?", claim.actor, bob.key_id, None)
    ]
    async with asyncio.TaskGroup() as group:
        working = group.create_task(bus.tasks.await_answer(bob, claim.id, claim_token=claim.claim_token, wait=LONG))
        await world.parked()
        await elsewhere.tasks.answer(ann, claim.id, "2.1", label="ann herself")
    answered = working.result()
    last = answered.message.questions[-1]
    assert (answered.message.state, answered.claim_token) == (State.IN_FLIGHT, claim.claim_token)
    assert (last.answer, last.answered_by, last.answered_by_key_id) == ("2.1", "ann herself", ann.key_id)
    assert last.answered_at is not None
    assert last.answered_at >= last.asked_at
    done = await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result=1)
    assert done.message.state is State.DONE


async def test_a_wait_that_need_not_wait_returns_at_once(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The poster's while a question is open, the holder's while none is; and either when its time is up."""
    claim = await held(bus, ann, bob, channel)
    assert (await bus.tasks.await_answer(bob, claim.id, wait=LONG)).message.state is State.IN_FLIGHT
    await bus.tasks.ask(bob, claim.id, "why?")
    for _ in range(2):
        assert (await bus.tasks.await_result(ann, claim.id, wait=LONG)).state is State.INPUT_REQUIRED
    for wait in (timedelta(0), timedelta(milliseconds=60)):
        standing = await bus.tasks.await_answer(bob, claim.id, claim_token=claim.claim_token, wait=wait)
        assert (standing.message.state, standing.message.questions[-1].text) == (State.INPUT_REQUIRED, "why?")


async def test_the_lease_is_parked_until_the_time_to_live_ends(
    bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Nothing need renew it, nothing shortens it, and nobody else gets the task meanwhile; the answer gives a new lease."""
    claim = await held(bus, ann, bob, channel)
    asked = await bus.tasks.ask(bob, claim.id, "which?")
    assert asked.lease_expires_at == claim.message.expires_at
    for options in ({"automatic": True}, {"note": "waiting"}, {"lease": timedelta(seconds=5)}):
        beat = await bus.tasks.heartbeat(bob, claim.id, **options)
        assert (beat.lease_expires_at, beat.message.state) == (asked.lease_expires_at, State.INPUT_REQUIRED)
    assert (await bus.tasks.claim_message(bob, claim.id)).lease_expires_at == asked.lease_expires_at
    assert await bus.tasks.claim(eve, channel) is None
    with pytest.raises(errors.AlreadyClaimed):
        await bus.tasks.claim_message(eve, claim.id)
    assert (await bus.channels.counts(ann, channel)).in_flight == 1
    hold = (await bus.tasks.answer(ann, claim.id, "that one")).hold
    assert hold is not None
    assert timedelta(minutes=14) < hold.lease_expires_at - hold.claimed_at < timedelta(minutes=16)


async def test_asking_shortens_no_lease(bus: Bus, world: World, ann: Caller, bob: Caller, channel: str) -> None:
    """A lease that outlasts the time to live stays."""
    await made(bus, ann, channel)
    await world.let_messages_live(channel, 60_000)
    await posted(bus, ann, channel)
    claim = await claimed(bus, bob, channel, lease=timedelta(hours=2))
    assert (await bus.tasks.ask(bob, claim.id, "which?")).lease_expires_at == claim.lease_expires_at


@pytest.mark.parametrize("verb", ["release", "fail"])
async def test_a_question_given_back_unanswered_is_closed_and_kept(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str, verb: str
) -> None:
    """Nobody waits for its answer any more: who waited learns that, and the next holder sees what was asked."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ask(bob, claim.id, "which?")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(refusal(bus.tasks.await_answer(bob, claim.id, claim_token=claim.claim_token, wait=LONG)))
        await world.parked()
        await getattr(bus_over(world.other).tasks, verb)(bob, claim.id, claim_token=claim.claim_token)
    assert isinstance(waiting.result(), errors.LeaseLost)
    with pytest.raises(errors.NotAsked):
        await bus.tasks.answer(ann, claim.id, "too late")
    await world.expire(claim.id)
    taken = await claimed(bus, eve, channel)
    assert (taken.message.state, [(q.text, q.answer) for q in taken.message.questions]) == (State.IN_FLIGHT, [("which?", None)])


async def test_a_task_taken_over_while_asking_is_in_flight(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Whatever ended the parked lease, the question ends with it."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ask(bob, claim.id, "which?")
    await world.expire(claim.id)
    with pytest.raises(errors.LeaseLost):
        await bus.tasks.await_answer(bob, claim.id, claim_token=claim.claim_token, wait=LONG)
    with pytest.raises(errors.NotAsked):
        await bus.tasks.answer(ann, claim.id, "this")
    assert (await claimed(bus, eve, channel)).message.state is State.IN_FLIGHT


async def test_a_task_is_finished_while_asked(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The holder found out by itself: its question is gone, and there is nothing to answer."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ask(bob, claim.id, "which?")
    acked = await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="both")
    assert (acked.message.state, (await bus.tasks.await_result(ann, claim.id)).state) == (State.DONE, State.DONE)
    with pytest.raises(errors.AlreadyFinished):
        await bus.tasks.answer(ann, claim.id, "that one")


async def test_a_time_to_live_that_ends_unanswered_expires_the_task(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Time alone does it, and whoever waits is told: the poster whenever it asks, the holder in its wait."""
    await made(bus, ann, channel, lease=timedelta(seconds=1))
    await world.let_messages_live(channel, 400)
    message = await posted(bus, ann, channel)
    await world.let_messages_live(channel, 86_400_000)
    claim = await bus.tasks.claim_message(bob, message.id)
    await bus.tasks.ask(bob, message.id, "which?")
    ended = await refusal(bus.tasks.await_answer(bob, message.id, claim_token=claim.claim_token, wait=LONG))
    assert isinstance(ended, errors.AlreadyFinished)
    assert ended.details["state"] == "expired"
    assert await state(bus, ann, message.id) is State.EXPIRED
    with pytest.raises(errors.AlreadyFinished):
        await bus.tasks.answer(ann, message.id, "that one")


async def test_the_same_question_changes_nothing_and_another_takes_its_place(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """A lost reply is asked for again; what is meant now is what is open."""
    claim = await held(bus, ann, bob, channel)
    asked = await bus.tasks.ask(bob, claim.id, "red?")
    before = await world.everything()
    assert await bus.tasks.ask(bob, claim.id, "red?", claim_token=claim.claim_token) == asked
    assert await world.everything() == before
    await bus.tasks.ask(bob, claim.id, "blue?")
    assert [q.text for q in (await bus.messages.get(ann, claim.id)).questions] == ["blue?"]
    await bus.tasks.answer(ann, claim.id, "yes")
    again = await bus.tasks.ask(bob, claim.id, "blue?")
    assert [(q.text, q.answer) for q in again.message.questions] == [("blue?", "yes"), ("blue?", None)]


async def test_only_the_holder_asks(bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """The fence of every verb on a held task is on these too."""
    claim = await held(bus, ann, bob, channel)
    for call in (bus.tasks.ask(eve, claim.id, "x"), bus.tasks.await_answer(eve, claim.id, wait=LONG)):
        with pytest.raises(errors.NotClaimed):
            await call
    old = "0~" + claim.actor
    for call in (bus.tasks.ask(bob, claim.id, "x", claim_token=old), bus.tasks.await_answer(bob, claim.id, claim_token=old)):
        with pytest.raises(errors.LeaseLost):
            await call
    for call in (bus.tasks.ask(bob, f"{channel}:1-1", "x"), bus.tasks.await_answer(bob, f"{channel}:1-1")):
        with pytest.raises(errors.MessageNotFound):
            await call
    await made(bus, ann, f"{channel}-news", mode=Mode.BROADCAST)
    with pytest.raises(errors.ChannelNotClaimable):
        await bus.tasks.ask(bob, f"{channel}-news:1-1", "x")
    await bus.tasks.ack(bob, claim.id)
    with pytest.raises(errors.AlreadyFinished):
        await bus.tasks.ask(bob, claim.id, "x")


async def test_strangers_see_neither_note_nor_question(bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """On an open channel anybody may look at a task and learn that it waits for an answer, but not for which."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.heartbeat(bob, claim.id, note="secret 1")
    await bus.tasks.ask(bob, claim.id, "secret 2")
    for answered in (False, True):
        listed = [
            *(await bus.messages.subscribe(eve, channel)).items,
            *(await bus.messages.subscribe(eve, channel, since="0")).items,
        ]
        for seen in (await bus.messages.get(eve, claim.id), *listed):
            assert seen.hold is not None
            assert seen.state is (State.IN_FLIGHT if answered else State.INPUT_REQUIRED)
            assert (seen.hold.progress, list(seen.questions)) == (None, [])
        for allowed in (ann, bob):
            seen = await bus.messages.get(allowed, claim.id)
            assert seen.hold is not None
            assert seen.hold.progress is not None
            assert seen.questions[-1].text == "secret 2"
        if not answered:
            await bus.tasks.answer(ann, claim.id, "secret 3")


@pytest.mark.parametrize("text", ["", " \n", "\ud800", "x" * 65_537], ids=["empty", "blank", "surrogate", "large"])
async def test_what_is_no_question_is_refused(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str, text: str
) -> None:
    """Nor answer: the field is named, and nothing is stored."""
    claim = await held(bus, ann, bob, channel)
    before = await world.everything()
    expected = errors.ContentTooLarge if len(text) > 9 else errors.InvalidInput
    for field, call in (("question", bus.tasks.ask(bob, claim.id, text)), ("answer", bus.tasks.answer(ann, claim.id, text))):
        with pytest.raises(expected) as refused:
            await call
        assert refused.value.details["field"] == field
    assert await world.everything() == before
