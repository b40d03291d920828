"""API keys: verified, scoped, and revoked everywhere at once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import get_type_hints
from uuid import uuid4

import pytest

from bus import Access, Bus, Caller, NewChannel, Settings, credentials, errors
from bus.models import ChannelChanges
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
    lambda key: key.partition(".")[0] + ".", lambda _: "bck_unknown.secret",
    lambda key: key.partition(".")[0] + "}:rate.x", lambda key: key.replace(".", "}.", 1),
    lambda _: "", lambda _: "x" * 5000,
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
GATED = {verb: scopes for verb, scopes in credentials.SCOPE_OF.items() if scopes}
Call = Callable[[Bus, Caller, str, str], Awaitable[object]]
"""A call by a caller, about a channel, or about a task that the caller holds there."""
VERBS: dict[str, Call] = {
    "access.approve_access_request": lambda bus, c, channel, _: bus.access.approve_access_request(c, channel, "x~y"),
    "access.deny_access_request": lambda bus, c, channel, _: bus.access.deny_access_request(c, channel, "x~y"),
    "access.list_access_requests": lambda bus, c, channel, _: bus.access.list_access_requests(c, channel),
    "access.request_access": lambda bus, c, channel, _: bus.access.request_access(c, channel),
    "actors.add_alias": lambda bus, c, channel, _: bus.actors.add_alias(c, c.label, f"{channel}-alias"),
    "actors.create": lambda bus, c, channel, _: bus.actors.create(c, f"{channel}-actor"),
    "actors.mentions": lambda bus, c, _, __: bus.actors.mentions(c, c.label),
    "broadcasts.broadcast": lambda bus, c, channel, _: bus.broadcasts.broadcast(c, f"{channel}-news", "x"),
    "broadcasts.mark_read": lambda bus, c, channel, _: bus.broadcasts.mark_read(c, f"{channel}-news:1-1"),
    "channels.add_alias": lambda bus, c, channel, _: bus.channels.add_alias(c, channel, f"{channel}-other"),
    "channels.counts": lambda bus, c, channel, _: bus.channels.counts(c, channel),
    "channels.create": lambda bus, c, channel, _: bus.channels.create(c, NewChannel(name=f"{channel}-2")),
    "channels.delete": lambda bus, c, channel, _: bus.channels.delete(c, channel),
    "channels.get": lambda bus, c, channel, _: bus.channels.get(c, channel),
    "channels.history": lambda bus, c, channel, _: bus.channels.history(c, channel),
    "channels.list": lambda bus, c, _, __: bus.channels.list(c),
    "channels.metrics": lambda bus, c, channel, _: bus.channels.metrics(c, channel),
    "channels.owned": lambda bus, c, _, __: bus.channels.owned(c),
    "channels.update": lambda bus, c, channel, _: bus.channels.update(c, channel, ChannelChanges(description="x")),
    "invitations.accept": lambda bus, c, _, __: bus.invitations.accept(c, "x" * 24),
    "invitations.create": lambda bus, c, channel, _: bus.invitations.create(c, channel),
    "invitations.get": lambda bus, c, _, __: bus.invitations.get(c, "x" * 24),
    "invitations.revoke": lambda bus, c, _, __: bus.invitations.revoke(c, "x" * 24),
    "members.add": lambda bus, c, channel, _: bus.members.add(c, channel, c.key_id),
    "members.events": lambda bus, c, channel, _: bus.members.events(c, channel),
    "members.list": lambda bus, c, channel, _: bus.members.list(c, channel),
    "members.remove": lambda bus, c, channel, _: bus.members.remove(c, channel, c.key_id),
    "messages.get": lambda bus, c, _, task: bus.messages.get(c, task),
    "messages.post": lambda bus, c, channel, _: bus.messages.post(c, channel, "x"),
    "messages.retract": lambda bus, c, _, task: bus.messages.retract(c, task),
    "messages.subscribe": lambda bus, c, channel, _: bus.messages.subscribe(c, channel),
    "tasks.ack": lambda bus, c, _, task: bus.tasks.ack(c, task),
    "tasks.answer": lambda bus, c, _, task: bus.tasks.answer(c, task, "x"),
    "tasks.ask": lambda bus, c, _, task: bus.tasks.ask(c, task, "x"),
    "tasks.await_answer": lambda bus, c, _, task: bus.tasks.await_answer(c, task),
    "tasks.await_result": lambda bus, c, _, task: bus.tasks.await_result(c, task),
    "tasks.await_results": lambda bus, c, _, task: bus.tasks.await_results(c, [task]),
    "tasks.cancel": lambda bus, c, _, task: bus.tasks.cancel(c, task),
    "tasks.claim": lambda bus, c, channel, _: bus.tasks.claim(c, channel),
    "tasks.claim_message": lambda bus, c, _, task: bus.tasks.claim_message(c, task),
    "tasks.dead_letters": lambda bus, c, channel, _: bus.tasks.dead_letters(c, channel),
    "tasks.fail": lambda bus, c, _, task: bus.tasks.fail(c, task),
    "tasks.heartbeat": lambda bus, c, _, task: bus.tasks.heartbeat(c, task),
    "tasks.post": lambda bus, c, channel, _: bus.tasks.post(c, channel, "x"),
    "tasks.redrive": lambda bus, c, channel, _: bus.tasks.redrive(c, channel, [f"{channel}:1-1"]),
    "tasks.release": lambda bus, c, _, task: bus.tasks.release(c, task),
    "webhooks.delete": lambda bus, c, _, __: bus.webhooks.delete(c, c.label),
    "webhooks.failures": lambda bus, c, channel, _: bus.webhooks.failures(c, channel),
    "webhooks.get": lambda bus, c, _, __: bus.webhooks.get(c, c.label),
    "webhooks.set": lambda bus, c, _, __: bus.webhooks.set(c, c.label, "https://example.org/"),
}


def test_the_table_of_scopes_names_every_verb() -> None:
    """Whatever is done in somebody's name stands there with what it asks of the key, and is tried below."""
    verbs = {
        f"{concept}.{name}"
        for concept, protocol in get_type_hints(Bus).items()
        for name, method in inspect.getmembers(protocol, inspect.isfunction)
        if "caller" in inspect.signature(method).parameters
    }
    assert set(credentials.SCOPE_OF) == verbs
    assert set(VERBS) == set(GATED)
    assert {scope for scopes in GATED.values() for scope in scopes} == ALL


