"""The bus over HTTP when the network, the server or the caller is not at its best."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from api.serving import serving
from bus import Bus, Caller, NewChannel, Settings, connect, errors
from bus.remote import connect_remote
from tests.servers import free_port

from .conftest import SOON

pytestmark = pytest.mark.anyio

LONG = timedelta(seconds=15)


@pytest.fixture
async def bus(base_url: str) -> AsyncGenerator[Bus]:
    async with connect(Settings(base_url=base_url)) as opened:
        yield opened


async def somebody(bus: Bus, name: str = "ann") -> Caller:
    """A caller of its own."""
    return await bus.credentials.verify((await bus.credentials.issue(f"{name}-{uuid4().hex[:8]}")).api_key)


@pytest.fixture
async def ann(bus: Bus) -> Caller:
    return await somebody(bus)


async def until_actor(bus: Bus, caller: Caller, actor: str) -> None:
    """Polls until the actor is there: a claim registers it before it waits."""
    async with asyncio.timeout(SOON):
        while True:
            try:
                await bus.actors.get(caller, actor)
            except errors.ActorNotFound:
                await asyncio.sleep(0.01)
            else:
                return


class Counting(httpx.AsyncHTTPTransport):
    """The network, with a count of what went over it."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[str] = []
        self.sent = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(f"{request.method} {request.url.path}")
        self.sent.set()
        return await super().handle_async_request(request)


async def test_a_task_is_handed_over(bus: Bus, ann: Caller, channel: str) -> None:
    """The same verbs and values as on the store itself."""
    bob = await somebody(bus, "bob")
    posted = await bus.tasks.post(ann, channel, "review", metadata={"pr": 7}, label="a", idempotency_key="k")
    assert (posted.channel_created, posted.replayed) == (True, False)
    again = await bus.tasks.post(ann, channel, "review", metadata={"pr": 7}, label="a", idempotency_key="k")
    assert (again.message.id, again.replayed) == (posted.message.id, True)
    claim = await bus.tasks.claim(bob, [channel], lease=timedelta(seconds=90))
    assert claim is not None
    assert (claim.content, claim.delivery, claim.actor, claim.message.hold is not None) == ("review", 1, bob.label, True)
    renewed = await bus.tasks.heartbeat(bob, claim.id, claim_token=claim.claim_token, lease=timedelta(seconds=600))
    assert renewed.lease_expires_at > claim.lease_expires_at
    with pytest.raises(errors.AlreadyClaimed) as held:
        await bus.tasks.claim_message(ann, claim.id)
    assert held.value.details["holder"] == bob.label
    await bus.tasks.ack(bob, claim.id, claim_token=claim.claim_token, result={"ok": True})
    told = await bus.tasks.await_result(ann, claim.id, wait=LONG)
    assert told.outcome is not None
    assert (told.outcome.result, told.outcome.actor) == ({"ok": True}, bob.label)


@pytest.mark.parametrize("name", ["Ops & Alerts", "50%", "a?b#c", ".", "..", "é\u4e2d", "a:b", "a+b", "x;y=1"])
async def test_any_name_survives_the_url(bus: Bus, ann: Caller, channel: str, name: str) -> None:
    """What is a channel's name on the store is one over HTTP; `.` and `..` are not resolved away."""
    made = (await bus.channels.create(ann, NewChannel(name=name))).channel
    assert (await bus.channels.get(ann, name)).id == made.id
    message = (await bus.tasks.post(ann, name, "x")).message
    assert (await bus.messages.get(ann, message.id)).id == message.id
    assert (await bus.actors.get(ann, (await bus.actors.create(ann, f"{channel}/{name}")).name)).name == f"{channel}/{name}"


