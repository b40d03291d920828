"""Looking through a claimable channel: what matters now without a cursor, everything with one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bus import Bus, Caller, State

from .verbs import claimed, posted
from .worlds import World

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


async def test_without_a_cursor_a_page_shows_what_matters_now(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Behind any backlog: half the page the oldest waiting tasks, half the newest held or finished ones, sorted."""
    for number in range(260):
        await posted(bus, ann, channel, str(number))
    for number in range(60):
        claim = await claimed(bus, bob, channel)
        if number % 2:
            await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
    page = (await bus.messages.subscribe(bob, channel, limit=50)).items
    assert [m.content for m in page] == [str(n) for n in (*range(35, 60), *range(60, 85))]
    assert [m.state for m in page[:2]] == [State.DONE, State.IN_FLIGHT]
    few = (await bus.messages.subscribe(bob, channel, limit=3)).items
    assert [m.content for m in few] == ["59", "60", "61"]


async def test_either_half_of_a_page_takes_what_the_other_leaves_free(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A page is as full as the channel allows."""
    for number in range(30):
        await posted(bus, ann, channel, str(number))
    assert len((await bus.messages.subscribe(bob, channel, limit=20)).items) == 20
    for _ in range(28):
        await claimed(bus, bob, channel)
    page = (await bus.messages.subscribe(bob, channel, limit=20)).items
    assert [m.content for m in page] == [str(n) for n in range(10, 30)]


async def test_who_lists_and_then_claims_by_id_always_finds_the_next(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """The published client's way: it never claims the next, and still comes through any backlog."""
    for number in range(120):
        await posted(bus, ann, channel, str(number))
    done: list[str] = []
    while waiting := (await bus.messages.subscribe(bob, channel, limit=10, status="unclaimed")).items:
        for message in waiting:
            claim = await bus.tasks.claim_message(bob, message.id)
            await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
            done.append(message.content)
    assert done == [str(n) for n in range(120)]


async def test_delayed_tasks_do_not_hide_held_ones(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """What is far in the future is not what matters now."""
    for _ in range(40):
        await posted(bus, ann, channel, "later", delay=HOUR)
    await posted(bus, ann, channel, "now")
    claim = await claimed(bus, bob, channel)
    page = (await bus.messages.subscribe(bob, channel, limit=10)).items
    assert claim.id in [m.id for m in page]
    assert claim.id in [m.id for m in (await bus.messages.subscribe(bob, channel, limit=10, status="claimed")).items]


async def test_a_cursor_pages_through_everything_in_posting_order(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Every task once, whatever its state; the last page is empty and repeats the cursor."""
    for number in range(23):
        await posted(bus, ann, channel, str(number), delay=HOUR if number % 5 == 4 else timedelta(0))
    for number in range(6):
        claim = await claimed(bus, bob, channel)
        if number % 2:
            await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
    seen: list[str] = []
    cursor: str | None = "0"
    while (page := await bus.messages.subscribe(bob, channel, since=cursor, limit=5)).items:
        seen += [m.content for m in page.items]
        cursor = page.next_cursor
    assert seen == [str(n) for n in range(23)]
    assert page.next_cursor == cursor


async def test_a_status_shows_only_what_has_it(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """`unclaimed`: waiting or delayed; `claimed`: held or finished; with a cursor and without."""
    for number in range(6):
        await posted(bus, ann, channel, str(number))
    await posted(bus, ann, channel, "later", delay=HOUR)
    claim = await claimed(bus, bob, channel)
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token)
    await claimed(bus, bob, channel)
    for since in (None, "0"):
        page = await bus.messages.subscribe(bob, channel, since=since, status="claimed")
        assert [(m.content, m.state) for m in page.items] == [("0", State.DONE), ("1", State.IN_FLIGHT)]
    page = await bus.messages.subscribe(bob, channel, since="0", status="unclaimed")
    assert [m.content for m in page.items] == ["2", "3", "4", "5", "later"]
    assert [m.state for m in page.items] == [State.WAITING] * 4 + [State.DELAYED]
    page = await bus.messages.subscribe(bob, channel, status="unclaimed")
    assert [m.content for m in page.items][:4] == ["2", "3", "4", "5"]


async def test_a_filtered_page_moves_on(bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """A page on which nothing has the status is not the end: its cursor goes on behind it."""
    for number in range(12):
        await posted(bus, ann, channel, str(number))
    for _ in range(8):
        await claimed(bus, bob, channel)
    seen: list[str] = []
    cursor: str | None = "0"
    for _ in range(5):
        page = await bus.messages.subscribe(bob, channel, since=cursor, limit=4, status="unclaimed")
        seen += [m.content for m in page.items]
        if page.next_cursor == cursor:
            break
        cursor = page.next_cursor
    assert seen == ["8", "9", "10", "11"]


async def test_only_what_expires_before_a_moment(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """From the oldest on; a page moves on behind what it leaves out; news as well as tasks."""
    for name, post in ((channel, bus.tasks.post), (f"{channel}-news", bus.broadcasts.broadcast)):
        short = [(await post(ann, name, str(n))).message for n in range(3)]
        await world.let_messages_live(name, 200 * 3_600_000)
        long = (await post(ann, name, "long")).message
        for since, limit, expected in ((None, 50, ["0", "1", "2"]), ("0", 2, ["0", "1"]), (short[1].id, 2, ["2"])):
            page = await bus.messages.subscribe(bob, name, since=since, limit=limit, expiring_before=long.expires_at)
            assert [m.content for m in page.items] == expected
            assert page.next_cursor is not None
        rest = await bus.messages.subscribe(bob, name, since=short[2].id, expiring_before=long.expires_at)
        assert rest.items == []
        assert (await bus.messages.subscribe(bob, name, since=rest.next_cursor)).items == []
        after = short[0].expires_at.replace(tzinfo=None)  # as if UTC had gone without saying
        assert (await bus.messages.subscribe(bob, name, expiring_before=after)).items == []
    nobody = await bus.messages.subscribe(bob, f"{channel}-news", since="0", status="claimed")
    assert nobody.items == []
    assert len((await bus.messages.subscribe(bob, f"{channel}-news", since="0", status="unclaimed")).items) == 4


async def test_reading_on_from_a_moment(bus: Bus, ann: Caller, channel: str) -> None:
    """`since` as a time, as `0`, as a task's id: the same places that a cursor names."""
    messages = [await posted(bus, ann, channel, str(n)) for n in range(3)]
    now = datetime.now(UTC)
    for since, expected in (
        ("0", ["0", "1", "2"]), (messages[1].id, ["2"]),
        ((now - HOUR).isoformat(), ["0", "1", "2"]), ((now + HOUR).isoformat(), []),
    ):  # fmt: skip
        assert [m.content for m in (await bus.messages.subscribe(ann, channel, since=since)).items] == expected


async def test_reading_does_not_claim(world: World, bus: Bus, ann: Caller, bob: Caller, channel: str) -> None:
    """Looking changes nothing, however often and by whatever verb."""
    message = await posted(bus, ann, channel)
    before = await world.everything()
    for since in (None, "0"):
        await bus.messages.subscribe(bob, channel, since=since)
    await bus.messages.get(bob, message.id)
    await bus.channels.counts(bob, channel)
    await bus.tasks.await_result(ann, message.id)
    assert await world.everything() == before
    assert (await claimed(bus, bob, channel)).delivery == 1
