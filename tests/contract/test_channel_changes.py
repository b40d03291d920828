"""Changing a channel: its owner may, all at once or not at all."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest

from bus import Access, Bus, Caller, Mode, NewChannel, errors
from bus.models import ChannelChanges, RelatedChannel
from bus.streams import bus_over

from .verbs import LONG, drained, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio
SCHEMA: dict[str, Any] = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
HOOK = "https://example.com/hook?token=abc"


async def test_every_setting_can_be_changed(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """What is changed is seen by everybody, what is not stays, and `updated_at` moves."""
    other = await made(bus, bob, f"{channel}-other", mode=Mode.BROADCAST)
    before = (await bus.channels.create(ann, NewChannel(name=channel, pinned_message="old", max_messages=5))).channel
    await world.passed(2)
    changes: ChannelChanges = {
        "name": f" {channel.upper()} ", "access": Access.RESTRICTED, "discoverable": False, "description": "new",
        "metadata_schema": SCHEMA, "pinned_message": None, "related_channels": [other.upper(), other],
        "retention": timedelta(days=3), "lease": timedelta(seconds=90), "max_deliveries": 9, "max_messages": None,
        "max_writes_per_minute": 7, "paused": True, "webhook_url": HOOK, "webhook_secret": "hush",
    }  # fmt: skip
    after = await bus.channels.update(ann, channel, changes)
    assert after == await bus.channels.get(ann, channel)
    assert (after.name, after.access, after.discoverable, after.description) == (channel.upper(), "restricted", False, "new")
    assert (dict(after.metadata_schema), after.pinned_message, after.has_webhook) == (SCHEMA, None, True)
    assert list(after.related_channels) == [RelatedChannel(other, other, Mode.BROADCAST)]
    assert (after.retention, after.lease, after.max_deliveries) == (timedelta(days=3), timedelta(seconds=90), 9)
    assert (after.max_messages, after.max_writes_per_minute, after.paused) == (None, 7, True)
    assert (after.id, after.mode, after.ttl, after.created_at) == (before.id, before.mode, before.ttl, before.created_at)
    assert after.updated_at > before.updated_at


async def test_what_can_be_empty_is_emptied(bus: Bus, ann: Caller, channel: str) -> None:
    """None takes a setting away, as if it had never been given."""
    await made(
        bus, ann, channel, description="d", pinned_message="p", metadata_schema=SCHEMA, max_messages=5,
        max_writes_per_minute=5, webhook_url=HOOK, webhook_secret="hush",
    )  # fmt: skip
    nothing = cast(
        "ChannelChanges",
        dict.fromkeys(
            ("description", "pinned_message", "metadata_schema", "max_messages", "max_writes_per_minute", "webhook_url")
        ),
    )
    found = await bus.channels.update(ann, channel, nothing)
    assert (found.description, found.pinned_message, dict(found.metadata_schema), found.has_webhook) == ("", None, {}, False)
    assert (found.max_messages, found.max_writes_per_minute) == (None, None)
    await posted(bus, ann, channel, metadata={"anything": "goes"})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ttl_seconds": 600}, "invalid_fields"),
        ({"owner_key_id": "bck_x"}, "invalid_fields"),
        ({"name": "elsewhere"}, "invalid_name"),
        ({"name": "a{b}"}, "invalid_channel_name"),
        ({"name": None}, None),
        ({"mode": "topic"}, "invalid_mode"),
        ({"access": "closed"}, "invalid_access"),
        ({"access": None}, "invalid_access"),
        ({"retention": None}, None),
        ({"lease": None}, None),
        ({"discoverable": 1}, "invalid_discoverable"),
        ({"paused": "yes"}, "invalid_paused"),
        ({"description": 5}, "invalid_string"),
        ({"retention": timedelta(days=366)}, "invalid_retention_days"),
        ({"lease": timedelta(0)}, "invalid_lease_seconds"),
        ({"max_deliveries": 0}, "invalid_max_deliveries"),
        ({"max_messages": 1_000_001}, "invalid_max_messages"),
        ({"max_writes_per_minute": 2.5}, "invalid_max_writes_per_minute"),
        ({"metadata_schema": {"type": "nonsense"}}, "invalid_metadata_schema"),
        ({"related_channels": [5]}, "invalid_related_channels"),
        ({"related_channels": ["x"] * 21}, "invalid_related_channels"),
        ({"related_channels": ["a{b}"]}, "invalid_channel_name"),
        ({"webhook_url": "ftp://example.com"}, "invalid_webhook_url"),
        ({"webhook_url": "http://169.254.169.254/"}, "invalid_webhook_url"),
        ({"webhook_secret": ""}, "invalid_string"),
    ],
)
async def test_nothing_changes_unless_everything_can(
    world: World, bus: Bus, ann: Caller, channel: str, changes: dict[str, Any], code: str | None
) -> None:
    """The field that is wrong is named, and what was right beside it is not done either."""
    await made(bus, ann, channel)
    before = await world.everything()
    both = cast("ChannelChanges", {"pinned_message": "new", **changes})
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.channels.update(ann, channel, both)
    assert code is None or errors.code_of(refused.value) == code
    assert refused.value.details["field"]
    assert await world.everything() == before


async def test_unknown_fields_are_all_named(bus: Bus, ann: Caller, channel: str) -> None:
    """So that a client mends them in one go."""
    await made(bus, ann, channel)
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.channels.update(ann, channel, cast("ChannelChanges", {"ttl_seconds": 5, "colour": "red", "paused": True}))
    assert sorted(refused.value.details["fields"]) == ["colour", "ttl_seconds"]


async def test_only_the_owner_changes_it(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Open or not, for whoever may use it or not."""
    await made(bus, ann, channel)
    before = await world.everything()
    for name, kind in ((channel, errors.Forbidden), (f"{channel}-none", errors.ChannelNotFound)):
        with pytest.raises(kind):
            await bus.channels.update(bob, name, {"description": "mine"})
        with pytest.raises(kind):
            await bus.channels.add_alias(bob, name, f"{channel}-alias")
        with pytest.raises(kind):
            await bus.channels.delete(bob, name)
    assert await world.everything() == before


