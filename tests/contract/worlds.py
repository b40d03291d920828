"""The worlds that the contract holds in: every wiring of the bus, over every store it runs on."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import redis
from pydantic import SecretStr

from api.serving import serving
from bus import Bus, Settings
from bus.errors import StoreUnavailable
from bus.keys import Keys
from bus.remote import connect_remote
from bus.store import Arg, Store
from bus.streams import bus_over, connect_engine
from bus.streams.engine import Engine
from bus.streams.sweeper import Sweeper
from tests.fleets import cluster, watched

Replica = Callable[..., AbstractAsyncContextManager[Bus]]
"""Starts another process on the same store, with limits of its own."""
SOON = 10.0
"""Seconds within which what must happen has happened, on a machine that is slow and busy."""
ADMIN_TOKEN = "of the tests"
FLEETS = ("cluster-redis", "sentinel-redis")
"""Stores of many servers."""
WORLDS = ("embedded-redis", "embedded-http", "memory-redis", "redis_server-redis", *FLEETS)
_FADING = re.compile(r"\}:(gone$|bell$|writes$|rate$|claimers$|told:|once:webhooks:|once:auto-|once:[^:]*:post:auto-)")
"""Keys that end within minutes, so perhaps just between two looks."""
_OF_MANY_NODES = ("FLUSHALL", "KEYS", "XREADGROUP")
"""What the bus never sends, and redis-py knows which nodes of a cluster to send to."""
REDIS_SERVER = shutil.which("redis-server")


@dataclass(frozen=True, slots=True)
class World:
    """`bus` is the one under test. `engine` is the one behind it, `other` another process's on the same store.

    Nothing sweeps and nothing re-checks by itself here: what must happen happens by an event, or by `sweep`.
    """

    name: str
    bus: Bus
    engine: Engine
    other: Engine
    settings: Settings

    @property
    def store(self) -> Store:
        return self.other.store

    @property
    def keys(self) -> Keys:
        return self.other.keys

    async def redis(self, *command: Arg) -> Any:
        """One command straight to the store."""
        if self.name == "cluster-redis" and command[0] in _OF_MANY_NODES:
            return await asyncio.to_thread(_on_cluster, self.store.where, command)
        return await self.store.command(*command)

    async def expire(self, message_id: str) -> None:
        """End the lease, or the delay, of this task now."""
        channel, stream_id = message_id.rsplit(":", 1)
        for name in (":due", ":parked"):
            await self.redis("ZADD", self.keys.channel(channel) + name, "XX", 1, stream_id)

    async def let_messages_live(self, channel: str, milliseconds: int) -> None:
        """The time to live of what is posted from now on: shorter than any that a channel may be made with."""
        await self.redis("HSET", self.keys.channel(channel), "ttl_ms", milliseconds)

    async def parked(self, waiters: int = 1) -> None:
        """Until so many calls are parked in the bus under test."""
        await parked(self.engine, waiters)

    async def passed(self, milliseconds: int) -> None:
        """Until the store's own clock has moved on by so much."""

        async def now() -> int:
            seconds, micros = await self.redis("TIME")
            return int(seconds) * 1000 + int(micros) // 1000

        until = await now() + milliseconds
        async with asyncio.timeout(SOON):
            while await now() <= until:  # noqa: ASYNC110 - a clock tells no event
                await asyncio.sleep(0.001)

    async def sweep(self, channel: str) -> int:
        """What the sweeper does to this channel when its turn comes; how many tasks were given an outcome."""
        return await Sweeper(self.other).sweep_channel(channel)

    async def everything(self) -> dict[str, str]:
        """Every key with a fingerprint of what it holds, except what says only whose a name is, and paces, which end."""
        found = await self.redis("KEYS", self.keys.prefix + "*")
        names, pace = (self.keys.actors, self.keys.config, self.keys.sweeper), self.keys.prefix + "rate:"
        kept = [key for key in sorted(found) if key not in names and not key.startswith(pace) and not _FADING.search(key)]
        kinds = await asyncio.gather(*(self.redis("TYPE", key) for key in kept))
        return dict(zip(kept, await asyncio.gather(*map(self._contents, kept, kinds)), strict=True))

    async def _contents(self, key: str, kind: str) -> str:
        read = {
            "string": ("GET", key), "hash": ("HGETALL", key), "zset": ("ZRANGE", key, 0, -1, "WITHSCORES"),
            "stream": ("XRANGE", key, "-", "+"), "none": ("EXISTS", key),
        }[kind]  # fmt: skip
        return repr(await self.redis(*read))


