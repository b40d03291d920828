"""Webhooks: what they are told of, how it is signed, and who may set them."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic_core import to_json

from api.shapes import messages as shapes
from bus import Access, Bus, Caller, Mode, errors
from bus.streams.webhooks import HandOver
from bus.streams.webhooks.queue import NAME
from tests.receivers import Receiver, receiving

from .hooks import deliver, forget_queue
from .verbs import claimed, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio
SECRET = "a long random text"


async def _hooked(world: World, bus: Bus, owner: Caller, receiver: Receiver, channel: str, **settings: Any) -> None:
    """A channel whose webhook is the receiver."""
    await forget_queue(world)
    await made(bus, owner, channel, webhook_url=receiver.url("/hook?token=t"), webhook_secret=SECRET, **settings)


def _hmac(said: bytes) -> str:
    return "sha256=" + hmac.new(SECRET.encode(), said, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("mode", list(Mode))
async def test_every_message_of_a_channel_is_told(world: World, bus: Bus, ann: Caller, channel: str, mode: Mode) -> None:
    """As the HTTP API shows it, in order where nothing fails."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel, mode=mode)
        said = [(await bus.messages.post(ann, channel, f"{n} ü", metadata={"n": n})).message for n in range(3)]
        assert await deliver(world, channel) == 3
        told = receiver.all()
    for received, message in zip(told, said, strict=True):
        shown = json.loads(to_json(shapes.message(await bus.messages.get(ann, message.id))))
        assert received.json == {"message": shown}
        assert received.target == "/hook?token=t"
    assert len({received.delivery for received in told}) == 3