async def test_errors_are_those_of_the_bus(bus: Bus, ann: Caller, channel: str) -> None:
    """The same class, with its details."""
    with pytest.raises(errors.ChannelNotFound) as missing:
        await bus.tasks.claim(ann, channel)
    assert "nearest" in missing.value.details
    with pytest.raises(errors.Unauthorized):
        await bus.credentials.verify("bck_nonsense.nonsense")
    with pytest.raises(errors.ContentTooLarge):
        await bus.tasks.post(ann, channel, "x" * 300_000)
    with pytest.raises(errors.InvalidInput) as named:
        await bus.tasks.post(ann, "a{b}", "x")
    assert (named.value.reason_code, named.value.details["field"]) == ("invalid_channel_name", "channel")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"content": "\ud800"}, "content"),
        ({"metadata": {"x": float("nan")}}, "metadata"),
        ({"metadata": {"x": {1, 2}}}, "metadata"),
    ],
)
async def test_what_is_no_json_is_refused_before_it_is_sent(
    bus: Bus, ann: Caller, channel: str, fields: dict[str, object], field: str
) -> None:
    """The field is named, as the store itself would."""
    with pytest.raises(errors.InvalidInput) as refused:
        await bus.tasks.post(ann, channel, **{"content": "x", **fields})  # pyright: ignore[reportArgumentType]  # wrong on purpose
    assert refused.value.details["field"] == field


async def test_a_caller_without_its_raw_key_is_told_so(bus: Bus, ann: Caller) -> None:
    """A caller of another bus cannot speak for itself over HTTP."""
    with pytest.raises(errors.Unauthorized):
        await bus.channels.list(Caller(ann.key_id, ann.label))


async def test_a_server_that_is_down_is_told_at_once() -> None:
    """Nothing waits for it where nothing is sent again; asking where the bus stands never does."""
    async with connect_remote(Settings(base_url=f"http://127.0.0.1:{free_port()}", retry_seconds=0)) as bus:
        begun = time.monotonic()
        for verb in (
            bus.ping(),
            bus.credentials.verify("bck_a.b"),
            bus.tasks.post(Caller("k", "l", api_key="bck_a.b"), "c", "x"),
        ):
            with pytest.raises(errors.StoreUnavailable):
                await verb
        assert time.monotonic() - begun < 5


