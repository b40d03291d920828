"""Answers remembered under idempotency keys: one call does the verb, whoever repeats it is told what came of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bus import Bus, Caller, errors
from bus.idempotency import MAX_ANSWER_BYTES, Idempotency, Remembered
from bus.streams import bus_over
from bus.streams.idempotency import RedisIdempotency

from .worlds import SOON, World

pytestmark = pytest.mark.anyio

ANSWER = Remembered(201, '{"claimed": "é \\n \\u0000 x"}'.encode())


@pytest.fixture
def here(world: World) -> Idempotency:
    """Of the bus under test; over HTTP, of the server behind it."""
    return bus_over(world.engine).idempotency


@pytest.fixture
def there(world: World) -> Idempotency:
    """Of another process on the same store."""
    return bus_over(world.other).idempotency


async def test_a_repeat_is_given_the_answer(here: Idempotency, there: Idempotency, ann: Caller) -> None:
    """On every replica, as it was, as often as it is asked for."""
    assert await here.begin(ann, "k", "f") is None
    await here.keep(ann, "k", "f", ANSWER)
    for one in (here, there, here):
        assert await one.begin(ann, "k", "f") == ANSWER


async def test_an_empty_answer_is_one_too(here: Idempotency, ann: Caller) -> None:
    """A deletion says nothing but its status."""
    assert await here.begin(ann, "k", "f") is None
    await here.keep(ann, "k", "f", Remembered(204, b""))
    assert await here.begin(ann, "k", "f") == Remembered(204, b"")


async def test_another_request_under_the_key_is_refused(here: Idempotency, there: Idempotency, ann: Caller) -> None:
    """At once while the first is under way, and after it."""
    assert await here.begin(ann, "k", "f") is None
    with pytest.raises(errors.IdempotencyConflict):
        await there.begin(ann, "k", "g")
    await here.keep(ann, "k", "f", ANSWER)
    with pytest.raises(errors.IdempotencyConflict):
        await there.begin(ann, "k", "g")


async def test_keys_belong_to_api_keys(here: Idempotency, ann: Caller, bob: Caller) -> None:
    """Another's answer is not found."""
    assert await here.begin(ann, "k", "f") is None
    await here.keep(ann, "k", "f", ANSWER)
    assert await here.begin(bob, "k", "f") is None
    assert await here.begin(ann, "K", "f") is None


async def test_who_comes_while_it_is_done_waits_for_the_answer(
    world: World, here: Idempotency, there: Idempotency, ann: Caller
) -> None:
    """Twenty at once are told by the event, on another replica than the one that does it."""
    assert await there.begin(ann, "k", "f") is None
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        waiting = [group.create_task(here.begin(ann, "k", "f")) for _ in range(20)]
        await world.parked(20)
        await there.keep(ann, "k", "f", ANSWER)
    assert [each.result() for each in waiting] == [ANSWER] * 20


async def test_after_a_failure_one_of_those_who_wait_tries(
    world: World, here: Idempotency, there: Idempotency, ann: Caller
) -> None:
    """One goes on, the others wait for what comes of it."""
    assert await there.begin(ann, "k", "f") is None
    async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
        waiting = [group.create_task(here.begin(ann, "k", "f")) for _ in range(5)]
        await world.parked(5)
        await there.forget(ann, "k", "f")
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        await world.parked(4)
        assert [each.result() for each in waiting if each.done()] == [None]
        await here.keep(ann, "k", "f", ANSWER)
    assert sorted(each.result() is None for each in waiting) == [False] * 4 + [True]


async def test_a_call_that_takes_too_long_is_not_waited_for(world: World, here: Idempotency, ann: Caller) -> None:
    """The repeat is told to come again, and when."""
    credentials = bus_over(world.engine).credentials
    impatient = RedisIdempotency(world.engine, credentials, wait=timedelta(milliseconds=50))  # pyright: ignore[reportArgumentType]  # it is Redis's
    assert await here.begin(ann, "k", "f") is None
    with pytest.raises(errors.IdempotencyInProgress) as found:
        await impatient.begin(ann, "k", "f")
    assert found.value.details["retry_after"] > 0


