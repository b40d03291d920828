"""Tasks from their post to their outcome: kept until they have one, and they have exactly one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bus import Bus, Caller, Mode, NewChannel, State, errors
from bus.models import Acked

from .verbs import LONG, claimed, drained, held, made, posted, state
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_a_posted_task_is_kept_as_it_was_sent(bus: Bus, ann: Caller, channel: str) -> None:
    """Posted is kept: content untrimmed, metadata, label and poster, waiting for whoever comes."""
    content = "  Zeile 1\n\tzwei \U0001f98a  "
    answer = await bus.tasks.post(ann, channel, content, metadata={"pr": 7, "deep": [{"a": None}]}, label="night shift")
    assert (answer.channel_created, answer.replayed, answer.message.state) == (True, False, State.WAITING)
    found = await bus.messages.get(ann, answer.message.id)
    assert (found.content, found.metadata, found.label) == (content, {"pr": 7, "deep": [{"a": None}]}, "night shift")
    assert (found.key_id, found.state, found.deliveries) == (ann.key_id, State.WAITING, 0)
    assert (found.hold, found.outcome) == (None, None)
    assert found.id.startswith(f"{channel}:")
    assert found.expires_at > found.posted_at


async def test_two_posts_are_two_tasks(bus: Bus, ann: Caller, channel: str) -> None:
    """The same content twice is work twice, unless an idempotency key says otherwise."""
    first, second = await posted(bus, ann, channel), await posted(bus, ann, channel)
    assert first.id != second.id
    assert await drained(bus, ann, channel) == ["do it", "do it"]


async def test_tasks_are_first_handed_out_in_posting_order(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Order: the oldest first, whoever asks."""
    for number in range(12):
        await posted(bus, ann, channel, str(number))
    assert [(await claimed(bus, ann if n % 2 else bob, channel)).content for n in range(12)] == [str(n) for n in range(12)]