@asynccontextmanager
async def a_page() -> AsyncGenerator[str]:
    """A web server that is no Backchannel."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\nhey!")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_server_that_is_something_else_is_told() -> None:
    """A wrong BACKCHANNEL_BASE_URL is named, not a KeyError."""
    async with a_page() as url, connect_remote(Settings(base_url=url)) as bus:
        with pytest.raises(errors.StoreUnavailable, match="BACKCHANNEL_BASE_URL"):
            await bus.ping()


async def test_health_is_the_server_s(bus: Bus, base_url: str) -> None:
    """Where it is, and what it stands on."""
    health = await bus.ping()
    assert (health.store, health.where, health.look) == ("http", base_url, None)
    assert health.server


async def test_waits_outlive_a_restart_of_the_server(settings: Settings, channel: str) -> None:
    """A claim and an await go on when the server is back, and get what came meanwhile."""
    own = settings.model_copy(update={"port": free_port()})
    transport = Counting()
    async with connect_remote(Settings(base_url=f"http://127.0.0.1:{own.port}"), transport=transport) as bus:
        async with serving(own):
            ann, bob = await somebody(bus), await somebody(bus, "bob")
            await bus.channels.create(ann, NewChannel(name=channel))
            message = (await bus.tasks.post(ann, f"{channel}-2", "x", delay=timedelta(seconds=100))).message
            group = asyncio.TaskGroup()
            await group.__aenter__()
            transport.sent.clear()
            claiming = group.create_task(bus.tasks.claim(bob, channel, wait=LONG))
            awaiting = group.create_task(bus.tasks.await_result(ann, message.id, wait=LONG))
            await transport.sent.wait()
        async with serving(own):
            posted = await bus.tasks.post(ann, channel, "y")
            await bus.tasks.cancel(ann, message.id)
            await group.__aexit__(None, None, None)
    claim = claiming.result()
    assert claim is not None
    assert claim.id == posted.message.id
    assert awaiting.result().state == "cancelled"


async def test_a_wait_for_a_server_that_never_comes_ends_in_its_time() -> None:
    """With the error, not with an empty answer that would hide it."""
    async with connect_remote(Settings(base_url=f"http://127.0.0.1:{free_port()}")) as bus:
        begun = time.monotonic()
        with pytest.raises(errors.StoreUnavailable):
            await bus.tasks.claim(Caller("k", "l", api_key="bck_a.b"), "c", wait=timedelta(seconds=0.5))
        assert 0.4 < time.monotonic() - begun < 5


async def test_a_server_that_holds_no_requests_is_not_hammered(settings: Settings, channel: str) -> None:
    """Long-poll off: the wait asks again at growing intervals."""
    own = settings.model_copy(update={"port": free_port(), "longpoll_enabled": False})
    transport = Counting()
    async with serving(own) as url, connect_remote(Settings(base_url=url), transport=transport) as bus:
        ann = await somebody(bus)
        await bus.channels.create(ann, NewChannel(name=channel))
        transport.requests.clear()
        assert await bus.tasks.claim(ann, channel, wait=timedelta(seconds=1.5)) is None
    assert 2 <= transport.requests.count("POST /v1/tasks/claim") <= 8


async def test_draining_ends_the_waits(bus: Bus, base_url: str, ann: Caller, channel: str) -> None:
    """As if their time were up: now, and for every later one."""
    async with connect_remote(Settings(base_url=base_url)) as mine:
        await mine.channels.create(ann, NewChannel(name=channel))
        message = (await mine.tasks.post(ann, f"{channel}-2", "x", delay=timedelta(seconds=100))).message
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            claiming = group.create_task(mine.tasks.claim(ann, channel, actor=f"w-{channel}", wait=LONG))
            awaiting = group.create_task(mine.tasks.await_result(ann, message.id, wait=LONG))
            reading = group.create_task(mine.messages.subscribe(ann, channel, wait=LONG))
            await until_actor(bus, ann, f"w-{channel}")
            mine.drain()
        assert claiming.result() is None
        assert awaiting.result().outcome is None
        assert reading.result().items == []
        assert await mine.tasks.claim(ann, channel, wait=LONG) is None
        assert time.monotonic() - begun < 5
    # The requests that were cut off left no claim behind.
    posted = await bus.tasks.post(ann, channel, "y")
    claim = await bus.tasks.claim(ann, channel, wait=LONG)
    assert claim is not None
    assert claim.id == posted.message.id


async def test_a_cancelled_claim_leaves_no_task_behind(bus: Bus, ann: Caller, channel: str) -> None:
    """Cancelling closes the request, and the server takes back what it was about to give."""
    await bus.channels.create(ann, NewChannel(name=channel, max_deliveries=1))
    for n in range(5):
        async with asyncio.TaskGroup() as group:
            claiming = group.create_task(bus.tasks.claim(ann, channel, actor=f"{channel}-{n}", wait=LONG))
            await until_actor(bus, ann, f"{channel}-{n}")
            claiming.cancel()
        posted = await bus.tasks.post(ann, channel, "y")
        claim = await bus.tasks.claim(ann, channel, wait=LONG)
        assert claim is not None
        assert claim.id == posted.message.id
        await bus.tasks.ack(ann, claim.id, claim_token=claim.claim_token)


async def test_a_shared_public_server_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever points at a sandbox learns that messages leave the machine; a bus of one's own says nothing."""
    with caplog.at_level(logging.WARNING):
        for url in ("https://sandbox.example", "https://sandbox.example", "https://bus.example"):
            async with connect_remote(Settings(base_url=url)):
                pass
    (warning,) = [record.getMessage() for record in caplog.records if record.name.startswith("bus")]
    assert "https://sandbox.example" in warning


async def test_credentials_in_the_url_are_not_shown() -> None:
    """Neither in health nor in errors."""
    async with connect_remote(Settings(base_url=f"http://user:secret@127.0.0.1:{free_port()}")) as bus:
        with pytest.raises(errors.StoreUnavailable) as away:
            await bus.ping()
    assert "secret" not in away.value.message
