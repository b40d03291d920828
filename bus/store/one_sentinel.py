"""One sentinel: who it believes the primary to be, and its news of failovers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, cast

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError, ResponseError

from .link import ask, connector
from .many_hosts import Address
from .url import Target

log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 1.0
AWAY_SECONDS: Final = 2.0
"""So long after a failure it is not listened to."""
_NEWS: Final = "+switch-master"


class OneSentinel:
    """Asked over one connection, listened to over another."""

    def __init__(self, there: Target, service: str) -> None:
        self._connect = connector(there)
        self._where = there.where
        self._service = service
        self._turn = asyncio.Lock()
        self._connection: AbstractConnection | None = None

    async def belief(self) -> tuple[int, Address] | str:
        """The primary, after how many failovers (its configuration's epoch); or why it tells none."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._turn:
                return await self._ask()
        except ResponseError as refused:
            return f"{self._where}: {refused}"
        except (RedisError, OSError) as why:
            return f"{self._where}: {str(why) or 'it does not answer'}"

    async def _ask(self) -> tuple[int, Address] | str:
        if self._connection is None:
            self._connection = await self._connect()
        try:
            # In the middle of a failover only this names the new one; its epoch shows with the other.
            address = await ask(self._connection, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service)
            if not address:
                return f"{self._where}: it knows no service of that name"
            fields = await ask(self._connection, "SENTINEL", "MASTER", self._service)
        except ResponseError:
            raise
        except BaseException:
            await self._hang_up()
            raise
        epoch = dict(zip(fields[::2], fields[1::2], strict=True)).get("config-epoch", 0)
        return int(epoch), (str(address[0]), int(address[1]))

    async def keep_listening(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever it says that another server has taken over, until cancelled."""
        while True:
            try:
                await self._listen(tell)
            except (RedisError, OSError) as why:
                log.debug("%s is away: %s", self._where, why)
                await asyncio.sleep(AWAY_SECONDS)

    async def _listen(self, tell: Callable[[], None]) -> None:
        connection = await self._connect()
        try:
            await ask(connection, "SUBSCRIBE", _NEWS)
            tell()  # it may have been said a moment ago
            while True:
                said = cast(Any, await connection.read_response())
                if str(said[-1]).startswith(f"{self._service} "):
                    tell()
        finally:
            await connection.disconnect(nowait=True)

    async def _hang_up(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.disconnect(nowait=True)

    async def close(self) -> None:
        await self._hang_up()
