"""One connection to the server: made and greeted by redis-py, then driven by a protocol of our own."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import hiredis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import BusyLoadingError, ConnectionError, RedisError, ResponseError  # noqa: A004 - redis-py's name

from bus.errors import StoreUnavailable

from . import Arg
from .replies import to_error
from .url import Target

log = logging.getLogger(__name__)

Connect = Callable[[], Awaitable[AbstractConnection]]
"""Makes a connection that is authenticated, on its database and answers PING. Cluster and Sentinel bring their own."""

# hiredis' own stub knows neither tuples of many nor buffers.
pack: Final[Callable[[tuple[Arg, ...]], bytes]] = cast(Any, hiredis).pack_command
"""A command as it goes over the wire. Raises UnicodeEncodeError for a lone surrogate, before anything is sent."""
CONNECT_SECONDS: Final = 2.0
FIRST_DELAY, LONGEST_DELAY, LOADING_DELAY = 0.05, 2.0, 0.1
NOT_ENOUGH: Final = object()
"""What a reader gives when no whole reply has come yet."""
_BUFFER_BYTES = 65_536


def connector(target: Target) -> Connect:
    """Connects to one fixed server."""

    async def connect() -> AbstractConnection:
        connection = cast(
            AbstractConnection,
            target.connection_class(
                **target.options,
                # With one, redis-py sends under wait_for, which loses a cancellation now and then before Python 3.12.
                socket_timeout=None,
                protocol=2,
                decode_responses=True,
            ),
        )
        await greet(connection)
        return connection

    return connect


async def greet(connection: AbstractConnection) -> None:
    """Connect, authenticate, and wait for a PONG, in at most 2 s.

    Raises redis.exceptions.RedisError (BusyLoadingError while the server loads its data), OSError, TimeoutError.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await connection.connect()
            await ask(connection, "PING")
            try:
                await ask(connection, "CLIENT", "SETNAME", "backchannel")
            except ResponseError as refused:  # a name is a convenience for CLIENT LIST, and an ACL may forbid it
                log.debug("the store does not let us name the connection: %s", refused)
    except TimeoutError:
        await connection.disconnect(nowait=True)
        raise TimeoutError(f"no answer to the handshake within {CONNECT_SECONDS:g} s") from None
    except BaseException:
        await connection.disconnect(nowait=True)
        raise


async def ask(connection: AbstractConnection, *args: str) -> Any:
    """One command and its reply, on a connection that is still redis-py's."""
    await connection.send_command(*args)
    return cast(Any, await connection.read_response())


class Link(asyncio.BufferedProtocol):
    """A live connection. `lost` is done when it is gone; `why` then says for what reason."""

    def __init__(self, connection: AbstractConnection) -> None:
        writer = connection._writer  # pyright: ignore[reportPrivateUsage] - redis-py has no public way to its transport
        if writer is None or writer.transport.is_closing():
            raise ConnectionError("the connection was closed right after its handshake")
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.why = "the server closed the connection"
        # Kept: redis-py's StreamWriter closes the transport when it is collected.
        self._connection = connection
        self._incoming = bytearray(_BUFFER_BYTES)
        self._incoming_view = memoryview(self._incoming)
        self.reader: Any = hiredis.Reader(encoding="utf-8", errors="replace", replyError=to_error, notEnoughData=NOT_ENOUGH)
        self.transport: asyncio.Transport = writer.transport  # pyright: ignore[reportAttributeAccessIssue] - a stream's is one
        # uvloop chooses how it reads when reading starts, so a buffered protocol has to be set while it is paused.
        self.transport.pause_reading()
        self.transport.set_protocol(self)
        self.transport.resume_reading()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._incoming_view

    @property
    def usable(self) -> bool:
        """Whether what is written may still arrive: a transport that is closing, or whose end nobody has dealt with yet, takes
        nothing, and says so only by an error of its own (uvloop) or not at all (asyncio)."""
        return not self.lost.done() and not self.transport.is_closing()

    def write(self, data: bytes) -> None:
        """Nothing happens when the connection is going: whoever waits for an answer is told when it is gone."""
        if self.usable:
            self.transport.write(data)

    def abort(self, why: str) -> None:
        """Give the connection up; `lost` is done in one of the next turns of the loop."""
        self.why = why
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self.why = f"the connection broke: {exc}"
        # redis-py warns of a connection that still has its streams when it is collected.
        self._connection._reader = self._connection._writer = None  # pyright: ignore[reportPrivateUsage] - as above
        if not self.lost.done():
            self.lost.set_result(None)


class Redial:
    """Connects again and again: exponential backoff with jitter, 50 ms to 2 s, and quickly while the server loads its data."""

    def __init__(self, connect: Connect, what: str) -> None:
        self._connect = connect
        self._what = what
        self._delay = FIRST_DELAY
        self.why = "not connected yet"

    async def connection(self) -> AbstractConnection:
        """A greeted connection, however long it takes. The first failure of a row is logged, and so is its end."""
        failed = False
        while True:
            try:
                connection = await self._connect()
            except (RedisError, OSError, StoreUnavailable) as error:
                self.why = str(error) or type(error).__name__
                if not failed:
                    log.warning("%s: cannot connect, trying on: %s", self._what, self.why)
                failed = True
                await self.pause(loading=isinstance(error, BusyLoadingError))
            else:
                if failed:
                    log.info("%s: connected", self._what)
                return connection

    async def pause(self, *, loading: bool = False) -> None:
        """Wait before the next attempt, longer each time."""
        delay, self._delay = self._delay, min(self._delay * 2, LONGEST_DELAY)
        await asyncio.sleep(LOADING_DELAY if loading else delay * random.uniform(0.5, 1))  # noqa: S311 - jitter, no secret

    def succeeded(self) -> None:
        """The connection proved good: the next failure starts with the short delay again."""
        self._delay = FIRST_DELAY
