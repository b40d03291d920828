"""What the connection to Redis promises, against a real server, on both event loops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from redis.exceptions import BusyLoadingError, ResponseError

from bus.errors import StoreFull, StoreUnavailable
from bus.store import Store
from tests.contract.stores import COUNT, LOOPS, SOON, eventually, opened, recovered, script
from tests.servers import Server, server

pytestmark = pytest.mark.anyio


@pytest.fixture(params=LOOPS.values(), ids=LOOPS.keys())
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return request.param


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Server]:
    with server(tmp_path) as running:
        yield running


@pytest.fixture
async def store(valkey: Server) -> AsyncGenerator[Store, None]:
    async with opened(valkey.url) as found:
        await found.command("PING")
        yield found


# --- commands, scripts, replies


async def test_concurrent_calls_are_answered_each_with_its_own_reply(store: Store) -> None:
    """Thousand callers share one connection and nobody gets another's reply."""
    replies = await asyncio.gather(*(store.command("ECHO", f"call {n}") for n in range(1000)))
    assert replies == [f"call {n}" for n in range(1000)]


async def test_calls_are_carried_out_in_the_order_they_were_made(store: Store) -> None:
    """What one process sends, the server does in that order: writes do not overtake each other."""
    await asyncio.gather(*(store.command("RPUSH", "order", n) for n in range(1000)))
    assert await store.command("LRANGE", "order", 0, -1) == [str(n) for n in range(1000)]


async def test_one_process_uses_one_connection_for_commands_and_one_for_notifications(store: Store, valkey: Server) -> None:
    """Five hundred callers are not five hundred connections."""
    await asyncio.wait_for(store.notifications.watch("any"), SOON)
    await asyncio.gather(*(store.command("PING") for _ in range(500)))
    with valkey.client() as client:
        others = [found for found in client.client_list() if found["name"] == "backchannel"]
    assert len(others) == 2


async def test_replies_keep_text_numbers_nothing_and_nesting_apart(store: Store) -> None:
    """Replies are what RESP2 says: text decoded, numbers as int, nothing as None, lists as lists."""
    source = script("return {1, 'über', false, {'a', {2}}}")
    assert await store.run(source, [], []) == [1, "über", None, ["a", [2]]]


async def test_large_values_pass_whole_in_both_directions(store: Store) -> None:
    """A value larger than every buffer on the way arrives as it was sent, beside small ones."""
    large = "é" * 3_000_000
    written, _, read, small = await asyncio.gather(
        store.command("SET", "large", large),
        store.command("SET", "small", "s"),
        store.command("GET", "large"),
        store.command("GET", "small"),
    )
    assert (written, small) == ("OK", "s")
    assert read == large


async def test_an_argument_that_is_no_text_is_refused_before_anything_is_sent(store: Store) -> None:
    """A lone surrogate cannot be encoded: the call raises, and later calls still get their own replies."""
    with pytest.raises(UnicodeEncodeError):
        store.command("SET", "k", "\ud800")
    with pytest.raises(UnicodeEncodeError):
        store.run(COUNT, ["\ud800"], [])
    assert await store.command("GET", "k") is None


async def test_an_error_reply_is_raised_and_harms_no_other_call(store: Store) -> None:
    """An error belongs to the call that caused it."""
    first, wrong, last = await asyncio.gather(
        store.command("ECHO", "1"), store.command("XADD", "x"), store.command("ECHO", "2"), return_exceptions=True
    )
    assert isinstance(wrong, ResponseError)
    assert (first, last) == ("1", "2")


async def test_a_script_the_server_does_not_know_is_sent_with_its_source(store: Store, valkey: Server) -> None:
    """SCRIPT FLUSH or a restart of the server is not noticed by callers, and the script runs once."""
    assert await store.run(COUNT, ["n"], []) == 1
    with valkey.client() as client:
        client.script_flush()
    assert sorted(await asyncio.gather(*(store.run(COUNT, ["n"], []) for _ in range(20)))) == list(range(2, 22))
    with valkey.client() as client:
        assert client.script_exists(COUNT.sha) == [True]


async def test_a_new_server_is_taught_a_script_once_by_many_calls_of_it(store: Store, valkey: Server) -> None:
    """When a server has forgotten its scripts, a crowd of calls does not send the source hundreds of times; each runs once."""
    replies = await asyncio.gather(*(store.run(COUNT, ["count"], []) for _ in range(500)))
    assert sorted(replies) == list(range(1, 501))
    with valkey.client() as client:
        assert client.info("commandstats")["cmdstat_eval"]["calls"] == 1


async def test_a_store_out_of_memory_says_so_and_still_reads(tmp_path: Path) -> None:
    """OOM is an error of its own, so that posting can be refused while finishing goes on."""
    with server(tmp_path, "--maxmemory", "3mb", "--maxmemory-policy", "noeviction") as valkey:
        async with opened(valkey.url) as store:
            with pytest.raises(StoreFull):
                await asyncio.gather(*(store.command("SET", f"k{n}", "x" * 100_000) for n in range(50)))
            with pytest.raises(StoreFull):
                await store.run(script("return redis.call('SET', KEYS[1], ARGV[1])"), ["k"], ["x" * 100_000])
            assert await store.command("PING") == "PONG"


async def test_the_store_names_its_server(store: Store, valkey: Server) -> None:
    """Operators are shown what they run, and how to look inside."""
    assert (await store.server()).startswith(("Valkey ", "Redis "))
    assert store.kind == "redis"
    assert store.look == f"redis-cli -s {valkey.socket}"


# --- cancellation


