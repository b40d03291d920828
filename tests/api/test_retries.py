"""The bus over HTTP sends again what is safe to send again, and nothing else: connections break before and after the deed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from api.serving import serving
from bus import Bus, Caller, NewChannel, Settings, errors
from bus.remote import connect_remote
from tests.servers import free_port

from .conftest import SOON
from .cutting import Cutter, Fault, cutting

pytestmark = pytest.mark.anyio

LONG = timedelta(seconds=15)


@pytest.fixture
async def cutter(base_url: str) -> AsyncGenerator[Cutter]:
    async with cutting(base_url) as between:
        yield between


@pytest.fixture
async def bus(cutter: Cutter) -> AsyncGenerator[Bus]:
    async with connect_remote(Settings(base_url=cutter.url)) as opened:
        yield opened


@pytest.fixture
async def ann(bus: Bus) -> Caller:
    return await bus.credentials.verify((await bus.credentials.issue(f"ann-{uuid4().hex[:8]}")).api_key)


async def post_task(bus: Bus, ann: Caller, channel: str) -> None:
    posted = await bus.tasks.post(ann, channel, "x")
    assert not posted.replayed, "the caller repeated nothing"


async def post_message(bus: Bus, ann: Caller, channel: str) -> None:
    assert not (await bus.messages.post(ann, channel, "x")).replayed


async def claimed(bus: Bus, ann: Caller, channel: str) -> str:
    claim = await bus.tasks.claim(ann, channel)
    assert claim is not None
    return claim.id


async def release(bus: Bus, ann: Caller, channel: str) -> None:
    message = await bus.tasks.release(ann, await claimed(bus, ann, channel))
    assert message.state == "waiting"


async def fail(bus: Bus, ann: Caller, channel: str) -> None:
    await bus.tasks.fail(ann, await claimed(bus, ann, channel), reason="no")


async def ack(bus: Bus, ann: Caller, channel: str) -> None:
    await bus.tasks.ack(ann, await claimed(bus, ann, channel), result=7)


async def heartbeat(bus: Bus, ann: Caller, channel: str) -> None:
    assert (await bus.tasks.heartbeat(ann, await claimed(bus, ann, channel), note="half")).delivery == 1


async def ask(bus: Bus, ann: Caller, channel: str) -> None:
    assert (await bus.tasks.ask(ann, await claimed(bus, ann, channel), "which?")).message.state == "input_required"


async def cancel(bus: Bus, ann: Caller, channel: str) -> None:
    (message,) = (await bus.messages.subscribe(ann, channel)).items
    assert (await bus.tasks.cancel(ann, message.id)).state == "cancelled"


async def retract(bus: Bus, ann: Caller, channel: str) -> None:
    (message,) = (await bus.messages.subscribe(ann, channel)).items
    await bus.messages.retract(ann, message.id)


async def claim_message(bus: Bus, ann: Caller, channel: str) -> None:
    (message,) = (await bus.messages.subscribe(ann, channel)).items
    assert (await bus.tasks.claim_message(ann, message.id)).delivery == 1


Verb = Callable[[Bus, Caller, str], Awaitable[None]]
_DEEDS: dict[Verb, tuple[str, dict[str, int]]] = {
    post_task: ("POST /v1/tasks/post", {"waiting": 2}),
    post_message: ("POST /v1/channels", {"waiting": 2}),
    claim_message: ("/claim", {"in_flight": 1}),
    release: ("/release", {"waiting": 1}),
    fail: ("/fail", {"delayed": 1}),
    ack: ("/ack", {"done": 1}),
    heartbeat: ("/heartbeat", {"in_flight": 1}),
    ask: ("/ask", {"in_flight": 1}),
    cancel: ("/cancel", {"done": 1}),
    retract: ("DELETE ", {}),
}
"""Each verb, its request, and the counts of a channel of one task that it was done in once."""


@pytest.mark.parametrize("verb", _DEEDS, ids=lambda verb: verb.__name__)
@pytest.mark.parametrize("fault", ["before", "after", "gateway"])
async def test_a_verb_is_done_once_though_its_connection_breaks(
    bus: Bus, cutter: Cutter, ann: Caller, channel: str, verb: Verb, fault: Fault
) -> None:
    """Whether the server had done it or not: its answer comes, and the channel's counts show one deed."""
    wanted, counts = _DEEDS[verb]
    await bus.tasks.post(ann, channel, "first")
    cutter.break_next(fault, only=wanted)
    await verb(bus, ann, channel)
    assert not cutter.faults, "the fault was not met"
    found = await bus.channels.counts(ann, channel)
    told = {name: getattr(found, name) for name in ("waiting", "in_flight", "delayed", "done", "dead")}
    assert {name: count for name, count in told.items() if count} == counts
    assert sum(wanted in line for line in cutter.seen) == 2
    assert sum(wanted in line for line in cutter.passed) == (2 if fault == "after" else 1)


async def test_news_are_told_once(bus: Bus, cutter: Cutter, ann: Caller, channel: str) -> None:
    """A broadcast whose answer is lost is there once."""
    cutter.break_next("after")
    await bus.broadcasts.broadcast(ann, channel, "x")
    assert len((await bus.messages.subscribe(ann, channel, since="0")).items) == 1


