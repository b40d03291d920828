"""Sessions: what an API key keeps for itself between calls, for a day."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from bus import Bus, Caller, errors
from bus.streams import bus_over

from .worlds import World

pytestmark = pytest.mark.anyio

STATES: list[dict[str, Any]] = [
    {}, {"a": 1}, {"list": [], "object": {}, "null": None, "nested": {"x": [[], {}, None, ""]}},
    {"large": 2**63 + 1, "small": -(2**60), "float": 1.1, "tiny": 5e-324, "bool": True, "text": "ü/\\\"\n\u0000😀"},
    {"": "empty", "1": "one", "2": "two", "expires": 5, '"': '"expires":7', "ü": {"1": 1}},
]  # fmt: skip


@pytest.mark.parametrize("state", STATES)
async def test_a_state_comes_back_as_it_was_kept(bus: Bus, ann: Caller, state: dict[str, Any]) -> None:
    """Every JSON value, exactly; also after a change beside it."""
    made = await bus.sessions.create(ann, "  review ü ", state=state)
    assert (made.name, made.state, made.updated_at) == ("review ü", state, made.created_at)
    assert made.expires_at - made.created_at == timedelta(hours=24)
    assert await bus.sessions.get(ann, made.id) == made
    changed = await bus.sessions.update(ann, made.id, {"beside": []})
    assert changed.state == {**state, "beside": []}
    assert (await bus.sessions.update(ann, made.id, state)).state == changed.state
    assert list(await bus.sessions.list(ann)) == [await bus.sessions.get(ann, made.id)]


async def test_a_change_merges_the_top_level(world: World, bus: Bus, ann: Caller) -> None:
    """What is named is replaced whole, the rest stays, and the session ends no later for it."""
    made = await bus.sessions.create(ann, "x", state={"keep": 1, "replace": {"a": 1, "b": 2}})
    await world.passed(1)
    changed = await bus.sessions.update(ann, made.id, {"replace": {"a": 3}, "new": None})
    assert changed.state == {"keep": 1, "replace": {"a": 3}, "new": None}
    assert (changed.created_at, changed.expires_at) == (made.created_at, made.expires_at)
    assert changed.updated_at > made.updated_at
    assert (await bus.sessions.update(ann, made.id, {})).state == changed.state


async def test_changes_at_once_are_all_kept(world: World, bus: Bus, ann: Caller) -> None:
    """From several processes: nobody writes back what another has changed."""
    made = await bus.sessions.create(ann, "x")
    others = (bus_over(world.engine), bus_over(world.other))
    await asyncio.gather(*(others[n % 2].sessions.update(ann, made.id, {f"k{n}": n}) for n in range(30)))
    assert (await bus.sessions.get(ann, made.id)).state == {f"k{n}": n for n in range(30)}


async def test_sessions_are_listed_newest_first(world: World, bus: Bus, ann: Caller, bob: Caller) -> None:
    """One's own."""
    ids: list[str] = []
    for name in ("first", "second", "third"):
        ids.insert(0, (await bus.sessions.create(ann, name)).id)
        await world.passed(1)
    assert [session.id for session in await bus.sessions.list(ann)] == ids
    assert not await bus.sessions.list(bob)


async def test_a_session_is_its_key_s_alone(bus: Bus, ann: Caller, bob: Caller) -> None:
    """Another key's is not found, by any verb, and stays as it was."""
    made = await bus.sessions.create(ann, "x", state={"a": 1})
    for caller, session_id in ((bob, made.id), (ann, "none"), (ann, ""), (ann, "ü")):
        for verb in (
            bus.sessions.get(caller, session_id), bus.sessions.update(caller, session_id, {"a": 2}),
            bus.sessions.delete(caller, session_id),
        ):  # fmt: skip
            with pytest.raises((errors.SessionNotFound, errors.InvalidInput) if not session_id else errors.SessionNotFound):
                await verb
    assert await bus.sessions.get(ann, made.id) == made
    await bus.sessions.delete(ann, made.id)
    with pytest.raises(errors.SessionNotFound):
        await bus.sessions.delete(ann, made.id)


async def test_a_session_ends_after_its_day(world: World, bus: Bus, ann: Caller) -> None:
    """It is not found and not listed, and the store forgets it."""
    old, new = await bus.sessions.create(ann, "old"), await bus.sessions.create(ann, "new")
    key = world.keys.sessions(ann.key_id)
    assert 86_000_000 < await world.redis("PTTL", key) <= 86_400_000
    text = await world.redis("HGET", key, old.id)
    for verb in (bus.sessions.get(ann, old.id), bus.sessions.update(ann, old.id, {"a": 1}), bus.sessions.delete(ann, old.id)):
        await world.redis("HSET", key, old.id, re.sub(r'"expires":\d+', '"expires":1', text))
        with pytest.raises(errors.SessionNotFound):
            await verb
    await world.redis("HSET", key, old.id, re.sub(r'"expires":\d+', '"expires":1', text))
    assert [session.id for session in await bus.sessions.list(ann)] == [new.id]
    assert await world.redis("HKEYS", key) == [new.id]


async def test_a_key_has_at_most_a_hundred_sessions(world: World, bus: Bus, ann: Caller) -> None:
    """The next is refused; one that has ended counts no more."""
    first = await bus.sessions.create(ann, "x")
    key = world.keys.sessions(ann.key_id)
    text = await world.redis("HGET", key, first.id)
    await world.redis("HSET", key, *(part for n in range(99) for part in (f"s{n}", text)))
    with pytest.raises(errors.InvalidInput) as refusal:
        await bus.sessions.create(ann, "one more")
    assert errors.code_of(refusal.value) == "too_many_sessions"
    await world.redis("HSET", key, "s7", re.sub(r'"expires":\d+', '"expires":1', text))
    await bus.sessions.create(ann, "one more")


async def test_a_state_is_bounded(world: World, bus: Bus, ann: Caller) -> None:
    """When it is made and however it grows; nothing changes by trying."""
    limit = world.settings.max_metadata_bytes
    with pytest.raises(errors.ContentTooLarge):
        await bus.sessions.create(ann, "x", state={"a": "x" * limit})
    made = await bus.sessions.create(ann, "x", state={"a": "x" * (limit // 2)})
    with pytest.raises(errors.ContentTooLarge) as refusal:
        await bus.sessions.update(ann, made.id, {"b": "x" * (limit // 2)})
    assert refusal.value.details["max_content_bytes"] == limit < refusal.value.details["received_bytes"]
    assert await bus.sessions.get(ann, made.id) == made
    await bus.sessions.update(ann, made.id, {"a": None, "b": "x" * (limit // 2)})
    full = {"a": "x" * (limit - len('{"a":""}'))}
    assert (await bus.sessions.update(ann, (await bus.sessions.create(ann, "y")).id, full)).state == full


@pytest.mark.parametrize(
    ("name", "state", "field"),
    [
        ("", {}, "name"), ("  ", {}, "name"), ("x" * 201, {}, "name"), ("\ud800", {}, "name"), (5, {}, "name"),
        ("x", [], "state"), ("x", "text", "state"), ("x", {"a": float("nan")}, "state"), ("x", {"a": "\ud800"}, "state"),
    ],
)  # fmt: skip
async def test_bad_input_is_refused_with_its_field(bus: Bus, ann: Caller, name: Any, state: Any, field: str) -> None:
    """And nothing is kept."""
    with pytest.raises(errors.InvalidInput) as refusal:
        await bus.sessions.create(ann, name, state=state)
    assert refusal.value.details["field"].startswith(field)
    assert not await bus.sessions.list(ann)
