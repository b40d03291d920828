"""Redis Sentinel: connects to whichever server is the primary now, and leaves it when another one has taken over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, RedisError, ResponseError  # noqa: A004 - redis-py's name

from .link import ask, connector
from .many_hosts import Address, ManyHosts
from .one_sentinel import OneSentinel

log = logging.getLogger(__name__)

Purpose = Literal["commands", "notifications"]
FOLLOW_SECONDS: Final = 2.0
"""How often the sentinels are asked whether the primary is still the one we are connected to, besides at their news. They
demote the old one later, some seconds after another took over, and until then it accepts writes that will be lost."""


class Sentinels:
    """Who is the primary of a service: what the sentinel says that knows of the latest failover."""

    def __init__(self, hosts: ManyHosts) -> None:
        self._hosts = hosts
        self._sentinels = [OneSentinel(hosts.sentinel(address), hosts.service) for address in hosts.seeds]
        self._connected: dict[Purpose, Address] = {}

    async def primary(self) -> Address:
        """Raises redis.exceptions.ConnectionError when no sentinel knows one."""
        told = await asyncio.gather(*(sentinel.belief() for sentinel in self._sentinels))
        found = max((each for each in told if not isinstance(each, str)), default=None)
        if found is None:
            raise ConnectionError(
                f"no sentinel tells who the primary of {self._hosts.service!r} is: {'; '.join(map(str, told))}"
            )
        return found[1]

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
            for sentinel in self._sentinels:
                group.create_task(sentinel.keep_listening(news.set))
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(FOLLOW_SECONDS):
                        await news.wait()
                news.clear()
                await self._follow(leave)

    async def _follow(self, leave: Callable[[Purpose, str], None]) -> None:
        try:
            now = await self.primary()
        except RedisError as why:
            log.debug("%s", why)
            return
        for purpose, address in list(self._connected.items()):
            if address != now:
                del self._connected[purpose]
                leave(purpose, f"{now[0]}:{now[1]} is the primary now")

    async def close(self) -> None:
        for sentinel in self._sentinels:
            await sentinel.close()