async def _scoped(world: World, caller: Caller, scopes: frozenset[str]) -> Caller:
    """The caller with these scopes only, whichever side reads them."""
    listed = "[" + ",".join(f'"{scope}"' for scope in sorted(scopes)) + "]"
    await world.redis("HSET", world.keys.api_key(caller.key_id), "scopes", listed)
    return replace(caller, scopes=scopes)


@pytest.mark.parametrize("verb", VERBS)
async def test_a_verb_needs_its_scope(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str, verb: str) -> None:
    """Without it nothing happens and the error says which is missing; with it alone, the verb is not refused for scope."""
    scopes, call = GATED[verb], VERBS[verb]
    task = (await held(bus, ann, bob, channel)).id
    await bus.broadcasts.broadcast(ann, f"{channel}-news", "x")
    before = await world.redis("XLEN", world.keys.stream(channel))
    lacking = await _scoped(world, bob, ALL.difference(scopes))
    with pytest.raises(errors.InsufficientScope) as refused:
        await call(bus, lacking, channel, task)
    assert refused.value.details["required_scope"] == scopes[0]
    assert refused.value.details["granted_scopes"] == sorted(ALL.difference(scopes))
    assert await world.redis("XLEN", world.keys.stream(channel)) == before
    assert (await bus.messages.get(ann, task)).hold is not None
    enough = await _scoped(world, bob, frozenset({scopes[-1]}))
    assert not isinstance(await _refused(call(bus, enough, channel, task)), errors.InsufficientScope)


