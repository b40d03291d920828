"""Webhooks do not lead into the operator's network, and no receiver holds the bus up."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bus import Bus, Caller
from bus.streams.webhooks import HandOver, Sender
from bus.streams.webhooks.posting import Resolve
from tests.receivers import Received, Receiver, hang, receiving

from .hooks import deliver, forget_queue, make_due
from .verbs import made, posted
from .worlds import World

pytestmark = pytest.mark.anyio
PUBLIC, PRIVATE = "93.184.215.14", "10.0.0.7"


class Names:
    """A resolver that gives one answer after the other; `asked` is what it was asked."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        return self._answers.pop(0)


async def _noted(world: World, bus: Bus, owner: Caller, channel: str, url: str) -> None:
    """A message that the URL is to be told of."""
    await forget_queue(world)
    await made(bus, owner, channel, webhook_url=url, webhook_secret="hush")
    await posted(bus, owner, channel)


async def _answer(world: World, bus: Bus, owner: Caller, channel: str, sender: Sender) -> str:
    """What one attempt meets, as it is shown once all five have been made."""
    for _ in range(5):
        assert await deliver(world, channel, sender) == 1
        await make_due(world)
    (failure,) = (await bus.webhooks.failures(owner, channel)).items
    return failure.attempts[0].answer


async def test_a_redirect_is_not_followed(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Wherever it leads: it is an answer like any that is not 2xx."""
    async with receiving() as receiver, receiving() as other:
        receiver.always = f"HTTP/1.1 307 Look There\r\nLocation: {other.url()}\r\nContent-Length: 0\r\n\r\n".encode()
        await _noted(world, bus, ann, channel, receiver.url())
        assert await _answer(world, bus, ann, channel, Sender(world.other)) == "HTTP 307"
        assert (receiver.connections, other.connections) == (5, 0)


async def test_a_name_is_looked_up_once_and_its_address_is_what_is_connected_to(
    world: World, bus: Bus, ann: Caller, channel: str
) -> None:
    """A second look-up could be answered otherwise than the one that was checked; the receiver sees the name it has."""
    async with receiving() as receiver:
        await _noted(world, bus, ann, channel, receiver.url("/x?y=z", host="hooks.example.com"))
        names = Names(["127.0.0.1"])
        assert await deliver(world, channel, Sender(world.other, resolve=names)) == 1
        told = await receiver.next()
        assert (told.headers["host"], told.target) == (f"hooks.example.com:{receiver.port}", "/x?y=z")
        assert names.asked == [("hooks.example.com", receiver.port)]


@pytest.mark.parametrize(
    "answers",
    [["127.0.0.2"], [PRIVATE], ["127.0.0.1", PRIVATE], [PUBLIC, "169.254.169.254"], ["::1"], ["fe80::1%2"], ["nonsense"]],
)
async def test_a_name_that_leads_to_a_private_address_is_not_connected_to(
    world: World, bus: Bus, ann: Caller, channel: str, answers: list[str]
) -> None:
    """Also when only one of its addresses is private: which one is connected to must not matter."""
    async with receiving() as receiver:
        await _noted(world, bus, ann, channel, receiver.url(host="rebound.example.com"))
        names = Names(*[answers] * 5)
        answer = await _answer(world, bus, ann, channel, Sender(world.other, resolve=names))
        assert "not public" in answer
        assert receiver.connections == 0


async def test_an_address_is_checked_at_every_attempt(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """A name that was good when the webhook was set, and again at the first attempt, may lead elsewhere at the second."""
    async with receiving() as receiver:
        receiver.always = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
        await _noted(world, bus, ann, channel, receiver.url(host="rebound.example.com"))
        sender = Sender(world.other, resolve=Names(["127.0.0.1"], *[["127.0.0.2"]] * 4))
        assert await _answer(world, bus, ann, channel, sender) == "HTTP 503"
        assert receiver.connections == 1


async def test_what_the_operator_no_longer_allows_is_not_sent(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """The list counts when something is sent, not only when the webhook is set."""
    async with receiving() as receiver:
        await _noted(world, bus, ann, channel, receiver.url())
        strict = replace(world.other, settings=world.settings.model_copy(update={"webhook_allow": ""}))
        assert "BACKCHANNEL_WEBHOOK_ALLOW" in await _answer(world, bus, ann, channel, Sender(strict))
        assert receiver.connections == 0


async def test_an_unreachable_receiver_is_a_failure(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """A name without an address, and an address where nobody listens; the next address is tried where there is one."""

    async def nobody(host: str, port: int) -> list[str]:
        raise OSError(f"no such host: {host}:{port}")

    await _noted(world, bus, ann, channel, "https://nowhere.example.com/")
    assert "cannot be found" in await _answer(world, bus, ann, channel, Sender(world.other, resolve=nobody))
    second = f"{channel}-2"
    await _noted(world, bus, ann, second, "http://127.0.0.1:1/")
    assert (await _answer(world, bus, ann, second, Sender(world.other))).startswith("no answer: ")
    third = f"{channel}-3"
    async with receiving() as receiver:
        await _noted(world, bus, ann, third, receiver.url(host="two.example.com"))
        wide = replace(world.other, settings=world.settings.model_copy(update={"webhook_allow": "127.0.0.0/8"}))
        assert await deliver(world, third, Sender(wide, resolve=Names(["127.0.0.9", "127.0.0.1"]))) == 1
        assert (await receiver.next()).headers["host"] == f"two.example.com:{receiver.port}"


async def _drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """An answer that never gets to its end, but never pauses for long either."""
    async with asyncio.timeout(10):
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: of it\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("slow", [hang, _drip])
async def test_a_slow_receiver_costs_a_bounded_time(
    world: World, bus: Bus, ann: Caller, channel: str, slow: Callable[..., None]
) -> None:
    """In all: one that sends a little from time to time gets no more than one that sends nothing."""
    async with receiving() as receiver:
        receiver.always = slow  # type: ignore[assignment]  # an answer, whichever
        await _noted(world, bus, ann, channel, receiver.url())
        assert await _answer(world, bus, ann, channel, Sender(world.other, limit_seconds=0.1)) == "no answer within 0.1 s"


async def test_a_dead_receiver_does_not_hold_up_the_others(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Once it has kept one waiting, two at a time may try it; further ones fail at once and come again later."""
    other = f"{channel}-other"
    async with receiving() as dead, receiving() as alive:
        dead.always = hang
        await _noted(world, bus, ann, channel, dead.url(host="dead.example.com"))
        for n in range(5):
            await posted(bus, ann, channel, f"{n}")
        sender = Sender(world.other, limit_seconds=0.3, resolve=Names(*[["127.0.0.1"]] * 20))
        await HandOver(world.other).hand_on(channel)
        assert await sender.send_once()  # waits in vain
        await made(bus, ann, other, webhook_url=alive.url())
        await posted(bus, ann, other)
        await HandOver(world.other).hand_on(other)
        await asyncio.gather(*(sender.send_once() for _ in range(6)))
        assert dead.connections == 3
        assert len(alive.all()) == 1
        assert await make_due(world) == 6  # none is lost


async def test_an_endless_answer_is_not_read(world: World, bus: Bus, ann: Caller, channel: str) -> None:
    """Its status says that it was taken; of the rest 64 KiB are read at most."""
    written = 0

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while written < 100_000_000:
            writer.write(b"x" * 65_536)
            await writer.drain()
            written += 65_536

    async with receiving() as receiver:
        receiver.always = endless
        await _noted(world, bus, ann, channel, receiver.url())
        assert await deliver(world, channel, Sender(world.other)) == 1
    assert written < 20_000_000  # what the sockets hold comes on top
    assert await make_due(world) == 0
    assert list((await bus.webhooks.failures(ann, channel)).items) == []


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 700\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"]
)
async def test_an_answer_that_is_no_http_is_a_failure(world: World, bus: Bus, ann: Caller, channel: str, answer: bytes) -> None:
    """Whatever a receiver sends, it is an attempt that failed."""
    async with receiving() as receiver:
        receiver.always = answer
        await _noted(world, bus, ann, channel, receiver.url())
        assert await _answer(world, bus, ann, channel, Sender(world.other))


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A certificate for hooks.example.com: as its server shows it, and as one who trusts it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate")
    folder: Path = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=hooks", "-addext", "subjectAltName=DNS:hooks.example.com", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    return server, ssl.create_default_context(cafile=str(cert))


