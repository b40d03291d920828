"""Redis Sentinel: connects to whichever server is the primary now, and leaves it when another one has taken over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Literal, cast

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.sentinel import Sentinel
from redis.exceptions import ConnectionError, RedisError, ResponseError  # noqa: A004 - redis-py's name

from .link import ask, connector
from .many_hosts import Address, ManyHosts

log = logging.getLogger(__name__)

Purpose = Literal["commands", "notifications"]
ANSWER_SECONDS: Final = 1.0
FOLLOW_SECONDS: Final = 2.0
"""How often the sentinels are asked whether the primary is still the one we are connected to, besides at their news. They
demote the old one later, some seconds after another took over, and until then it accepts writes that will be lost."""
_NEWS: Final = "+switch-master"


class Sentinels:
    """Who is the primary of a service. Which of the sentinels answers makes no difference."""

    def __init__(self, hosts: ManyHosts) -> None:
        self._hosts = hosts
        self._sentinel = Sentinel([])  # redis-py gives every sentinel the same credentials and options; so do we
        self._sentinel.sentinels = [self._client(address) for address in hosts.seeds]
        self._connected: dict[Purpose, Address] = {}

    def _client(self, address: Address) -> Redis:
        there = self._hosts.sentinel(address)
        options = {name: value for name, value in there.options.items() if name != "db"}
        pool = ConnectionPool(
            connection_class=there.connection_class, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS,
            decode_responses=True, protocol=2, **options,
        )  # fmt: skip
        return Redis.from_pool(pool)

    async def primary(self) -> Address:
        """Raises redis.exceptions.RedisError when no sentinel knows one."""
        host, port = cast("tuple[Any, Any]", await self._sentinel.discover_master(self._hosts.service))
        return str(host), int(port)

    async def connect(self, purpose: Purpose) -> AbstractConnection:
        """A greeted connection to the primary; a server that has not learnt yet that it is one, or no longer is, is refused.

        Raises redis.exceptions.RedisError, OSError, TimeoutError.
        """
        address = await self.primary()
        connection = await connector(self._hosts.data_node(address))()
        try:
            role = str((await ask(connection, "ROLE"))[0])
        except ResponseError as refused:  # an ACL may forbid it; then the first write tells
            log.debug("the store does not tell its role: %s", refused)
            role = "master"
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        if role != "master":
            await connection.disconnect(nowait=True)
            raise ConnectionError(f"{address[0]}:{address[1]} is to be the primary, and is a {role} still")
        self._connected[purpose] = address
        return connection

    async def keep_following(self, leave: Callable[[Purpose, str], None]) -> None:
        """Call `leave`, with the reason, for each purpose whose connection is to another server than the primary is now,
        until cancelled."""
        news = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for sentinel in list(self._sentinel.sentinels):
                group.create_task(self._listen(sentinel, news))
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(FOLLOW_SECONDS):
                        await news.wait()
                news.clear()
                await self._follow(leave)

    async def _follow(self, leave: Callable[[Purpose, str], None]) -> None:
        try:
            now = await self.primary()
        except (RedisError, OSError) as why:
            log.debug("no sentinel told of the primary: %s", why)
            return
        for purpose, address in list(self._connected.items()):
            if address != now:
                del self._connected[purpose]
                leave(purpose, f"{now[0]}:{now[1]} is the primary now")

    async def _listen(self, sentinel: Redis, news: asyncio.Event) -> None:
        """Set `news` whenever this sentinel says that another server has taken over."""
        while True:
            try:
                async with cast("Any", sentinel).pubsub() as subscription:
                    await subscription.subscribe(_NEWS)
                    while True:
                        said = await subscription.get_message(ignore_subscribe_messages=True, timeout=FOLLOW_SECONDS)
                        if said and str(said["data"]).startswith(f"{self._hosts.service} "):
                            news.set()
            except (RedisError, OSError) as why:
                log.debug("a sentinel is away: %s", why)
                await asyncio.sleep(FOLLOW_SECONDS)

    async def close(self) -> None:
        await self._sentinel.aclose()
