"""Idempotency keys: a request that is sent again does its work once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from bus import Bus, Caller, errors

from .verbs import claimed, drained
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_the_same_key_and_body_give_the_first_message_again(bus: Bus, ann: Caller, channel: str) -> None:
    """One task, `replayed` from the second answer on."""
    body: dict[str, Any] = {"metadata": {"n": 1}, "label": "a", "delay": timedelta(seconds=5), "idempotency_key": "k"}
    first = await bus.tasks.post(ann, channel, "x", **body)
    again = await bus.tasks.post(ann, channel, "x", **body)
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.message.id, again.message.content, again.message.metadata) == (first.message.id, "x", {"n": 1})
    assert (await bus.channels.counts(ann, channel)).total == 1


async def test_a_replay_tells_how_the_task_stands_now(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """After its outcome too, and after it has fallen off the stream."""
    first = await bus.tasks.post(ann, channel, "x", idempotency_key="k")
    for _ in range(101):
        claim = await claimed(bus, bob, channel)
        await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result="r")
        again = await bus.tasks.post(ann, channel, "x", idempotency_key="k")
        assert again.message.outcome is not None
        assert (again.message.id, again.replayed, again.message.outcome.result) == (first.message.id, True, "r")
        await bus.tasks.post(ann, channel, "next")


@pytest.mark.parametrize(
    "change", [{"content": "y"}, {"metadata": {"n": 2}}, {"label": "b"}, {"actor": "other"}, {"delay": timedelta(seconds=9)}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
async def test_the_same_key_with_another_body_is_refused(
    world: World, bus: Bus, ann: Caller, channel: str, change: dict[str, Any]
) -> None:
    """Whatever differs, it is another request; nothing is stored."""
    if "actor" in change:
        change = {"actor": f"{ann.label}-2"}
    delay = timedelta(seconds=5)
    body: dict[str, Any] = {"content": "x", "metadata": {"n": 1}, "label": "a", "actor": ann.label, "delay": delay}
    await bus.tasks.post(ann, channel, **body, idempotency_key="k")
    before = await world.everything()
    with pytest.raises(errors.IdempotencyConflict):
        await bus.tasks.post(ann, channel, **{**body, **change}, idempotency_key="k")
    assert await world.everything() == before


async def test_a_key_is_bound_to_channel_and_api_key(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Elsewhere, or in another's hand, it is another key."""
    posts = [
        await bus.tasks.post(ann, channel, "x", idempotency_key="k"),
        await bus.tasks.post(ann, f"{channel}-2", "y", idempotency_key="k"),
        await bus.tasks.post(bob, channel, "z", idempotency_key="k"),
        await bus.tasks.post(ann, channel, "x", idempotency_key="K"),
    ]
    assert len({p.message.id for p in posts}) == 4
    assert not any(p.replayed for p in posts)


async def test_concurrent_posts_with_one_key_make_one_message(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Also when the channel has to be made for them."""
    for _ in range(5):
        name, key = f"{channel}-{uuid4().hex[:4]}", uuid4().hex
        answers = await asyncio.gather(*(bus.tasks.post(ann, name, "x", idempotency_key=key) for _ in range(8)))
        assert len({a.message.id for a in answers}) == 1
        assert sorted(a.replayed for a in answers) == [False] + [True] * 7
        assert await drained(bus, bob, name) == ["x"]


async def test_broadcasts_take_idempotency_keys_too(bus: Bus, ann: Caller, channel: str) -> None:
    """The same promise for news; its cursor reads on behind the message."""
    first = await bus.broadcasts.broadcast(ann, channel, "x", idempotency_key="k")
    again = await bus.broadcasts.broadcast(ann, channel, "x", idempotency_key="k")
    assert (again.message.id, again.replayed) == (first.message.id, True)
    with pytest.raises(errors.IdempotencyConflict):
        await bus.broadcasts.broadcast(ann, channel, "y", idempotency_key="k")
    await bus.broadcasts.broadcast(ann, channel, "z")
    page = await bus.messages.subscribe(ann, channel, since=again.cursor)
    assert [m.content for m in page.items] == ["z"]