async def test_a_cancelled_call_leaves_the_connection_and_its_neighbours_alone(store: Store, valkey: Server) -> None:
    """Callers go away at any time; only their own reply is dropped."""
    with valkey.client() as client:
        before = client.info("stats")["total_connections_received"]
    calls = [store.command("ECHO", str(n)) for n in range(300)]
    for n in range(0, 300, 3):
        calls[n].cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [answer for n, answer in enumerate(answers) if n % 3] == [str(n) for n in range(300) if n % 3]
    with valkey.client() as client:
        assert client.info("stats")["total_connections_received"] == before + 1  # this client's own


async def test_a_cancelled_script_is_not_sent_again_with_its_source(store: Store) -> None:
    """A caller that left while its script was unknown to the server has caused nothing."""
    unknown = script("return redis.call('INCR', KEYS[1]) -- never loaded")
    store.run(unknown, ["cancelled"], []).cancel()
    await store.command("PING")
    await store.command("PING")
    assert await store.command("GET", "cancelled") is None


# --- losing the connection


async def test_calls_in_flight_when_the_server_dies_fail_and_later_ones_work(store: Store, valkey: Server) -> None:
    """A lost connection is a clear error at once; the process recovers by itself."""
    in_flight = store.command("BLPOP", "never", 0)
    await eventually(lambda: bool(valkey.client().info("clients")["blocked_clients"]))
    valkey.kill()
    with pytest.raises(StoreUnavailable, match="unknown") as failed:
        await asyncio.wait_for(in_flight, SOON)
    assert failed.value.details["retry_after"] == 1
    valkey.start()
    assert await recovered(store) == "PONG"


async def test_a_call_made_while_the_store_is_away_waits_for_it(store: Store, valkey: Server) -> None:
    """A short outage is a short wait, not an error."""
    broken = store.command("BLPOP", "never", 0)
    valkey.kill()
    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(broken, SOON)
    waiting = [store.command("RPUSH", "list", n) for n in range(10)]
    waiting[3].cancel()
    valkey.start()
    answers = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), SOON)
    assert [answer for answer in answers if isinstance(answer, int)] == list(range(1, 10))
    assert await store.command("LRANGE", "list", 0, -1) == ["0", "1", "2", "4", "5", "6", "7", "8", "9"]


async def test_a_store_that_never_was_there_fails_calls_within_five_seconds(tmp_path: Path) -> None:
    """Opening does not fail; a call does, and says that nothing was sent."""
    async with opened(f"unix://{tmp_path}/nobody") as store:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match="nothing was sent"):
            await store.command("PING")
        assert time.monotonic() - began < 5


async def test_a_server_that_loads_its_data_is_waited_for(valkey: Server) -> None:
    """A restart with much data is not an error: calls wait while the server says that it is loading."""
    with valkey.client() as client, client.pipeline() as many:
        for n in range(2000):
            many.set(f"k{n}", n)
        many.execute()
    valkey.kill()
    async with opened(valkey.url) as store:
        last = store.command("GET", "k1999")
        valkey.start("--key-load-delay", "500", "--loading-process-events-interval-bytes", "1024", until=BusyLoadingError)
        assert await asyncio.wait_for(last, SOON) == "1999"


async def test_a_server_that_stands_still_fails_calls_within_five_seconds(store: Store, valkey: Server) -> None:
    """A hung server is noticed as a dead one is, and used again when it goes on."""
    valkey.pause()
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match="unknown"):
        await store.command("PING")
    assert time.monotonic() - began < 5
    valkey.resume()
    assert await recovered(store) == "PONG"


async def test_a_write_whose_reply_was_lost_is_not_sent_again(tmp_path: Path) -> None:
    """Whether it took effect is unknown to the caller, but it never takes effect twice."""
    with server(tmp_path) as valkey:
        async with cut_after_reply(valkey, tmp_path / "p") as (url, cut), opened(url) as store:
            await store.command("PING")
            cut.set()
            with pytest.raises(StoreUnavailable, match="unknown"):
                await store.command("INCR", "writes")
            cut.clear()
            assert await recovered(store, "GET", "writes") == "1"


async def test_a_closed_store_refuses_calls(valkey: Server) -> None:
    """Nothing hangs on a store that was left."""
    async with opened(valkey.url) as store:
        open_call = store.command("BLPOP", "never", 0)
        await store.notifications.watch("any")
    with pytest.raises(StoreUnavailable):
        await open_call
    with pytest.raises(StoreUnavailable):
        await store.command("PING")


async def test_what_the_body_raises_comes_out_as_it_is(valkey: Server) -> None:
    """The store's background work does not wrap its user's exceptions in groups."""
    with pytest.raises(KeyError, match="mine"):
        async with opened(valkey.url):
            raise KeyError("mine")


@asynccontextmanager
async def cut_after_reply(valkey: Server, path: Path) -> AsyncGenerator[tuple[str, asyncio.Event], None]:
    """A way to the server that, while `cut` is set, hands commands on but breaks instead of handing a reply back."""
    cut = asyncio.Event()
    serving: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, replies: bool) -> None:
        while (data := await reader.read(65_536)) and not (replies and cut.is_set()):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        up_reader, up_writer = await asyncio.open_unix_connection(str(valkey.socket))
        ways = carry(reader, up_writer, replies=False), carry(up_reader, writer, replies=True)
        try:
            await asyncio.gather(*ways, return_exceptions=True)  # a side that was cut may see a reset instead of an end
        finally:
            for end in (writer, up_writer):
                end.close()
            for end in (writer, up_writer):
                with suppress(ConnectionError):
                    await end.wait_closed()

    proxy = await asyncio.start_unix_server(serve, str(path))
    try:
        yield f"unix://{path}", cut
    finally:
        proxy.close()
        await asyncio.gather(*serving, return_exceptions=True)
