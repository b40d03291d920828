"""memory://: fakeredis in this process, for tests and toys. Nothing outlives the process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

from redis.exceptions import NoScriptError, OutOfMemoryError, ResponseError

from bus.errors import StoreFull

from . import Arg, Heard, Notifications, Reply, Script, Store
from .background import background
from .notify_mode import Mode
from .replies import not_sent

try:
    import fakeredis as _fakeredis
    from fakeredis.aioredis import FakeRedis as _AsyncFakeRedis
except ImportError as missing:
    raise ImportError("memory:// needs fakeredis: pip install 'backchannel-bus[memory]'") from missing

log = logging.getLogger(__name__)

_PREFIX: Final = "__keyspace@0__:"
_servers: dict[str, Any] = {}  # one per URL, so that two buses of one process meet


class MemoryStore:
    """`Store` in this process. A command runs at once; its reply comes in the next turn of the loop."""

    def __init__(self, url: str, server: Any, notifications: Notifications) -> None:
        self.kind = "memory"
        self.where = url
        self.look: str | None = None
        self.notifications = notifications
        self.publish_prefix: str | None = None
        self.notify_mode: str = Mode.KEYSPACE.value
        self._loop = asyncio.get_running_loop()
        self._connection: Any = _connection_of(_fakeredis.FakeRedis, server)
        self._closed = False

    def command(self, *args: Arg) -> asyncio.Future[Reply]:
        return self._answer(self._ask, args)

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> asyncio.Future[Reply]:
        return self._answer(self._run, (script, keys, args))

    def run_confirmed(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> asyncio.Future[Reply]:
        return self.run(script, keys, args)

    def _answer(self, work: Any, args: Any) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = self._loop.create_future()
        if self._closed:
            future.set_exception(not_sent("this process has closed it"))
            return future
        try:
            reply = work(*args)
        except OutOfMemoryError:
            self._loop.call_soon(_fail, future, StoreFull("the store is out of memory: nothing was stored"))
        except ResponseError as refused:
            self._loop.call_soon(_fail, future, refused)
        else:
            self._loop.call_soon(_succeed, future, reply)
        return future

    def _ask(self, *args: Arg) -> Reply:
        self._connection.send_command(*args)
        return self._connection.read_response()

    def _run(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> Reply:
        try:
            return self._ask("EVALSHA", script.sha, len(keys), *keys, *args)
        except NoScriptError:
            return self._ask("EVAL", script.source, len(keys), *keys, *args)

    async def server(self) -> str:
        return f"fakeredis {version('fakeredis')}"

    def close(self) -> None:
        self._closed = True
        self._connection.disconnect()


class MemoryNotifications:
    """`Notifications` of the fake server, which sends them whatever its settings."""

    def __init__(self, server: Any, heard: Heard) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection: Any = _connection_of(_AsyncFakeRedis, server)
        self._heard = heard
        self._watched: set[str] = set()

    def watch(self, redis_key: str) -> asyncio.Future[None]:
        if redis_key not in self._watched:
            self._watched.add(redis_key)
            self._tell("SUBSCRIBE", redis_key)
        confirmed: asyncio.Future[None] = self._loop.create_future()
        confirmed.set_result(None)
        return confirmed

    def unwatch(self, redis_key: str) -> None:
        if redis_key in self._watched:
            self._watched.remove(redis_key)
            self._tell("UNSUBSCRIBE", redis_key)

    def _tell(self, verb: str, redis_key: str) -> None:
        # Straight to the fake socket: the fake server has carried it out when this returns.
        self._connection._writer.writelines(self._connection.pack_command(verb, _PREFIX + redis_key))

    async def open(self) -> None:
        await self._connection.connect()

    async def keep_listening(self) -> None:
        while True:
            push = await self._connection.read_response()
            if push[0] == "message":
                self._heard(push[1].removeprefix(_PREFIX), push[2])

    async def close(self) -> None:
        await self._connection.disconnect()


@asynccontextmanager
async def memory_store(url: str, heard: Heard) -> AsyncGenerator[Store, None]:
    """The store of this URL: `memory://` or `memory://name`, one per name in a process. Raises ValueError for another form."""
    if not url.startswith("memory://"):
        raise ValueError("redis_url: must be memory:// or memory://name")
    if url not in _servers:
        _servers[url] = _fakeredis.FakeServer(version=(7, 4))
        log.warning("%s: everything is kept in this process only and lost when it ends", url)
    notifications = MemoryNotifications(_servers[url], heard)
    await notifications.open()
    store = MemoryStore(url, _servers[url], notifications)
    try:
        async with background(notifications.keep_listening):
            yield store
    finally:
        store.close()
        await notifications.close()


def _connection_of(client: Any, server: Any) -> Any:
    # A bare connection: the client above it would turn replies into its own shapes.
    return client(server=server, decode_responses=True, protocol=2).connection_pool.make_connection()


def _succeed(future: asyncio.Future[Any], reply: Any) -> None:
    if not future.done():
        future.set_result(reply)


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