async def test_managing_needs_its_scope(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """A key that may not manage channels manages none, its own neither."""
    await made(bus, ann, channel)
    narrow = await bus.credentials.set_scopes(ann, ["messages:read", "channels:read"])
    for verb in (
        bus.channels.update(narrow, channel, {"description": "d"}), bus.channels.delete(narrow, channel),
        bus.channels.add_alias(narrow, channel, f"{channel}-alias"), bus.channels.create(narrow, NewChannel(f"{channel}-2")),
    ):  # fmt: skip
        with pytest.raises(errors.InsufficientScope):
            await verb
    assert (await bus.channels.get(narrow, channel)).description == ""


async def test_the_mode_changes_only_while_nothing_was_posted(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Back and forth before; never again after, even when all that was posted is finished."""
    await made(bus, ann, channel)
    assert (await bus.channels.update(ann, channel, {"mode": Mode.BROADCAST})).mode is Mode.BROADCAST
    with pytest.raises(errors.ChannelNotClaimable):
        await bus.tasks.claim(bob, channel)
    assert (await bus.channels.update(ann, channel, {"mode": Mode.CLAIMABLE})).mode is Mode.CLAIMABLE
    await posted(bus, ann, channel)
    assert await drained(bus, bob, channel) == ["do it"]
    with pytest.raises(errors.ChannelNotEmpty):
        await bus.channels.update(ann, channel, {"mode": Mode.BROADCAST, "description": "d"})
    assert (await bus.channels.update(ann, channel, {"mode": Mode.CLAIMABLE})).description == ""


async def test_what_was_news_never_becomes_work(bus: Bus, ann: Caller, channel: str) -> None:
    """Also when it was taken back."""
    await made(bus, ann, channel, mode=Mode.BROADCAST)
    message = (await bus.broadcasts.broadcast(ann, channel, "x")).message
    await bus.messages.retract(ann, message.id)
    with pytest.raises(errors.ChannelNotEmpty):
        await bus.channels.update(ann, channel, {"mode": Mode.CLAIMABLE})


async def test_closing_a_channel_shuts_others_out_and_opening_it_lets_them_in(
    bus: Bus, ann: Caller, bob: Caller, eve: Caller, channel: str
) -> None:
    """Members stay what they are meanwhile."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    asked = await bus.access.request_access(bob, channel)
    assert asked.request_id is not None
    await bus.access.approve_access_request(ann, channel, asked.request_id)
    await bus.channels.update(ann, channel, {"access": Access.OPEN})
    await posted(bus, eve, channel)
    await bus.channels.update(ann, channel, {"access": Access.RESTRICTED})
    with pytest.raises(errors.ChannelAccessDenied):
        await posted(bus, eve, channel)
    assert await drained(bus, bob, channel) == ["do it"]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({"access": Access.RESTRICTED}, errors.ChannelAccessDenied), ({"mode": Mode.BROADCAST}, errors.ChannelNotClaimable)],
)
async def test_who_waits_and_may_no_longer_is_told(
    world: World, bus: Bus, ann: Caller, bob: Caller, channel: str, changes: ChannelChanges, kind: type[errors.BusError]
) -> None:
    """At once, each of them, wherever it was changed."""
    await made(bus, ann, channel)

    async def told() -> None:
        with pytest.raises(kind):
            await bus.tasks.claim(bob, channel, wait=LONG)

    async with asyncio.timeout(LONG.total_seconds() / 2), asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(told())
        await world.parked(3)
        await bus_over(world.other).channels.update(ann, channel, changes)