async def test_a_claim_carries_what_was_posted(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Whoever works on it needs no second call."""
    message = await posted(bus, ann, channel, "review", metadata={"n": 1}, label="a")
    claim = await claimed(bus, bob, channel)
    assert (claim.id, claim.content, claim.message.metadata, claim.message.label) == (message.id, "review", {"n": 1}, "a")
    assert (claim.actor, claim.delivery, claim.message.state) == (bob.label, 1, State.IN_FLIGHT)
    assert claim.message.hold is not None
    assert (claim.message.hold.key_id, claim.message.hold.lease_expires_at) == (bob.key_id, claim.lease_expires_at)


@pytest.mark.parametrize(
    "result",
    [
        None,
        True,
        False,
        0,
        -1.5,
        1e300,
        12345678901234567,
        "",
        "text \u00e9\u4e2d\U0001f98a\n",
        [],
        {},
        [1, [2, {}]],
        {"a": [], "b": {"c": None}},
    ],
    ids=repr,
)
async def test_any_json_value_is_a_result(bus: Bus, ann: Caller, bob: Caller, channel: str, result: Any) -> None:
    """What the holder gave is what the poster gets, of the same kind, empty ones included."""
    claim = await held(bus, ann, bob, channel)
    acked = (await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result=result)).message
    awaited = await bus.tasks.await_result(ann, claim.id)
    for seen in (acked, awaited):
        assert seen.outcome is not None
        assert (seen.state, seen.outcome.result) == (State.DONE, result)
        assert type(seen.outcome.result) is type(result)


@pytest.mark.parametrize("status", ["done", "failed"])
async def test_the_holder_says_how_it_went(bus: Bus, ann: Caller, bob: Caller, channel: str, status: Any) -> None:
    """Both outcomes carry result and reason, and say by whom, of which delivery and when."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, status=status, result={"n": 1}, reason="because")
    ended = await bus.messages.get(ann, claim.id)
    assert ended.outcome is not None
    assert claim.message.hold is not None
    assert ended.state == ended.outcome.state == State(status)
    assert (ended.outcome.result, ended.outcome.reason) == ({"n": 1}, "because")
    assert (ended.outcome.actor, ended.outcome.key_id, ended.outcome.delivery) == (bob.label, bob.key_id, 1)
    assert ended.outcome.claimed_at == claim.message.hold.claimed_at
    assert ended.outcome.finished_at >= claim.message.hold.claimed_at
    assert ended.content == "do it"


async def test_a_repeated_ack_answers_as_the_first_did(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A lost answer is asked for again: the first outcome stands, with the first result."""
    claim = await held(bus, ann, bob, channel)
    first = await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result=1)
    again = Acked(first.message, repeated=True)
    assert await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result=2) == again
    assert await bus.tasks.ack(bob, claim.id, status="failed") == again
    assert first.message.outcome is not None
    assert (first.repeated, first.message.outcome.result) == (False, 1)


async def test_one_outcome_is_all_a_task_gets(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """After the outcome every other verb is refused, by holder and others."""
    claim = await held(bus, ann, bob, channel)
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result=1)
    with pytest.raises(errors.AlreadyFinished) as refused:
        await bus.tasks.ack(ann, claim.id, result=2)
    assert refused.value.details["state"] == "done"
    for verb in (bus.tasks.heartbeat, bus.tasks.release, bus.tasks.fail):
        with pytest.raises(errors.AlreadyFinished):
            await verb(bob, claim.id, claim_token=claim.claim_token)
    for verb in (bus.tasks.claim_message, bus.tasks.cancel):
        with pytest.raises(errors.AlreadyFinished):
            await verb(ann, claim.id)
    assert await bus.tasks.claim(ann, channel) is None


async def test_several_channels_are_tried_in_the_order_given(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The first channel with work wins, not the oldest task."""
    names = [f"{channel}-{n}" for n in range(3)]
    for name in reversed(names):
        await posted(bus, ann, name, name)
    wanted = [names[1], names[0], names[2]]
    got = [claim.content for _ in names if (claim := await bus.tasks.claim(bob, wanted))]
    assert got == wanted
    assert await bus.tasks.claim(bob, wanted) is None


async def test_task_verbs_are_refused_on_a_broadcast_channel(bus: Bus, ann: Caller, channel: str) -> None:
    """News is not work: each verb says so."""
    news = (await bus.broadcasts.broadcast(ann, channel, "news")).message
    with pytest.raises(errors.ChannelNotClaimable):
        await bus.tasks.claim(ann, channel)
    with pytest.raises(errors.ChannelNotClaimable):
        await bus.tasks.post(ann, channel, "x")
    with pytest.raises(errors.ChannelNotClaimable):
        await bus.tasks.dead_letters(ann, channel)
    with pytest.raises(errors.ChannelNotClaimable):
        await bus.tasks.redrive(ann, channel, [f"{channel}:1-1"])
    for verb in (bus.tasks.claim_message, bus.tasks.heartbeat, bus.tasks.release, bus.tasks.fail, bus.tasks.cancel):
        with pytest.raises(errors.ChannelNotClaimable):
            await verb(ann, news.id)


async def test_claiming_again_says_how_it_stands_with_the_task(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Held before, it is that claim again; finished by this actor, its error says so; by another, only that it is finished."""
    message = await posted(bus, ann, channel)
    claim = await bus.tasks.claim_message(bob, message.id)
    again = await bus.tasks.claim_message(bob, message.id, lease=timedelta(hours=2))
    assert (claim.held_before, again) == (False, replace(claim, held_before=True))
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
    for caller, actor, by_caller in ((bob, None, True), (bob, f"{channel}-2", None), (ann, None, None)):
        with pytest.raises(errors.AlreadyFinished) as finished:
            await bus.tasks.claim_message(caller, message.id, actor=actor)
        assert (finished.value.details["state"], finished.value.details.get("by_caller")) == ("done", by_caller)


async def test_verbs_on_what_does_not_exist_say_message_not_found(bus: Bus, ann: Caller, channel: str) -> None:
    """No such message, no such channel, or no message id at all: all the same to who looks for one."""
    await posted(bus, ann, channel)
    for missing in (f"{channel}:1-1", f"no-such-{channel}:1-1", "nonsense", f"{channel}:", "a{b}:1-1"):
        for verb in (
            bus.tasks.claim_message, bus.tasks.heartbeat, bus.tasks.release, bus.tasks.fail, bus.tasks.ack, bus.tasks.cancel,
            bus.tasks.await_result, bus.messages.get,
        ):  # fmt: skip
            with pytest.raises(errors.MessageNotFound):
                await verb(ann, missing)


async def test_claiming_needs_an_existing_channel_and_names_the_nearest(
    world: World, bus: Bus, ann: Caller, channel: str
) -> None:
    """Who misspells a name learns which it may have meant; posting creates the channel, claiming does not."""
    await made(bus, ann, f"{channel}-reviews")
    with pytest.raises(errors.ChannelNotFound) as missing:
        await bus.tasks.claim(ann, f"{channel}-review", wait=LONG)
    assert f"{channel}-reviews" in missing.value.details["nearest"]
    assert not await world.redis("EXISTS", world.keys.channel(f"{channel}-review"))


async def test_one_name_is_one_channel_for_all_verbs(
    bus: Bus, somebody: Callable[[str], Awaitable[Caller]], channel: str
) -> None:
    """However the name is written and whoever writes it: posting, claiming and reading meet."""
    ann, bob = await somebody("ann"), await somebody("bob")
    await bus.channels.create(ann, NewChannel(name=f"Ops Alerts {channel}", mode=Mode.CLAIMABLE))
    await posted(bus, bob, f"ops-alerts-{channel}", "1")
    await posted(bus, bob, f"  OPS   ALERTS {channel.upper()} ", "2")
    await posted(bus, bob, f"\uff2f\uff50\uff53-alerts-{channel}", "3")
    assert await drained(bus, ann, f"ops alerts {channel}") == ["1", "2", "3"]
    assert (await bus.channels.get(bob, f"OPS-ALERTS {channel}")).id == f"ops-alerts-{channel}"


async def test_a_task_keeps_its_state_in_counts(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Counts are exact in every state, at every step from one to the next."""

    async def counts() -> tuple[int, ...]:
        c = await bus.channels.counts(ann, channel)
        return c.total, c.waiting, c.delayed, c.in_flight, c.done, c.dead

    await made(bus, ann, channel, max_deliveries=1)
    assert await counts() == (0, 0, 0, 0, 0, 0)
    for _ in range(5):
        await posted(bus, ann, channel)
    await posted(bus, ann, channel, delay=LONG)
    assert await counts() == (6, 5, 1, 0, 0, 0)
    one, two, three = [await claimed(bus, bob, channel) for _ in range(3)]
    assert await counts() == (6, 2, 1, 3, 0, 0)
    await bus.tasks.ack(bob, one.id)
    assert await counts() == (6, 2, 1, 2, 1, 0)
    await bus.tasks.fail(bob, two.id)
    assert await counts() == (5, 2, 1, 1, 1, 1)
    await bus.tasks.release(bob, three.id)
    assert await counts() == (5, 3, 1, 0, 1, 1)
    four = await claimed(bus, bob, channel)
    await world.expire(four.id)
    assert await counts() == (5, 3, 1, 0, 1, 1)
    await bus.tasks.cancel(ann, four.id)
    assert await counts() == (5, 2, 1, 0, 2, 1)
    assert await drained(bus, bob, channel) == ["do it"] * 2
    assert await counts() == (5, 0, 1, 0, 4, 1)
    assert await state(bus, ann, four.id) is State.CANCELLED
