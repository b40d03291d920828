"""The embedded store: one server per data directory, shared by processes that come, go and are killed."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bus.errors import StoreUnavailable
from bus.settings import Settings
from bus.store import Store, open_store
from bus.store.embedded import Embedded, embedded_status, socket_path, stop_embedded
from bus.store.locks import open_lock, try_lock

pytestmark = pytest.mark.anyio

SOON = 15.0

# Opens the embedded store of argv[1], counts itself, says who serves it, and leaves when its input ends.
USER = """
import asyncio, sys
from pathlib import Path
from bus.settings import Settings
from bus.store import open_store
from bus.store.embedded import embedded_status

async def use():
    async with open_store(Settings(data_dir=Path(sys.argv[1])), lambda key, event: None, lambda: None) as store:
        await store.command("INCR", "users")
        print(embedded_status(Path(sys.argv[1])).pid, flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(use())
"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "data"
    yield directory
    if directory.is_dir():
        stop_embedded(directory)


class User:
    """Another process that uses the store."""

    def __init__(self, data_dir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def server_pid(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def leave(self) -> None:
        self.process.communicate("\n", timeout=SOON)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=SOON)


@pytest.fixture
def user(data_dir: Path) -> Iterator[Callable[[], User]]:
    users: list[User] = []

    def start() -> User:
        users.append(User(data_dir))
        return users[-1]

    yield start
    for each in users:
        each.kill()


@asynccontextmanager
async def opened(data_dir: Path, heard: list[str] | None = None) -> AsyncGenerator[Store, None]:
    keys: list[str] = [] if heard is None else heard
    async with open_store(Settings(data_dir=data_dir), lambda key, _: keys.append(key), lambda: None) as store:
        yield store


def no_server(data_dir: Path) -> bool:
    """Whether nothing holds the lock that lives as long as the server."""
    lock = open_lock(data_dir / "server.lock")
    try:
        return try_lock(lock)
    finally:
        os.close(lock)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def recovered(store: Store, *command: str) -> object:
    """The reply of the first call that gets one again."""
    async with asyncio.timeout(SOON):
        while True:
            try:
                return await store.command(*command)
            except StoreUnavailable:
                continue


async def test_processes_that_start_together_share_one_server(user: Callable[[], User], data_dir: Path) -> None:
    """Two sessions on one machine meet, however close together they start; the last one out stops the server."""
    users = [user() for _ in range(6)]
    assert len({each.server_pid() for each in users}) == 1
    async with opened(data_dir) as store:
        assert await store.command("GET", "users") == "6"
        for each in users:
            each.leave()
        assert await store.command("PING") == "PONG"
    assert no_server(data_dir)


async def test_the_server_outlives_a_starter_that_is_killed(user: Callable[[], User], data_dir: Path) -> None:
    """kill -9 of the process that happened to start the server disturbs nobody, and the server is adopted."""
    starter = user()
    pid = starter.server_pid()
    async with opened(data_dir) as store:
        await store.command("SET", "kept", "x")
        starter.kill()
        assert await store.command("GET", "kept") == "x"
        assert embedded_status(data_dir).pid == pid
    assert no_server(data_dir)


async def test_a_server_left_behind_by_killed_processes_is_adopted(user: Callable[[], User], data_dir: Path) -> None:
    """When everybody was killed, the next one finds the server running with the data in it."""
    left = user()
    pid = left.server_pid()
    left.kill()
    assert not no_server(data_dir)
    async with opened(data_dir) as store:
        assert await store.command("GET", "users") == "1"
        assert embedded_status(data_dir).pid == pid


async def test_a_killed_server_is_started_again_for_those_who_use_it(user: Callable[[], User], data_dir: Path) -> None:
    """kill -9 of the server: calls and notifications resume by themselves, and what was written is there."""
    other = user()
    heard: list[str] = []
    async with opened(data_dir, heard) as store:
        pid = other.server_pid()
        await store.notifications.watch("bc:{a}:bell")
        await store.command("XADD", "stream", "1-1", "content", "kept")
        await written(data_dir)
        os.kill(pid, signal.SIGKILL)
        assert await recovered(store, "XRANGE", "stream", "-", "+") == [["1-1", ["content", "kept"]]]
        await asyncio.wait_for(store.notifications.watch("bc:{b}:bell"), SOON)
        await store.command("SET", "bc:{a}:bell", "x")
        async with asyncio.timeout(SOON):
            while "bc:{a}:bell" not in heard:
                await store.command("PING")
        assert embedded_status(data_dir).pid not in (pid, None)
        other.leave()
        assert await store.command("PING") == "PONG"
    assert no_server(data_dir)


async def written(data_dir: Path) -> None:
    """Wait until the append-only file holds the entry: everysec may still keep it in the server's own buffer."""
    deadline = time.monotonic() + SOON
    while not any(b"kept" in part.read_bytes() for part in (data_dir / "appendonlydir").iterdir()):
        assert time.monotonic() < deadline, "it was never written"
        await asyncio.sleep(0.01)


async def test_what_was_written_is_there_the_next_time(data_dir: Path) -> None:
    """The data directory is the store: leaving and coming back loses nothing."""
    async with opened(data_dir) as store:
        await store.command("SET", "kept", "x")
    assert no_server(data_dir)
    async with opened(data_dir) as store:
        assert await store.command("GET", "kept") == "x"


async def test_two_stores_in_one_process_share_the_server(data_dir: Path) -> None:
    """The first to leave does not stop it under the other."""
    async with opened(data_dir) as one:
        async with opened(data_dir) as two:
            await two.command("SET", "k", "x")
        assert await one.command("GET", "k") == "x"


async def test_the_server_is_set_up_to_keep_what_it_is_given_and_for_its_user_alone(data_dir: Path) -> None:
    """Append-only file on, nothing evicted, no port open, no other user of the machine gets in."""
    async with opened(data_dir) as store:
        settings = await store.command("CONFIG", "GET", "appendonly", "appendfsync", "maxmemory-policy", "port")
        assert dict(zip(settings[::2], settings[1::2], strict=True)) == {
            "appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "port": "0",
        }  # fmt: skip
        assert (mode(data_dir), mode(data_dir / "bus.sock")) == (0o700, 0o700)
        assert not any(mode(found) & 0o077 for found in (data_dir / "appendonlydir").iterdir())
        assert (store.kind, store.where, store.look) == (
            "embedded", str(data_dir / "bus.sock"), f"redis-cli -s {data_dir / 'bus.sock'}"
        )  # fmt: skip


async def test_a_server_can_be_stopped_and_looked_at_from_outside(user: Callable[[], User], data_dir: Path) -> None:
    """`backchannel stop` and `status`."""
    left = user()
    pid = left.server_pid()
    left.kill()
    assert embedded_status(data_dir).pid == pid
    assert embedded_status(data_dir).socket == data_dir / "bus.sock"
    assert stop_embedded(data_dir)
    assert embedded_status(data_dir).pid is None
    assert no_server(data_dir)
    assert not stop_embedded(data_dir)


async def test_a_data_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """The error says which directory, why, and which setting to change."""
    (tmp_path / "file").write_text("no directory")
    async with opened(tmp_path / "file" / "data") as store:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable, match=r"file/data .*BACKCHANNEL_DATA_DIR"):
            await store.command("PING")
        assert time.monotonic() - began < 5


async def test_a_server_that_refuses_its_data_says_why(data_dir: Path) -> None:
    """A damaged append-only file is not silently dropped: the server's own last words are passed on."""
    async with opened(data_dir) as store:
        await store.command("SET", "kept", "x" * 1000)
    (found,) = (data_dir / "appendonlydir").glob("*.incr.aof")
    found.write_bytes(b"garbage" + found.read_bytes())
    with pytest.raises(StoreUnavailable, match=r"its last words: .*append only file"):
        await asyncio.to_thread(Embedded(data_dir).ensure_running)
    assert b"x" * 1000 in found.read_bytes()


async def test_a_path_too_long_for_a_socket_gets_one_of_its_own(tmp_path: Path) -> None:
    """Deep home directories work: the socket lies elsewhere, in a private directory that every process finds."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    async with opened(deep) as store:
        await store.command("SET", "k", "x")
        assert len(store.where) <= 100
        assert store.where == str(socket_path(deep))
        assert mode(socket_path(deep).parent) == 0o700
    async with opened(deep) as store:
        assert await store.command("GET", "k") == "x"
    socket_path(deep).unlink(missing_ok=True)
    socket_path(deep).parent.rmdir()
