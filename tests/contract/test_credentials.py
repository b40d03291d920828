"""API keys: verified, scoped, and revoked everywhere at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from bus import Access, Bus, Caller, NewChannel, Settings, credentials, errors
from bus.streams import bus_over, connect_engine

from .verbs import LONG, held, made, posted
from .worlds import World

pytestmark = pytest.mark.anyio


async def test_a_key_is_verified_to_its_caller(world: World, bus: Bus) -> None:
    """Whoever shows it is known by id and label; the secret is nowhere in the store."""
    label = f"ann-{uuid4().hex[:8]}"
    issued = await bus.credentials.issue(label)
    caller = await bus.credentials.verify(issued.api_key)
    assert (caller.key_id, caller.label, caller.scopes) == (issued.key_id, label, None)
    assert issued.api_key.startswith(f"{issued.key_id}.")
    assert issued.api_key not in repr((issued, caller))
    secret = issued.api_key.partition(".")[2]
    assert secret not in repr(await world.everything())


@pytest.mark.parametrize("spoil", [
    lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"), lambda key: key + "A", lambda key: key.partition(".")[0],
    lambda key: key.partition(".")[0] + ".", lambda _: "bck_unknown.secret", lambda _: "", lambda _: "x" * 5000,
])  # fmt: skip
async def test_any_other_key_is_unauthorized(bus: Bus, spoil: Callable[[str], str]) -> None:
    """Wrong secret, cut short, unknown, or no key at all."""
    key = (await bus.credentials.issue(f"ann-{uuid4().hex[:8]}")).api_key
    with pytest.raises(errors.Unauthorized) as refused:
        await bus.credentials.verify(spoil(key))
    assert key not in refused.value.message


async def test_a_label_is_one_active_key_s(bus: Bus) -> None:
    """Taken while its key is active, free again once that is revoked."""
    label = f"ann-{uuid4().hex[:8]}"
    first = await bus.credentials.verify((await bus.credentials.issue(label)).api_key)
    with pytest.raises(errors.LabelInUse):
        await bus.credentials.issue(label)
    await bus.credentials.revoke(first)
    second = await bus.credentials.issue(label)
    assert second.key_id != first.key_id


async def test_a_revoked_key_is_unauthorized_everywhere(
    world: World, bus: Bus, somebody: Callable[[str], Awaitable[Caller]]
) -> None:
    """At once, on every replica."""
    caller = await somebody("ann")
    elsewhere = bus_over(world.other)
    key = caller.api_key or ""
    await elsewhere.credentials.verify(key)
    await bus.credentials.revoke(caller)
    for one in (bus, elsewhere):
        with pytest.raises(errors.Unauthorized):
            await one.credentials.verify(key)


async def test_revoking_ends_blocked_calls(
    world: World, bus: Bus, ann: Caller, channel: str, somebody: Callable[[str], Awaitable[Caller]]
) -> None:
    """A claim, an await and a read that wait under the key end with `unauthorized`, whoever revoked it and wherever."""
    leaver = await somebody("leaver")
    await made(bus, ann, f"{channel}-empty")
    message = await posted(bus, leaver, channel, delay=timedelta(hours=1))
    async with asyncio.TaskGroup() as group:
        waiting = [
            group.create_task(_refused(call))
            for call in (
                bus.tasks.claim(leaver, f"{channel}-empty", wait=LONG),
                bus.tasks.await_result(leaver, message.id, wait=LONG),
                bus.messages.subscribe(leaver, f"{channel}-empty", wait=LONG),
            )
        ]
        await world.parked(3)
        begun = asyncio.get_running_loop().time()
        await bus_over(world.other).credentials.revoke(leaver)
    assert [type(each.result()) for each in waiting] == [errors.Unauthorized] * 3
    assert asyncio.get_running_loop().time() - begun < LONG.total_seconds() / 2


async def _refused(call: Awaitable[object]) -> object:
    try:
        return await call
    except errors.BusError as why:
        return why


async def test_closed_minting_issues_nothing(world: World) -> None:
    """Whoever runs the bus may stop handing out keys."""
    closed = Settings(**{**world.settings.model_dump(), "public_minting": False})
    async with connect_engine(closed) as engine:
        with pytest.raises(errors.MintingClosed):
            await bus_over(engine).credentials.issue(f"ann-{uuid4().hex[:8]}")


ALL = credentials.SCOPES
VERBS: dict[str, tuple[str, Callable[[Bus, Caller, str, str], Awaitable[object]]]] = {
    "post": (credentials.WRITE, lambda bus, c, channel, _: bus.messages.post(c, channel, "x")),
    "task": (credentials.WRITE, lambda bus, c, channel, _: bus.tasks.post(c, channel, "x")),
    "broadcast": (credentials.WRITE, lambda bus, c, channel, _: bus.broadcasts.broadcast(c, f"{channel}-news", "x")),
    "cancel": (credentials.WRITE, lambda bus, c, _, task: bus.tasks.cancel(c, task)),
    "subscribe": (credentials.READ, lambda bus, c, channel, _: bus.messages.subscribe(c, channel)),
    "get": (credentials.READ, lambda bus, c, _, task: bus.messages.get(c, task)),
    "await": (credentials.READ, lambda bus, c, _, task: bus.tasks.await_result(c, task)),
    "dead_letters": (credentials.READ, lambda bus, c, channel, _: bus.tasks.dead_letters(c, channel)),
    "claim": (credentials.CLAIM, lambda bus, c, channel, _: bus.tasks.claim(c, channel)),
    "claim_message": (credentials.CLAIM, lambda bus, c, _, task: bus.tasks.claim_message(c, task)),
    "heartbeat": (credentials.ACK, lambda bus, c, _, task: bus.tasks.heartbeat(c, task)),
    "release": (credentials.ACK, lambda bus, c, _, task: bus.tasks.release(c, task)),
    "fail": (credentials.ACK, lambda bus, c, _, task: bus.tasks.fail(c, task)),
    "ack": (credentials.ACK, lambda bus, c, _, task: bus.tasks.ack(c, task)),
    "mark_read": (credentials.ACK, lambda bus, c, channel, _: bus.broadcasts.mark_read(c, f"{channel}-news:1-1")),
    "redrive": (credentials.ACK, lambda bus, c, channel, _: bus.tasks.redrive(c, channel, [f"{channel}:1-1"])),
    "create": (credentials.CHANNELS_WRITE, lambda bus, c, channel, _: bus.channels.create(c, NewChannel(name=f"{channel}-2"))),
    "list": (credentials.CHANNELS_READ, lambda bus, c, _, __: bus.channels.list(c)),
}


async def _scoped(world: World, caller: Caller, scopes: frozenset[str]) -> Caller:
    """The caller with these scopes only, whichever side reads them."""
    listed = "[" + ",".join(f'"{scope}"' for scope in sorted(scopes)) + "]"
    await world.redis("HSET", world.keys.api_key(caller.key_id), "scopes", listed)
    return replace(caller, scopes=scopes)


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_needs_its_scope(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str, verb: str) -> None:
    """Without it nothing happens and the error says which is missing; with it alone, the verb is not refused for scope."""
    scope, call = VERBS[verb]
    task = (await held(bus, ann, bob, channel)).id
    await bus.broadcasts.broadcast(ann, f"{channel}-news", "x")
    before = await world.redis("XLEN", world.keys.stream(channel))
    lacking = await _scoped(world, bob, ALL - {scope})
    with pytest.raises(errors.InsufficientScope) as refused:
        await call(bus, lacking, channel, task)
    assert refused.value.details["required_scope"] == scope
    assert refused.value.details["granted_scopes"] == sorted(ALL - {scope})
    assert await world.redis("XLEN", world.keys.stream(channel)) == before
    assert (await bus.messages.get(ann, task)).hold is not None
    enough = await _scoped(world, bob, frozenset({scope}))
    assert not isinstance(await _refused(call(bus, enough, channel, task)), errors.InsufficientScope)


async def test_a_restricted_channel_needs_membership_whatever_the_scopes(
    bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Scopes say what a key may do, membership says where."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    with pytest.raises(errors.ChannelAccessDenied):
        await bus.tasks.claim(bob, channel)