async def test_a_listed_channel_can_be_hidden_and_shown(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """By the next look at the list."""
    await made(bus, ann, channel)

    async def listed() -> bool:
        return channel in {c.id for c in (await bus.channels.list(bob, limit=100)).items}

    assert await listed()
    await bus.channels.update(ann, channel, {"discoverable": False})
    assert not await listed()
    await bus.channels.update(ann, channel, {"discoverable": True})
    assert await listed()


async def test_a_changed_lease_counts_from_the_next_claim_on(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """And so do the deliveries that a task may have."""
    await posted(bus, ann, channel)
    await bus.channels.update(ann, channel, {"lease": timedelta(hours=2), "max_deliveries": 1})
    claim = await bus.tasks.claim(ann, channel)
    assert claim is not None
    assert claim.message.hold is not None
    assert claim.lease_expires_at - claim.message.hold.claimed_at == timedelta(hours=2)
    await world.expire(claim.id)
    assert await bus.tasks.claim(ann, channel) is None
    assert (await bus.channels.counts(ann, channel)).dead == 1


async def test_pausing_does_not_disturb_who_waits(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A paused channel takes nothing; once it goes on, the waiting claim gets what comes."""
    await made(bus, ann, channel)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.claim(bob, channel, wait=LONG))
        await world.parked()
        await bus.channels.update(ann, channel, {"paused": True})
        with pytest.raises(errors.ChannelPaused):
            await posted(bus, ann, channel)
        await bus_over(world.other).channels.update(ann, channel, {"paused": False})
        await posted(bus, ann, channel)
    claim = waiting.result()
    assert claim is not None


async def test_related_channels_exist_and_are_shown_as_they_are(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """By name or alias, each once; one that is deleted is left out, one that changes is shown changed."""
    one, two = await made(bus, bob, f"{channel}-1"), await made(bus, bob, f"{channel}-2")
    await bus.channels.add_alias(bob, two, f"{channel}-second")
    for missing in ([f"{channel}-3"], [one, f"{channel}-3"]):
        with pytest.raises(errors.ChannelNotFound):
            await bus.channels.create(ann, NewChannel(name=channel, related_channels=missing))
    await made(bus, ann, channel, related_channels=[one, f"{channel}-second", two])
    assert [r.id for r in (await bus.channels.get(ann, channel)).related_channels] == [one, two]
    await bus.channels.update(bob, one, {"mode": Mode.BROADCAST, "name": one.upper()})
    await bus.channels.delete(bob, two)
    assert list((await bus.channels.get(ann, channel)).related_channels) == [RelatedChannel(one, one.upper(), Mode.BROADCAST)]
    with pytest.raises(errors.InvalidInput):
        await bus.channels.update(ann, channel, {"related_channels": [channel]})
    assert not (await bus.channels.update(ann, channel, {"related_channels": []})).related_channels


async def test_a_webhook_is_told_to_nobody(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Neither its URL nor its secret is in any answer; that there is one is."""
    created = await bus.channels.create(ann, NewChannel(name=channel, webhook_url=HOOK, webhook_secret="hush"))
    changed = await bus.channels.update(ann, channel, {"webhook_secret": "hush"})
    kept = await world.redis("HMGET", world.keys.channel(channel), "webhook_url", "webhook_secret")
    assert kept == [HOOK, "hush"]
    for found in (created.channel, changed, await bus.channels.get(ann, channel), created):
        assert "hush" not in repr(found)
        assert "example.com" not in repr(found)
    assert changed.has_webhook