async def test_what_is_sent_is_signed(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """The body as first clients check it; id, time and body together, so that a replay can be told; the event named."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel)
        await posted(bus, ann, channel)
        await deliver(world, channel)
        told = await receiver.next()
    seconds, _ = await world.redis("TIME")
    timestamp = told.headers["x-backchannel-timestamp"]
    assert abs(int(timestamp) - int(seconds)) < 30
    assert told.headers["x-backchannel-signature"] == _hmac(told.body)
    assert told.headers["x-backchannel-signature-v2"] == _hmac(f"{told.delivery}.{timestamp}.".encode() + told.body)
    assert told.headers["x-backchannel-event"] == "message.posted"
    assert told.headers["content-type"] == "application/json"
    assert told.headers["user-agent"] == "Backchannel-Webhook/1"
    assert told.headers["host"] == f"127.0.0.1:{receiver.port}"


async def test_without_a_secret_nothing_is_signed(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """No signature is better than one that anybody can make."""
    await forget_queue(world)
    async with receiving() as receiver:
        await made(bus, ann, channel, webhook_url=receiver.url())
        await posted(bus, ann, channel)
        await deliver(world, channel)
        assert not [name for name in (await receiver.next()).headers if "signature" in name]


async def test_an_approved_member_is_told(world: World, bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str) -> None:
    """Who was let in, and by whom; a denial and a member added by the owner are not told."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel, access=Access.RESTRICTED)
        for who, resolve in ((bob, bus.access.approve_access_request), (eve, bus.access.deny_access_request)):
            asked = await bus.access.request_access(who, channel)
            await resolve(ann, channel, asked.request_id or "")
        await bus.members.add(ann, channel, eve.key_id)
        assert await deliver(world, channel) == 1
        told = await receiver.next()
    assert told.headers["x-backchannel-event"] == "member.approved"
    assert told.json == {"channel_id": channel, "member_key_id": bob.key_id, "approved_by": ann.key_id}


async def test_a_redriven_task_is_told_like_any_other(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """It is a new message, whatever became of the old one."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel, max_deliveries=1)
        await posted(bus, ann, channel)
        await bus.tasks.fail(ann, (await claimed(bus, ann, channel)).id)
        (letter,) = (await bus.tasks.dead_letters(ann, channel)).items
        (redriven,) = await bus.tasks.redrive(ann, channel, [letter.id])
        assert await deliver(world, channel) == 2
        assert redriven.message_id in [told.json["message"]["id"] for told in receiver.all() if told.json]


async def test_nothing_is_noted_where_nobody_is_told(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """A channel without a webhook and a message without mentions cost nothing."""
    await made(bus, ann, channel)
    await posted(bus, ann, channel)
    assert await world.redis("EXISTS", world.keys.outbox(channel)) == 0
    assert await HandOver(world.other).hand_on(channel) == 0


async def test_what_is_gone_by_then_is_not_told(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """A broadcast that was trimmed before it could be sent: the webhook is told of messages, not of their absence."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel, mode=Mode.BROADCAST)
        await bus.messages.post(ann, channel, "old")
        await world.redis("XTRIM", world.keys.stream(channel), "MAXLEN", 0)
        await bus.messages.post(ann, channel, "new")
        assert await deliver(world, channel) == 2
        assert [told.json["message"]["content"] for told in receiver.all()] == ["new"]
    assert list((await bus.webhooks.failures(ann, channel)).items) == []


async def test_a_new_channel_of_that_name_is_not_told_of_the_old_one(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """What was queued for a deleted channel is nobody's, least of all its successor's."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel, access=Access.RESTRICTED)
        await posted(bus, ann, channel)
        asked = await bus.access.request_access(bob, channel)
        await bus.access.approve_access_request(ann, channel, asked.request_id or "")
        assert await HandOver(world.other).hand_on(channel) == 2
        await bus.channels.delete(ann, channel)
        await world.passed(1)
        await made(bus, bob, channel, webhook_url=receiver.url("/bob"))
        assert await deliver(world, channel) == 2
        assert receiver.connections == 0


async def test_an_actors_webhook_is_set_shown_and_removed(bus: Bus, bob: Caller) -> None:
    """By its own key; the secret is never shown; an alias will do."""
    actor = (await bus.actors.create(bob, f"hook of {bob.label}")).name
    await bus.actors.add_alias(bob, actor, f"alias of {bob.label}")
    first = await bus.webhooks.set(bob, f"alias of {bob.label}", "https://example.com/a?b=c", secret=SECRET)
    assert (first.actor, first.url, first.has_secret) == (actor, "https://example.com/a?b=c", True)
    assert await bus.webhooks.get(bob, actor) == first
    second = await bus.webhooks.set(bob, actor, "https://example.com/b")
    assert (second.url, second.has_secret) == ("https://example.com/b", False)
    assert second.updated_at >= first.updated_at
    for _ in range(2):
        await bus.webhooks.delete(bob, actor)
    with pytest.raises(errors.WebhookNotFound):
        await bus.webhooks.get(bob, actor)


async def test_an_actors_webhook_is_its_own_keys_business(bus: Bus, bob: Caller, eve: Caller) -> None:
    """Another key neither sees nor changes it; it takes the scope to read, since it reads."""
    actor = (await bus.actors.create(bob, f"hook-{bob.label}")).name
    await bus.webhooks.set(bob, actor, "https://example.com/a")
    acts: list[tuple[Caller, str, type[errors.BusError]]] = [(eve, actor, errors.ActorForbidden)]
    acts += [(bob, f"no {actor}", errors.ActorNotFound)]
    for caller, name, error in acts:
        verbs: list[Callable[[], Any]] = [
            lambda who=caller, name=name: bus.webhooks.set(who, name, "https://example.com/b"),
            lambda who=caller, name=name: bus.webhooks.get(who, name),
            lambda who=caller, name=name: bus.webhooks.delete(who, name),
        ]
        for verb in verbs:
            with pytest.raises(error):
                await verb()
    assert (await bus.webhooks.get(bob, actor)).url == "https://example.com/a"


async def test_a_key_that_may_not_read_sets_no_webhook(bus: Bus, bob: Caller) -> None:
    """A webhook would read for it."""
    await bus.credentials.set_scopes(bob, ["messages:write"])
    writer = await bus.credentials.verify(bob.api_key or "")
    for verb in (
        bus.webhooks.set(writer, bob.label, "https://example.com/"), bus.webhooks.get(writer, bob.label),
        bus.webhooks.delete(writer, bob.label), bus.webhooks.failures(writer, "any"),
    ):  # fmt: skip
        with pytest.raises(errors.InsufficientScope):
            await verb


@pytest.mark.parametrize("url", ["ftp://example.com/", "http://10.0.0.1/", "https://u:p@example.com/", "x", ""])
async def test_a_webhook_leads_to_a_public_url(bus: Bus, bob: Caller, url: str) -> None:
    """tests/test_webhook_urls.py has the list of what is refused; nothing is stored."""
    actor = (await bus.actors.create(bob, f"hook-{bob.label}")).name
    with pytest.raises(errors.InvalidInput) as caught:
        await bus.webhooks.set(bob, actor, url)
    assert caught.value.reason_code == "invalid_webhook_url"
    with pytest.raises(errors.WebhookNotFound):
        await bus.webhooks.get(bob, actor)


@pytest.mark.parametrize(
    ("secret", "error"), [("", errors.InvalidInput), (" ", errors.InvalidInput), ("ü" * 257, errors.ContentTooLarge)]
)
async def test_a_secret_is_a_text(bus: Bus, bob: Caller, secret: str, error: type[errors.BusError]) -> None:
    """Up to 512 bytes, and not blank: an empty one would sign with what everybody knows."""
    actor = (await bus.actors.create(bob, f"hook-{bob.label}")).name
    with pytest.raises(error) as caught:
        await bus.webhooks.set(bob, actor, "https://example.com/", secret=secret)
    assert caught.value.details["field"] == "secret"


async def test_no_name_leads_to_the_queue(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """It is in no list and no index, and no verb takes its name, also after it was swept."""
    async with receiving() as receiver:
        await _hooked(world, bus, ann, receiver, channel)
        await posted(bus, ann, channel)
        assert await HandOver(world.other).hand_on(channel) == 1
        await world.sweep(NAME)
        for verb in (
            bus.channels.get(ann, NAME), bus.messages.subscribe(ann, NAME), bus.tasks.claim(ann, NAME),
            bus.messages.post(ann, NAME, "x"), bus.channels.counts(ann, NAME), bus.webhooks.failures(ann, NAME),
            bus.messages.get(ann, f"{NAME}:1-0"), bus.tasks.claim_message(ann, f"{NAME}:1-0"),
        ):  # fmt: skip
            with pytest.raises((errors.InvalidInput, errors.MessageNotFound)):
                await verb
        for index in (world.keys.channels, world.keys.discoverable, world.keys.owned("")):
            assert await world.redis("ZSCORE", index, NAME) is None
        assert await deliver(world, channel) == 1
