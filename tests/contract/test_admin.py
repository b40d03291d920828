"""What whoever runs the bus may do: API keys, minting, pausing channels, the audit trail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from bus import Access, Bus, Caller, errors
from bus.credentials import CLAIM, READ
from bus.remote import connect_remote
from bus.streams import bus_over

from .verbs import LONG, claimed, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio

Somebody = Callable[[str], Awaitable[Caller]]


def unique(name: str) -> str:
    return f"{name}-{uuid4().hex[:8]}"


@pytest.fixture
async def minting(world: World) -> AsyncGenerator[None]:
    """For who opens or closes minting: left as it was found."""
    yield
    await world.redis("HDEL", world.keys.config, "public_minting")


async def test_an_administrator_mints_while_minting_is_closed(world: World, bus: Bus, minting: None) -> None:
    """Closed for whoever asks on every replica at once, and over a restart; not for the administrator."""
    assert await bus.admin.public_minting() is True
    assert await bus.admin.set_public_minting(False) is False
    for one in (bus, bus_over(world.other)):
        assert await one.admin.public_minting() is False
        with pytest.raises(errors.MintingClosed):
            await one.credentials.issue(unique("ann"))
    label = unique("ann")
    issued = await bus.admin.issue_key(label)
    assert (await bus.credentials.verify(issued.api_key)).label == label
    with pytest.raises(errors.LabelInUse):
        await bus.admin.issue_key(label)
    assert await bus.admin.set_public_minting(True) is True
    await bus_over(world.other).credentials.issue(unique("ann"))


@pytest.mark.parametrize("label", [None, "", " \n", "a\x00b"])
async def test_an_administrator_s_label_is_checked_too(bus: Bus, label: str) -> None:
    """By the same rule, with the field named."""
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.admin.issue_key(label)
    assert refused.value.details["field"] == "agent_label"


async def test_keys_are_listed_newest_first_page_by_page(world: World, bus: Bus, somebody: Somebody) -> None:
    """Active and revoked ones, each once, whatever was minted within one millisecond; never a secret."""
    made_now = [await somebody(f"k{n}") for n in range(5)]
    await bus.credentials.revoke(made_now[2])
    last = await world.redis("ZSCORE", world.keys.api_keys, made_now[4].key_id)
    for each in made_now[1:]:
        await world.redis("ZADD", world.keys.api_keys, last, each.key_id)
    shown: list[str] = []
    cursor = None
    while not {each.key_id for each in made_now} <= set(shown):
        page = await bus.admin.list_keys(limit=2, cursor=cursor)
        shown += [record.key_id for record in page.items]
        for record in page.items:
            if record.key_id == made_now[2].key_id:
                assert record.revoked_at is not None
                assert record.label == made_now[2].label
        cursor = page.next_cursor
        assert cursor is not None
    assert len(shown) == len(set(shown))
    assert set(shown[:4]) == {each.key_id for each in made_now[1:]}
    assert shown[4] == made_now[0].key_id


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"limit": 0}, "invalid_limit"),
        ({"limit": 101}, "invalid_limit"),
        ({"cursor": "newest"}, "invalid_cursor"),
        ({"cursor": "1.²"}, "invalid_cursor"),
    ],
)
async def test_a_bad_page_is_refused(bus: Bus, options: dict[str, object], code: str) -> None:
    """As everywhere."""
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.admin.list_keys(**options)  # pyright: ignore[reportArgumentType]  # either option
    assert errors.code_of(refused.value) == code


async def test_a_rotated_key_keeps_its_id_and_both_secrets_for_a_while(world: World, bus: Bus, somebody: Somebody) -> None:
    """What it owns stays its own; the replaced secret ends when the overlap does, or at the next rotation."""
    ann = await somebody("ann")
    old = ann.api_key or ""
    new = (await bus.admin.rotate_key(ann.key_id, overlap=timedelta(hours=1))).api_key
    assert new != old
    for secret in (old, new):
        assert (await bus.credentials.verify(secret)).key_id == ann.key_id
        assert (await bus_over(world.other).credentials.admit(secret))[0].label == ann.label
    await world.redis("HSET", world.keys.api_key(ann.key_id), "old_until_ms", 1)  # as if the hour had passed
    with pytest.raises(errors.Unauthorized):
        await bus.credentials.verify(old)
    newer = (await bus.admin.rotate_key(ann.key_id)).api_key
    newest = (await bus.admin.rotate_key(ann.key_id)).api_key
    with pytest.raises(errors.Unauthorized):
        await bus.credentials.verify(new)
    assert {(await bus.credentials.verify(each)).key_id for each in (newer, newest)} == {ann.key_id}


async def test_rotating_without_overlap_ends_the_old_secret_at_once(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Also for a call that waits under it: a secret that leaked is of no more use to anybody."""
    await made(bus, ann, channel)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(refused_for(bus.tasks.claim(ann, channel, wait=LONG)))
        await world.parked(1)
        renewed = await bus_over(world.other).admin.rotate_key(ann.key_id, overlap=timedelta(0))
    assert isinstance(waiting.result(), errors.Unauthorized)
    assert (await bus.credentials.verify(renewed.api_key)).key_id == ann.key_id
    await posted(bus, await bus.credentials.verify(renewed.api_key), channel)