async def test_who_died_holds_the_key_for_a_while_only(world: World, here: Idempotency, ann: Caller) -> None:
    """Longer than any call may wait; then a repeat does it again, also one that is waiting."""
    record = world.keys.remembered(ann.key_id, "k")
    assert await here.begin(ann, "k", "f") is None
    held_ms = int(await world.redis("PTTL", record))
    assert held_ms > world.settings.longpoll_max_wait_seconds * 1000
    await world.redis("PEXPIRE", record, 200)
    async with asyncio.timeout(SOON):
        assert await here.begin(ann, "k", "f") is None


async def test_who_comes_back_late_changes_nothing(world: World, here: Idempotency, there: Idempotency, ann: Caller) -> None:
    """Neither its success nor its failure is taken for that of the request which has the key now."""
    record = world.keys.remembered(ann.key_id, "k")
    assert await here.begin(ann, "k", "f") is None
    await world.redis("DEL", record)
    assert await there.begin(ann, "k", "g") is None
    await here.keep(ann, "k", "f", ANSWER)
    await here.forget(ann, "k", "f")
    with pytest.raises(errors.IdempotencyConflict):
        await here.begin(ann, "k", "f")
    other = Remembered(200, b"{}")
    await there.keep(ann, "k", "g", other)
    await here.forget(ann, "k", "f")
    assert await here.begin(ann, "k", "g") == other


async def test_answers_are_kept_for_a_day(world: World, here: Idempotency, ann: Caller) -> None:
    """24 hours from the answer on."""
    assert await here.begin(ann, "k", "f") is None
    await here.keep(ann, "k", "f", ANSWER)
    left_ms = int(await world.redis("PTTL", world.keys.remembered(ann.key_id, "k")))
    assert 86_390_000 < left_ms <= 86_400_000


async def test_a_large_answer_is_not_kept(here: Idempotency, ann: Caller) -> None:
    """Up to the limit it is; beyond, a repeat does it again rather than fill the store."""
    for size, kept in ((MAX_ANSWER_BYTES, True), (MAX_ANSWER_BYTES + 1, False)):
        name, answer = f"k{size}", Remembered(200, b"x" * size)
        assert await here.begin(ann, name, "f") is None
        await here.keep(ann, name, "f", answer)
        assert await here.begin(ann, name, "f") == (answer if kept else None)


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "é", "a\n"])
async def test_a_malformed_key_is_refused(here: Idempotency, ann: Caller, key: str) -> None:
    """1 to 200 visible ASCII characters."""
    with pytest.raises(errors.InvalidInput) as found:
        await here.begin(ann, key, "f")
    assert errors.code_of(found.value) == "invalid_idempotency_key"


async def test_a_revoked_key_waits_no_longer(world: World, here: Idempotency, bus: Bus, ann: Caller) -> None:
    """Who waits for an answer learns at once that the API key is gone."""
    assert await here.begin(ann, "k", "f") is None
    async with asyncio.timeout(SOON):
        waiting = asyncio.ensure_future(here.begin(ann, "k", "f"))
        await world.parked()
        await bus.credentials.revoke(ann)
        with pytest.raises(errors.Unauthorized):
            await waiting


async def test_over_http_the_server_remembers(world: World, bus: Bus, ann: Caller) -> None:
    """A remote bus takes nothing itself: the idempotency key goes with the request."""
    if not world.name.endswith("http"):
        pytest.skip("this bus is the server's own")
    assert await bus.idempotency.begin(ann, "k", "f") is None
    await bus.idempotency.keep(ann, "k", "f", ANSWER)
    await bus.idempotency.forget(ann, "k", "f")
    assert not await world.redis("EXISTS", world.keys.remembered(ann.key_id, "k"))