async def _over_tls(
    world: World, bus: Bus, owner: Caller, channel: str, host: str, receiver: Receiver, trust: ssl.SSLContext | None
) -> Received | str:
    async def here(_: str, __: int) -> list[str]:
        return ["127.0.0.1"]

    resolve: Resolve = here
    await _noted(world, bus, owner, channel, receiver.url(host=host, scheme="https"))
    sender = Sender(world.other, resolve=resolve, trust=trust)
    assert await deliver(world, channel, sender) == 1
    if await make_due(world) == 0:
        return await receiver.next()
    for _ in range(4):
        assert await deliver(world, channel, sender) == 1
        await make_due(world)
    return (await bus.webhooks.failures(owner, channel)).items[0].attempts[0].answer


async def test_a_certificate_is_checked_against_the_name(
    world: World, bus: Bus, ann: Caller, channel: str, identity: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    """The connection goes to an address, the identity is the name's: another name, or one that nobody vouches for, fails."""
    server, trust = identity
    async with receiving(server) as receiver:
        right = await _over_tls(world, bus, ann, channel, "hooks.example.com", receiver, trust)
        assert isinstance(right, Received)
        assert right.headers["host"] == f"hooks.example.com:{receiver.port}"
        wrong = await _over_tls(world, bus, ann, f"{channel}-2", "other.example.com", receiver, trust)
        unknown = await _over_tls(world, bus, ann, f"{channel}-3", "hooks.example.com", receiver, None)
        for refused in (wrong, unknown):
            assert isinstance(refused, str)
            assert "certificate" in refused.casefold()
        assert receiver.all() == []