async def test_a_key_without_any_scope_still_sees_to_itself(world: World, bus: Bus, ann: Caller) -> None:
    """What concerns nobody but the key needs no scope: looking at itself, its trail and its sessions, and ending itself."""
    ann = await bus.credentials.set_scopes(ann, [])
    assert (await bus.credentials.verify(ann.api_key or "")).scopes == frozenset()
    assert (await bus.credentials.usage(ann)).limit == 0
    assert [each.event_type for each in await bus.credentials.audit(ann)] == ["key.scopes", "key.issue"]
    await bus.sessions.delete(ann, (await bus.sessions.create(ann, "notes")).id)
    assert (await bus.actors.get(ann, ann.label)).key_id == ann.key_id
    await bus.credentials.revoke(ann)


async def test_a_key_can_only_narrow_itself(bus: Bus, ann: Caller) -> None:
    """For good: what it gave up it cannot take back, not even in the name of a caller verified before."""
    narrower = await bus.credentials.set_scopes(ann, [credentials.READ, credentials.CLAIM])
    assert narrower.scopes == {credentials.READ, credentials.CLAIM}
    assert narrower.api_key == ann.api_key
    for caller in (ann, narrower):
        with pytest.raises(errors.InsufficientScope) as refused:
            await bus.credentials.set_scopes(caller, [credentials.READ, credentials.WRITE])
        assert refused.value.details["required_scope"] == credentials.WRITE
    assert (await bus.credentials.set_scopes(ann, [credentials.READ])).scopes == {credentials.READ}
    assert (await bus.credentials.verify(ann.api_key or "")).scopes == {credentials.READ}


async def test_two_that_narrow_a_key_at_once_do_not_widen_it(world: World, bus: Bus, ann: Caller) -> None:
    """The second is checked against what the first left."""
    other = bus_over(world.other)
    found = await asyncio.gather(
        _refused(bus.credentials.set_scopes(ann, [credentials.READ])),
        _refused(other.credentials.set_scopes(ann, [credentials.WRITE])),
    )
    assert sorted(isinstance(each, errors.InsufficientScope) for each in found) == [False, True]
    assert len((await bus.credentials.verify(ann.api_key or "")).scopes or ()) == 1


async def test_two_that_mint_one_label_at_once_get_one_key(world: World, bus: Bus) -> None:
    """On whatever replica; who comes too late leaves nothing behind."""
    label = f"ann-{uuid4().hex[:8]}"
    before = await world.redis("ZCARD", world.keys.api_keys)
    buses = (bus, bus_over(world.other))
    found = await asyncio.gather(*(_refused(buses[n % 2].credentials.issue(label)) for n in range(8)))
    assert sum(isinstance(each, errors.LabelInUse) for each in found) == 7
    assert await world.redis("ZCARD", world.keys.api_keys) == before + 1


async def test_the_holder_of_a_key_sees_its_trail_and_no_other(bus: Bus, ann: Caller, bob: Caller) -> None:
    """Newest first, as many as asked for."""
    await bus.credentials.set_scopes(ann, [credentials.READ])
    assert [each.event_type for each in await bus.credentials.audit(ann)] == ["key.scopes", "key.issue"]
    (newest,) = await bus.credentials.audit(ann, limit=1)
    assert (newest.actor_key_id, newest.subject_key_id, newest.detail) == (
        ann.key_id,
        ann.key_id,
        {"scopes": [credentials.READ]},
    )
    assert [each.subject_key_id for each in await bus.credentials.audit(bob)] == [bob.key_id]
    for limit in (0, 501):
        with pytest.raises(errors.InvalidInput):
            await bus.credentials.audit(ann, limit=limit)


async def test_a_key_that_is_over_confirms_and_narrows_nothing(bus: Bus, world: World, ann: Caller) -> None:
    """Also for who verified it before."""
    await bus.credentials.revoke(ann)
    with pytest.raises(errors.Unauthorized):
        await bus.credentials.set_scopes(ann, [])
    here = bus_over(world.other)
    for caller in (ann, replace(ann, api_key=None)):
        with pytest.raises(errors.Unauthorized):
            await here.credentials.confirm(caller)


async def test_a_restricted_channel_needs_membership_whatever_the_scopes(
    bus: Bus, ann: Caller, bob: Caller, channel: str
) -> None:
    """Scopes say what a key may do, membership says where."""
    await made(bus, ann, channel, access=Access.RESTRICTED)
    with pytest.raises(errors.ChannelAccessDenied):
        await bus.tasks.claim(bob, channel)
