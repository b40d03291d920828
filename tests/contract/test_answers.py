"""Answers: by the poster or the owner, once, and to whoever works on the task; or the task is called off instead."""

from __future__ import annotations

import asyncio

import pytest

from bus import Access, Bus, Caller, State, errors
from bus.streams import bus_over

from .verbs import LONG, claimed, held, made, posted, refusal, state
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_the_answer_to_a_worker_that_died_goes_to_the_next(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """What was asked and answered stays with the task, whoever works on it."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ask(bob, claim.id, "which colour?")
    await bus.tasks.answer(ann, claim.id, "red")
    await world.expire(claim.id)
    assert await state(bus, ann, claim.id) is State.WAITING
    taken = await claimed(bus, eve, channel)
    assert (taken.delivery, taken.message.state) == (2, State.IN_FLIGHT)
    assert [(q.text, q.key_id, q.answer) for q in taken.message.questions] == [("which colour?", bob.key_id, "red")]
    with pytest.raises(errors.LeaseLost):
        await bus.tasks.await_answer(bob, claim.id, claim_token=claim.claim_token)


async def test_cancelling_while_asked_ends_the_task_and_the_holder_s_wait(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """At once; and whatever the holder calls next says that the task was called off."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ask(bob, claim.id, "which?")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(refusal(bus.tasks.await_answer(bob, claim.id, claim_token=claim.claim_token, wait=LONG)))
        await world.parked()
        cancelled = await bus_over(world.other).tasks.cancel(ann, claim.id, reason="no longer needed")
    assert cancelled.outcome is not None
    assert (cancelled.state, cancelled.outcome.delivery) == (State.CANCELLED, 1)
    assert isinstance(waiting.result(), errors.TaskCancelled)
    for verb in ("heartbeat", "release", "fail", "ack", "await_answer"):
        with pytest.raises(errors.TaskCancelled) as told:
            await getattr(bus.tasks, verb)(bob, claim.id, claim_token=claim.claim_token)
        assert "no longer needed" in told.value.message
    with pytest.raises(errors.AlreadyFinished):
        await bus.tasks.heartbeat(eve, claim.id)
    with pytest.raises(errors.AlreadyFinished):
        await bus.tasks.answer(ann, claim.id, "that one")


async def test_the_same_answer_changes_nothing_and_another_is_refused(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """One answer to one question, from whoever of the two gave it."""
    await made(bus, eve, channel)
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ask(bob, claim.id, "red?")
    answered = await bus.tasks.answer(ann, claim.id, "yes")
    before = await world.everything()
    assert await bus.tasks.answer(ann, claim.id, "yes") == answered
    for caller, text in ((ann, "no"), (eve, "yes")):
        with pytest.raises(errors.NotAsked):
            await bus.tasks.answer(caller, claim.id, text)
    assert await world.everything() == before
    assert answered.questions[-1].answered_by == ann.label


async def test_of_two_answers_at_once_one_counts(bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """The holder never sees an answer replaced."""
    await made(bus, eve, channel)
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ask(bob, claim.id, "how many?")
    given = await asyncio.gather(
        *(refusal(bus.tasks.answer(caller, claim.id, str(n))) for n, caller in enumerate((ann, eve) * 3))
    )
    counted = [n for n, each in enumerate(given) if not isinstance(each, errors.NotAsked)]
    (last,) = (await bus.tasks.await_answer(bob, claim.id)).message.questions
    assert [str(n) for n in counted] == [last.answer]


async def test_cancel_and_answer_at_once_leave_the_task_cancelled_or_asked_to_be(
    bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Whichever came first: the holder's next call says that it is over."""
    for _ in range(5):
        claim = await held(bus, ann, bob, channel)
        await bus.tasks.ask(bob, claim.id, "which?")
        await asyncio.gather(refusal(bus.tasks.answer(ann, claim.id, "a")), bus.tasks.cancel(ann, claim.id))
        with pytest.raises(errors.TaskCancelled):
            await bus.tasks.await_answer(bob, claim.id, claim_token=claim.claim_token, wait=LONG)
        assert await state(bus, ann, claim.id) is State.CANCELLED


async def test_only_poster_and_owner_answer(bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """On an open channel others change nothing, the holder included; where nothing is asked, nothing is answered."""
    await made(bus, eve, channel)
    claim = await held(bus, ann, bob, channel)
    with pytest.raises(errors.NotAsked):
        await bus.tasks.answer(ann, claim.id, "x")
    waiting = await posted(bus, ann, channel)
    with pytest.raises(errors.NotAsked):
        await bus.tasks.answer(ann, waiting.id, "x")
    await bus.tasks.ask(bob, claim.id, "which?")
    with pytest.raises(errors.Forbidden):
        await bus.tasks.answer(bob, claim.id, "x")
    with pytest.raises(errors.MessageNotFound):
        await bus.tasks.answer(ann, f"{channel}:1-1", "x")
    answered = await bus.tasks.answer(eve, claim.id, "as owner")
    assert [(q.text, q.answer, q.answered_by_key_id) for q in answered.questions] == [("which?", "as owner", eve.key_id)]
    with pytest.raises(errors.ChannelNotClaimable):
        await bus.tasks.answer(ann, (await bus.broadcasts.broadcast(ann, f"{channel}-news", "x")).message.id, "x")


async def test_who_was_shut_out_neither_asks_nor_answers(bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """A restricted channel is for its members; a holder who was one may still bring its task to an end."""
    await made(bus, eve, channel, access=Access.RESTRICTED)
    for member in (ann, bob):
        await bus.members.add(eve, channel, member.key_id)
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ask(bob, claim.id, "which?")
    await bus.members.remove(eve, channel, ann.key_id)
    with pytest.raises(errors.ChannelAccessDenied):
        await bus.tasks.answer(ann, claim.id, "x")
    assert (await bus.tasks.answer(eve, claim.id, "that one")).state is State.IN_FLIGHT


async def test_of_many_questions_the_last_ten_are_kept(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """And of long ones the last that fit: what a task carries is bounded."""
    claim = await held(bus, ann, bob, channel)
    for number in range(12):
        await bus.tasks.ask(bob, claim.id, f"{number}?")
        answered = await bus.tasks.answer(ann, claim.id, str(number))
    assert [q.answer for q in answered.questions] == [str(number) for number in range(2, 12)]
    for number in range(4):
        await bus.tasks.ask(bob, claim.id, f"{number}" * 60_000)
        answered = await bus.tasks.answer(ann, claim.id, "x" * 60_000)
    assert [q.text[0] for q in answered.questions] == ["2", "3"]


async def test_a_wait_for_an_answer_leaves_nothing_when_it_is_cut_off(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """The question stays open, and the next wait gets the answer."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ask(bob, claim.id, "which?")
    waiting = asyncio.ensure_future(bus.tasks.await_answer(bob, claim.id, wait=LONG))
    await world.parked()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await bus.tasks.answer(ann, claim.id, "that one")
    assert (await bus.tasks.await_answer(bob, claim.id, wait=LONG)).message.questions[-1].answer == "that one"


async def test_a_wait_for_an_answer_ends_with_key_or_channel(
    world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Revoked or deleted, wherever that was done: who waits is told at once."""
    first, second = await held(bus, ann, bob, channel), await held(bus, ann, eve, channel)
    await bus.tasks.ask(bob, first.id, "which?")
    await bus.tasks.ask(eve, second.id, "which?")
    elsewhere = bus_over(world.other)
    async with asyncio.TaskGroup() as group:
        revoked = group.create_task(refusal(bus.tasks.await_answer(bob, first.id, wait=LONG)))
        deleted = group.create_task(refusal(bus.tasks.await_answer(eve, second.id, wait=LONG)))
        await world.parked(2)
        await elsewhere.credentials.revoke(bob)
        await elsewhere.channels.delete(ann, channel)
    assert [type(each.result()) for each in (revoked, deleted)] == [errors.Unauthorized, errors.MessageNotFound]