async def refused_for(call: Awaitable[object]) -> object:
    try:
        return await call
    except errors.BusError as why:
        return why


async def test_a_wait_under_the_new_secret_outlives_a_revocation_ring(
    world: World, bus: Bus, ann: Caller, channel: str
) -> None:
    """A rotation with overlap rings for the key's waiting calls; those go on under the secret that is still good."""
    await made(bus, ann, channel)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(bus.tasks.claim(ann, channel, wait=LONG))
        await world.parked(1)
        await bus_over(world.other).admin.rotate_key(ann.key_id, overlap=timedelta(hours=1))
        message = await posted(bus, ann, channel)
    claim = waiting.result()
    assert claim is not None
    assert claim.id == message.id


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=30, seconds=1)])
async def test_an_overlap_has_bounds(bus: Bus, ann: Caller, overlap: timedelta) -> None:
    """0 to 30 days; a refused rotation changes nothing."""
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.admin.rotate_key(ann.key_id, overlap=overlap)
    assert refused.value.details["field"] == "overlap_seconds"
    await bus.credentials.verify(ann.api_key or "")


async def test_an_administrator_revokes_at_once_and_frees_the_label(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """The key's blocked calls end; both secrets of a rotation are over; again changes nothing."""
    await made(bus, ann, channel)
    new = (await bus.admin.rotate_key(ann.key_id)).api_key
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(refused_for(bus.tasks.claim(ann, channel, wait=LONG)))
        await world.parked(1)
        record = await bus_over(world.other).admin.revoke_key(ann.key_id)
    assert isinstance(waiting.result(), errors.Unauthorized)
    assert (record.key_id, record.rotated_until) == (ann.key_id, None)
    assert record.revoked_at is not None
    assert (await bus.admin.revoke_key(ann.key_id)).revoked_at == record.revoked_at
    for secret in (ann.api_key or "", new):
        with pytest.raises(errors.Unauthorized):
            await bus.credentials.verify(secret)
    await bus.credentials.issue(ann.label)


async def test_a_label_whose_revocation_was_cut_short_is_free(world: World, bus: Bus, ann: Caller) -> None:
    """Nobody is locked out of a name by a crash between the two steps, nor by a record that is gone."""
    await world.redis("HSET", world.keys.api_key(ann.key_id), "revoked_ms", 1)
    second = await bus.credentials.issue(ann.label)
    await world.redis("DEL", world.keys.api_key(second.key_id))
    third = await bus.credentials.issue(ann.label)
    await bus.admin.revoke_key(ann.key_id)
    with pytest.raises(errors.LabelInUse):  # the first key's end does not free what is another's by now
        await bus.credentials.issue(ann.label)
    assert (await bus.credentials.verify(third.api_key)).label == ann.label


async def test_an_administrator_sets_any_scopes(bus: Bus, ann: Caller, channel: str) -> None:
    """Fewer, more, or all again: at the key's next call."""
    record = await bus.admin.set_key_scopes(ann.key_id, [READ, READ])
    assert record.scopes == frozenset({READ})
    narrowed = await bus.credentials.verify(ann.api_key or "")
    with pytest.raises(errors.InsufficientScope):
        await bus.tasks.claim(narrowed, channel)
    assert (await bus.admin.set_key_scopes(ann.key_id, (CLAIM, READ))).scopes == {CLAIM, READ}
    assert (await bus.admin.set_key_scopes(ann.key_id, None)).scopes is None
    await posted(bus, await bus.credentials.verify(ann.api_key or ""), channel)


@pytest.mark.parametrize(("scopes", "code"), [(["messages:all"], "invalid_scope"), ([1], "invalid_scope"),
                                              ("messages:read", "invalid_scopes"), ({"a": 1}, "invalid_scopes")])  # fmt: skip
async def test_unknown_scopes_are_refused(bus: Bus, ann: Caller, scopes: list[str], code: str) -> None:
    """By the administrator as by the key's holder, and nothing changes."""
    for call in (bus.admin.set_key_scopes(ann.key_id, scopes), bus.credentials.set_scopes(ann, scopes)):
        with pytest.raises(errors.InvalidInput) as refused:
            await call
        assert (errors.code_of(refused.value), refused.value.details["field"]) == (code, "scopes")
    assert (await bus.credentials.verify(ann.api_key or "")).scopes is None


@pytest.mark.parametrize("key_id", ["bck_nobody000000", "nobody", "", "bck_", "bck_}{", "bck_a:rate", "bck_é"])
async def test_a_key_that_is_not_there_is_not_found(world: World, bus: Bus, key_id: str) -> None:
    """Whatever is asked for it; nothing is written."""
    before = await world.everything()
    for call in (bus.admin.rotate_key(key_id), bus.admin.revoke_key(key_id), bus.admin.set_key_scopes(key_id, [READ])):
        with pytest.raises(errors.KeyNotFound if key_id else errors.BusError):
            await call
    assert await world.everything() == before


async def test_a_revoked_key_is_neither_rotated_nor_scoped(bus: Bus, ann: Caller) -> None:
    """It stays over."""
    await bus.admin.revoke_key(ann.key_id)
    for call in (bus.admin.rotate_key(ann.key_id), bus.admin.set_key_scopes(ann.key_id, None)):
        with pytest.raises(errors.KeyNotFound):
            await call


async def test_a_paused_channel_takes_no_messages(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Claiming and finishing go on; whatever its access, and by any replica; resumed, it takes them again."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    message = await posted(bus, ann, channel)
    paused = await bus.admin.pause_channel(channel)
    assert paused.paused
    assert (await bus.admin.pause_channel(channel)).updated_at == paused.updated_at
    with pytest.raises(errors.ChannelPaused):
        await posted(bus, ann, channel)
    claim = await claimed(bus, ann, channel)
    assert claim.id == message.id
    await bus.tasks.ack(ann, claim.id)
    resumed = await bus.admin.resume_channel(channel)
    assert not resumed.paused
    assert not (await bus.channels.get(ann, channel)).paused
    await posted(bus, ann, channel)
    for call in (bus.admin.pause_channel, bus.admin.resume_channel):
        with pytest.raises(errors.ChannelNotFound):
            await call(f"{channel}-none")


async def test_every_act_is_in_the_audit_trail(bus: Bus, ann: Caller, channel: str, minting: None) -> None:
    """Newest first: who did what to which key, and never a secret."""
    await made(bus, ann, channel)
    issued = await bus.admin.issue_key(unique("kim"))
    rotated = await bus.admin.rotate_key(issued.key_id, overlap=timedelta(minutes=1))
    await bus.admin.set_key_scopes(issued.key_id, [READ])
    await bus.admin.revoke_key(issued.key_id)
    await bus.admin.revoke_key(issued.key_id)  # changed nothing, so it is not told
    await bus.admin.set_public_minting(False)
    await bus.admin.set_public_minting(True)
    await bus.admin.pause_channel(channel)
    await bus.admin.resume_channel(channel)
    entries = await bus.admin.audit(limit=8)
    assert [(each.event_type, each.subject_key_id) for each in entries] == [
        ("channel.resume", None), ("channel.pause", None), ("minting.open", None), ("minting.close", None),
        ("key.revoke", issued.key_id), ("key.scopes", issued.key_id),
        ("key.rotate", issued.key_id), ("key.issue", issued.key_id),
    ]  # fmt: skip
    assert {each.actor_key_id for each in entries} == {None}
    assert entries[0].detail == {"channel": channel}
    assert entries[5].detail == {"scopes": [READ]}
    assert all(secret.partition(".")[2] not in repr(entries) for secret in (issued.api_key, rotated.api_key))
    for limit in (0, 501):
        with pytest.raises(errors.InvalidInput):
            await bus.admin.audit(limit=limit)


async def test_over_http_the_token_decides(world: World, bus: Bus) -> None:
    """Another token, or none, gets nothing; that is checked before anything else is looked at."""
    if not bus.settings.base_url:
        pytest.skip("in process, whoever holds the store administers it")
    for token in (None, "another"):
        settings = bus.settings.model_copy(update={"admin_token": token and type(world.settings.admin_token)(token)})
        async with connect_remote(settings) as stranger:
            for call in (stranger.admin.list_keys(), stranger.admin.issue_key(""), stranger.admin.pause_channel("{")):
                with pytest.raises(errors.AdminUnauthorized):
                    await call
