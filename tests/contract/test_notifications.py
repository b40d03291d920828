"""What the store tells of changed keys, against a real server, on both event loops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus.store import Store
from bus.store.notify_mode import missing_classes
from tests.contract.stores import LOOPS, SOON, Ears, eventually, opened, recovered
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


async def test_a_confirmed_watch_hears_the_next_event(valkey: Server) -> None:
    """Once the future is done, nothing that happens to the key is missed."""
    ears = Ears()
    async with opened(valkey.url, ears) as store:
        watched = [store.notifications.watch(f"bc:{{a}}:result:{n}") for n in range(200)]
        await asyncio.wait_for(asyncio.gather(*watched), SOON)
        await store.command("SET", "bc:{a}:result:7", "x", "PX", 1000)
        await store.command("SET", "bc:{a}:unwatched", "x")
        await store.command("SET", "bc:{a}:result:8", "x")
        assert [await ears.next(), await ears.next()] == [("bc:{a}:result:7", "set"), ("bc:{a}:result:8", "set")]
        assert not ears.lost_track.is_set()


async def test_a_stream_entry_is_heard(valkey: Server) -> None:
    """Posting wakes whoever waits on the channel."""
    ears = Ears()
    async with opened(valkey.url, ears) as store:
        await asyncio.wait_for(store.notifications.watch("bc:{é}:stream"), SOON)
        await store.command("XADD", "bc:{é}:stream", "*", "content", "x")
        assert await ears.next() == ("bc:{é}:stream", "xadd")


async def test_concurrent_watchers_of_a_key_are_each_confirmed_though_one_leaves(store: Store) -> None:
    """A watcher that is cancelled takes the confirmation from nobody."""
    first, second, third = (store.notifications.watch("shared") for _ in range(3))
    first.cancel()
    await asyncio.wait_for(asyncio.gather(second, third), SOON)
    assert store.notifications.watch("shared").done()


async def test_a_key_left_and_watched_again_is_confirmed_for_the_last_time_only(valkey: Server) -> None:
    """The confirmation of an earlier subscription is not taken for that of the present one."""
    ears = Ears()
    async with opened(valkey.url, ears) as store:
        await asyncio.wait_for(store.notifications.watch("other"), SOON)
        for _ in range(20):
            valkey.pause()  # so that no confirmation comes between these steps
            store.notifications.watch("k")
            await asyncio.sleep(0)
            store.notifications.unwatch("k")
            await asyncio.sleep(0)
            again = store.notifications.watch("k")
            await asyncio.sleep(0)
            valkey.resume()
            await asyncio.wait_for(again, SOON)
            with valkey.client() as outside:  # another connection: not held up behind our own subscription
                outside.set("k", "x")
            assert await ears.next() == ("k", "set")
            store.notifications.unwatch("k")


async def test_an_unwatched_key_is_not_heard_any_more(valkey: Server) -> None:
    """The server is told, so that it stops sending."""
    ears = Ears()
    async with opened(valkey.url, ears) as store:
        await asyncio.gather(*(asyncio.wait_for(store.notifications.watch(key), SOON) for key in ("a", "b")))
        store.notifications.unwatch("a")
        await eventually(lambda: valkey.client().pubsub_numsub("__keyspace@0__:a") == [("__keyspace@0__:a", 0)])
        await store.command("SET", "a", "x")
        await store.command("SET", "b", "x")
        assert await ears.next() == ("b", "set")


async def test_after_a_restart_everything_watched_is_heard_again_and_the_gap_is_told(valkey: Server) -> None:
    """Events of the gap are lost, so everybody is told to look for themselves, once the subscription stands again."""
    ears = Ears()
    async with opened(valkey.url, ears) as store:
        await asyncio.gather(*(asyncio.wait_for(store.notifications.watch(f"k{n}"), SOON) for n in range(600)))
        valkey.kill()
        during = store.notifications.watch("new")
        valkey.start()
        await asyncio.wait_for(ears.lost_track.wait(), SOON)
        await asyncio.wait_for(during, SOON)
        for key in ("k0", "k599", "new"):
            await recovered(store, "SET", key, "x")
            assert await ears.next() == (key, "set")


async def test_notification_classes_that_are_on_stay_on(tmp_path: Path) -> None:
    """The server's other users keep their notifications."""
    with server(tmp_path, "--notify-keyspace-events", "Ex") as valkey:
        async with opened(valkey.url) as store:
            await asyncio.wait_for(store.notifications.watch("any"), SOON)
            flags = (await store.command("CONFIG", "GET", "notify-keyspace-events"))[1]
            assert set("ExK$t") <= set(flags)
            assert (store.notify_mode, store.publish_prefix) == ("keyspace", None)


def test_only_missing_notification_classes_are_added() -> None:
    """`A` covers strings and streams; only the keyspace channels may be missing then."""
    assert [missing_classes(flags) for flags in ("", "K$t", "Ex", "AE", "AKE", "K")] == ["K$t", "", "K$t", "K", "", "$t"]


@contextmanager
def limited_server(directory: Path, *options: str) -> Iterator[str]:
    """The URL of a server for a user who may not use CONFIG, nor keys outside bc:*."""
    with server(directory, *options, tcp=True) as valkey:
        with valkey.client() as client:
            client.execute_command("ACL", "SETUSER", "app", "on", ">pw", "~bc:*", "&*", "+@all", "-config")
        yield valkey.url.replace("redis://", "redis://app:pw@")


async def test_without_config_rights_and_notifications_scripts_are_told_to_publish(tmp_path: Path) -> None:
    """Where the server may not be told, the scripts publish the same, and the listening side is the same."""
    with limited_server(tmp_path) as url:
        ears = Ears()
        async with opened(url, ears) as store:
            await asyncio.wait_for(store.notifications.watch("bc:{a}:bell"), SOON)
            assert (store.notify_mode, store.publish_prefix) == ("publish", "__keyspace@0__:")
            await store.command("PUBLISH", f"{store.publish_prefix}bc:{{a}}:bell", "set")
            assert await ears.next() == ("bc:{a}:bell", "set")


async def test_without_config_rights_notifications_that_are_on_are_found(tmp_path: Path) -> None:
    """Managed servers refuse CONFIG and may have notifications on all the same."""
    with limited_server(tmp_path, "--notify-keyspace-events", "K$t") as url:
        ears = Ears()
        async with opened(url, ears) as store:
            await asyncio.wait_for(store.notifications.watch("bc:{a}:bell"), SOON)
            assert (store.notify_mode, store.publish_prefix) == ("keyspace", None)
            await store.command("SET", "bc:{a}:bell", "x")
            assert await ears.next() == ("bc:{a}:bell", "set")
