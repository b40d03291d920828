"""Keyspace notifications of single keys, over one connection of the process."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from hiredis import ProtocolError
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from . import Heard
from .link import NOT_ENOUGH, Connect, Link, Redial, pack
from .notify_mode import Mode, find_mode

log = logging.getLogger(__name__)

IDLE_SECONDS: Final = 15.0
PONG_SECONDS: Final = 5.0
_KEYS_PER_COMMAND: Final = 500


class _Ear(Link):
    """A live subscriber connection. It knows which keys the server was told of, and which it has confirmed."""

    def __init__(self, connection: AbstractConnection, prefix: str, hear: Heard, confirm: Callable[[str], None]) -> None:
        super().__init__(connection)
        self._prefix = prefix
        self._hear = hear
        self._confirm = confirm
        self.told: set[str] = set()
        # A key may be left and asked for again before the first answer is here: only the last one counts.
        self._unconfirmed: Counter[str] = Counter()
        self.signs_of_life = 0

    def confirmed(self, redis_key: str) -> bool:
        return redis_key in self.told and not self._unconfirmed[redis_key]

    def subscribe(self, redis_keys: list[str]) -> None:
        self.told.update(redis_keys)
        self._unconfirmed.update(redis_keys)
        self._send("SUBSCRIBE", redis_keys)

    def unsubscribe(self, redis_keys: list[str]) -> None:
        self.told.difference_update(redis_keys)
        self._send("UNSUBSCRIBE", redis_keys)

    def ping(self) -> None:
        self.write(pack(("PING",)))

    def _send(self, verb: str, redis_keys: list[str]) -> None:
        for start in range(0, len(redis_keys), _KEYS_PER_COMMAND):
            channels = [self._prefix + redis_key for redis_key in redis_keys[start : start + _KEYS_PER_COMMAND]]
            self.write(pack((verb, *channels)))

    def buffer_updated(self, nbytes: int) -> None:
        self.signs_of_life += 1
        try:
            self.reader.feed(self._incoming, 0, nbytes)
            while (push := self.reader.gets()) is not NOT_ENOUGH:
                self._pushed(push)
        except ProtocolError:
            self.abort("the server sent something that is no reply")

    def _pushed(self, push: Any) -> None:
        if isinstance(push, Exception):
            self.abort(f"the server refuses the subscription: {push}")
        elif push[0] == "message":
            self._hear(push[1][len(self._prefix) :], push[2])
        elif push[0] == "subscribe":
            redis_key = push[1][len(self._prefix) :]
            self._unconfirmed[redis_key] -= 1
            if self._unconfirmed[redis_key] <= 0:
                del self._unconfirmed[redis_key]
                self._confirm(redis_key)


class Subscriptions:
    """`Notifications` over Redis: keeps the list of watched keys, and the server's subscription equal to it."""

    def __init__(
        self,
        connect: Connect,
        *,
        db: int,
        probe_key: Callable[[], str],
        heard: Heard,
        lost_track: Callable[[], None],
        mode_is: Callable[[Mode], None],
    ) -> None:
        """`probe_key` makes the name of a key that may be written to see whether the server tells of it."""
        self._loop = asyncio.get_running_loop()
        self._connect = connect
        self._redial = Redial(connect, "notifications")
        self._prefix = f"__keyspace@{db}__:"
        self._probe_key = probe_key
        self._heard = heard
        self._lost_track = lost_track
        self._mode_is = mode_is
        self._why = ""
        self._ear: _Ear | None = None
        self._watched: dict[str, list[asyncio.Future[None]]] = {}  # and who waits for the confirmation
        self._changed: dict[str, None] = {}  # what this turn of the loop changed, in order

    def watch(self, redis_key: str) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._loop.create_future()
        if redis_key not in self._watched:
            self._watched[redis_key] = []
            self._change(redis_key)
        if self._ear is not None and self._ear.confirmed(redis_key):
            future.set_result(None)
        else:
            self._watched[redis_key].append(future)
        return future

    def unwatch(self, redis_key: str) -> None:
        waiting = self._watched.pop(redis_key, None)
        if waiting is not None:
            self._change(redis_key)
            _release(waiting)

    def leave(self, why: str) -> None:
        """Give this connection up and make another."""
        if self._ear is not None:
            self._ear.abort(why)

    def _change(self, redis_key: str) -> None:
        if self._ear is not None and not self._changed:
            self._loop.call_soon(self._tell)
        self._changed[redis_key] = None

    def _tell(self) -> None:
        """Tell the server what changed: one command for all of one turn of the loop."""
        if (ear := self._ear) is not None:
            if new := [each for each in self._changed if each in self._watched and each not in ear.told]:
                ear.subscribe(new)
            if gone := [each for each in self._changed if each not in self._watched and each in ear.told]:
                ear.unsubscribe(gone)
        self._changed.clear()

    def _confirmed(self, redis_key: str) -> None:
        waiting = self._watched.get(redis_key)
        if waiting:
            self._watched[redis_key] = []
            _release(waiting)

    async def keep_listening(self) -> None:
        """Connect, subscribe to everything watched, listen; again whenever the connection is lost; until cancelled."""
        first = True
        while True:
            connection = await self._redial.connection()
            try:
                mode = await find_mode(connection, self._connect, prefix=self._prefix, probe_key=self._probe_key)
                ear = _Ear(connection, self._prefix, self._heard, self._confirmed)
            except BaseException as error:
                await connection.disconnect(nowait=True)
                if not isinstance(error, RedisError | OSError):
                    raise
                await self._again(str(error) or type(error).__name__)
                continue
            self._mode_is(mode)
            await self._listen(ear, first=first and mode is Mode.KEYSPACE)
            first = False
            await self._again(ear.why)

    async def _again(self, why: str) -> None:
        if why != self._why:  # a server that refuses us says so every two seconds
            log.warning("notifications: lost the connection (%s); connecting again", why)
        self._why = why
        await self._redial.pause()

    async def _listen(self, ear: _Ear, *, first: bool) -> None:
        self._changed.clear()
        self._ear = ear
        ear.lost.add_done_callback(self._deaf)
        try:
            if self._watched:
                ear.subscribe(list(self._watched))
                await self._all_confirmed(ear)
            if not ear.lost.done():
                self._redial.succeeded()
                self._why = ""
                if not first:
                    self._lost_track()
            while not ear.lost.done():
                await self._check_pulse(ear)
        finally:
            if not ear.lost.done():
                ear.abort("this process has closed it")
                await asyncio.wait({ear.lost}, timeout=1)

    async def _all_confirmed(self, ear: _Ear) -> None:
        waiting = {self.watch(redis_key) for redis_key in self._watched if not ear.confirmed(redis_key)}
        everything = asyncio.gather(*waiting)
        done, _ = await asyncio.wait({everything, ear.lost}, timeout=PONG_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        everything.cancel()
        if not done:
            ear.abort(f"no confirmation for {PONG_SECONDS:g} s")
            await asyncio.wait({ear.lost}, timeout=1)

    async def _check_pulse(self, ear: _Ear) -> None:
        before = ear.signs_of_life
        await asyncio.wait({ear.lost}, timeout=IDLE_SECONDS)
        if ear.lost.done() or ear.signs_of_life != before:
            return
        ear.ping()
        await asyncio.wait({ear.lost}, timeout=PONG_SECONDS)
        if not ear.lost.done() and ear.signs_of_life == before:
            ear.abort(f"no PONG for {PONG_SECONDS:g} s")
            await asyncio.wait({ear.lost}, timeout=1)

    def _deaf(self, _: asyncio.Future[None]) -> None:
        self._ear = None


def _release(waiting: list[asyncio.Future[None]]) -> None:
    for future in waiting:
        if not future.done():
            future.set_result(None)