async def test_a_server_that_is_busy_is_left_alone_as_long_as_it_says(
    bus: Bus, cutter: Cutter, ann: Caller, channel: str
) -> None:
    """Retry-After of a 503 is kept to; when it is longer than a call may take, its caller is told at once."""
    cutter.break_next("busy")
    begun = time.monotonic()
    await bus.tasks.post(ann, channel, "x")
    assert time.monotonic() - begun >= 1
    cutter.busy_seconds = 600
    cutter.break_next("busy")
    begun = time.monotonic()
    with pytest.raises(errors.StoreUnavailable) as away:
        await bus.tasks.post(ann, channel, "x")
    assert away.value.details["retry_after"] == 600
    assert time.monotonic() - begun < 2
    assert (await bus.channels.counts(ann, channel)).waiting == 1


async def test_a_wait_leaves_a_busy_server_alone_too(bus: Bus, cutter: Cutter, ann: Caller, channel: str) -> None:
    """It asks again when it was told to, and goes on."""
    message = (await bus.tasks.post(ann, channel, "x")).message
    cutter.break_next("busy", only="/result")
    begun = time.monotonic()
    told = await bus.tasks.await_result(ann, message.id, wait=timedelta(seconds=1.5))
    assert told.state == "waiting"
    assert time.monotonic() - begun >= 1
    assert sum("/result" in line for line in cutter.seen) == 2


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_what_may_not_be_done_twice_is_not_sent_twice(
    bus: Bus, cutter: Cutter, ann: Caller, channel: str, fault: Fault
) -> None:
    """A claim without a wait, and minting: their callers learn that nobody knows whether they were done."""
    await bus.tasks.post(ann, channel, "x")
    for verb in (bus.tasks.claim(ann, channel), bus.credentials.issue(f"bob-{uuid4().hex[:8]}")):
        cutter.break_next(fault)
        with pytest.raises(errors.StoreUnavailable, match="unknown") as away:
            await verb
        assert not away.value.nothing_done
        assert len(cutter.seen) == 1


async def test_what_was_never_sent_is_sent_whatever_it_is(settings: Settings, channel: str) -> None:
    """A server that starts a moment later gets even what may not be done twice."""
    own = settings.model_copy(update={"port": free_port()})
    async with connect_remote(Settings(base_url=f"http://127.0.0.1:{own.port}", retry_seconds=30)) as bus:
        minting = asyncio.ensure_future(bus.credentials.issue(f"ann-{channel}"))
        done, _ = await asyncio.wait([minting], timeout=0.3)
        assert not done
        async with serving(own):
            ann = await bus.credentials.verify((await minting).api_key)
            await bus.tasks.post(ann, channel, "x")
        claiming = asyncio.ensure_future(bus.tasks.claim(ann, channel))
        done, _ = await asyncio.wait([claiming], timeout=0.3)
        assert not done
        async with serving(own):
            claim = await claiming
    assert claim is not None
    assert claim.delivery == 1


async def test_a_call_is_not_sent_again_for_ever() -> None:
    """Its budget spent, it fails, and says that nothing was sent."""
    async with connect_remote(Settings(base_url=f"http://127.0.0.1:{free_port()}", retry_seconds=0.5)) as bus:
        begun = time.monotonic()
        with pytest.raises(errors.StoreUnavailable, match="nothing was sent") as away:
            await bus.tasks.claim(Caller("k", "l", api_key="bck_a.b"), "c")
        assert away.value.nothing_done
        assert time.monotonic() - begun < 2


async def test_the_caller_s_own_idempotency_key_still_shows_its_repeats(
    bus: Bus, cutter: Cutter, ann: Caller, channel: str
) -> None:
    """Only what the client made up itself is hidden."""
    cutter.break_next("after")
    first = await bus.tasks.post(ann, channel, "x", idempotency_key="k")
    again = await bus.tasks.post(ann, channel, "x", idempotency_key="k")
    assert (first.message.id, again.replayed) == (again.message.id, True)


async def test_every_wait_outlives_its_connection(bus: Bus, cutter: Cutter, ann: Caller, channel: str) -> None:
    """All five are cut off in mid-wait at once: each asks again, and gets what came meanwhile or comes later."""
    news = f"{channel}-news"
    await bus.channels.create(ann, NewChannel(name=channel))
    since = (await bus.broadcasts.broadcast(ann, news, "first")).cursor
    asked, awaited = [(await bus.tasks.post(ann, f"{channel}-{name}", "x")).message.id for name in ("asked", "awaited")]
    await bus.tasks.claim_message(ann, asked)
    await bus.tasks.ask(ann, asked, "which?")
    cutter.break_next("held", "held", "held", "held", "held")
    async with asyncio.TaskGroup() as group:
        claiming = group.create_task(bus.tasks.claim(ann, channel, wait=LONG))
        one = group.create_task(bus.tasks.await_result(ann, awaited, wait=LONG))
        several = group.create_task(bus.tasks.await_results(ann, [awaited], wait=LONG))
        reading = group.create_task(bus.messages.subscribe(ann, news, since=since, wait=LONG))
        answering = group.create_task(bus.tasks.await_answer(ann, asked, wait=LONG))
        async with asyncio.timeout(SOON):
            while cutter.held < 5:  # noqa: ASYNC110  # a count tells no event
                await asyncio.sleep(0.01)
        await bus.broadcasts.broadcast(ann, news, "second")
        await bus.tasks.answer(ann, asked, "that one")
        cutter.release.set()
        await bus.tasks.cancel(ann, awaited)
        posted = await bus.tasks.post(ann, channel, "y")
    claim = claiming.result()
    assert claim is not None
    assert claim.id == posted.message.id  # perhaps given back first by the server, whose waiter had just lost its client
    assert one.result().state == several.result()[0].state == "cancelled"
    assert [message.content for message in reading.result().items] == ["second"]
    assert answering.result().message.state == "in_flight"