async def parked(engine: Engine, waiters: int = 1) -> None:
    """Until so many calls are parked in the bus over this engine."""
    async with asyncio.timeout(SOON):
        while engine.bell.waiting() < waiters:  # noqa: ASYNC110 - parking tells no event
            await asyncio.sleep(0.002)


def _on_cluster(url: str, command: tuple[Arg, ...]) -> Any:
    host, port = url.partition("://")[2].split(",")[0].rsplit(":", 1)
    with redis.RedisCluster(host, int(port), decode_responses=True) as client:
        if command[0] == "KEYS":
            return [each for node in client.get_primaries() for each in client.execute_command(*command, target_nodes=[node])]
        return client.execute_command(*command)


@asynccontextmanager
async def opened(name: str, data_dir: Path) -> AsyncGenerator[World]:
    """The world of that name; its servers end with it."""
    store, wiring = name.split("-")
    async with _settings(store, data_dir) as settings, connect_engine(settings) as engine, connect_engine(settings) as other:
        if wiring == "redis":
            yield World(name, bus_over(engine), engine, other, settings)
            return

        @asynccontextmanager
        async def connect(_: Settings) -> AsyncGenerator[Bus]:
            yield bus_over(engine)

        async with serving(settings, connect=connect) as base_url, connect_remote(client_of(base_url)) as bus:
            yield World(name, bus, engine, other, settings)


def client_of(base_url: str) -> Settings:
    """The settings of who reaches the bus through that server, and may administer it."""
    return Settings(base_url=base_url, admin_token=SecretStr(ADMIN_TOKEN))


@asynccontextmanager
async def _settings(store: str, data_dir: Path) -> AsyncGenerator[Settings]:
    common: dict[str, Any] = {"port": 0, "data_dir": data_dir, "prefix": "contract:", "log_level": "warning"}
    # One address makes all the requests and mints all the keys.
    common |= {"admin_token": ADMIN_TOKEN, "rate_limit": 0, "key_mint_limit": 0}
    common |= {"webhook_allow": "127.0.0.1"}  # where the tests' receivers listen
    if store == "cluster":
        with cluster() as fleet:
            yield Settings(redis_url=fleet.url, **common)
    elif store == "sentinel":
        with watched(replicas=0, sentinels=1) as fleet:
            yield Settings(redis_url=fleet.url, **common)
    elif store == "redis_server":
        async with _redis_server() as url:
            yield Settings(redis_url=url, **common)
    else:
        yield Settings(redis_url=f"memory://{uuid4().hex}" if store == "memory" else None, **common)


@asynccontextmanager
async def _redis_server() -> AsyncGenerator[str]:
    """The machine's own redis-server, on a socket of its own and without a file."""
    with tempfile.TemporaryDirectory(prefix="bcr-", dir="/tmp") as home:
        socket = Path(home) / "s"
        options = ["--port", "0", "--unixsocket", str(socket), "--dir", home, "--save", "", "--appendonly", "no"]
        command = [REDIS_SERVER or "redis-server", *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: ASYNC220 - done at once, before any test
        try:
            await _answering(Settings(redis_url=f"unix://{socket}"), process)
            yield f"unix://{socket}"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


async def _answering(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(SOON), connect_engine(settings) as engine:
        while True:
            try:
                await engine.store.command("PING")
            except StoreUnavailable:
                assert process.poll() is None, "redis-server ended by itself"
                await asyncio.sleep(0.01)
            else:
                return
