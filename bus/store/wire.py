"""The multiplexed connection: every command and script of the process goes through it, pipelined by itself."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from hiredis import ProtocolError
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError, NoScriptError  # noqa: A004 - redis-py's name

from bus.errors import StoreUnavailable

from . import Arg, Reply, Script
from .link import NOT_ENOUGH, Connect, Link, Redial, pack
from .replies import not_sent, unknown_outcome

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 0.25
SILENT_TICKS: Final = 16
"""A reply that is missing for so many ticks (4 to 4.25 s) ends the connection. Ticks, not a clock: when this process
itself stood still, the replies are waiting in the socket."""
PARK_TICKS: Final = 12
"""A call waits so many ticks (3 s) for a connection."""

_ScriptCall = tuple[Script, Sequence[str], Sequence[Arg]]
_Call = tuple["asyncio.Future[Reply]", "_ScriptCall | None"]


class _Line(Link):
    """A live connection, its calls in the order sent: replies come in that order."""

    def __init__(self, connection: AbstractConnection) -> None:
        super().__init__(connection)
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Call] = deque()
        self._unsent: list[bytes] = []
        self._paused = False
        self._answered = 0
        self._sent_by_tick: deque[int] = deque(maxlen=SILENT_TICKS)
        self._teaching: set[str] = set()

    def send(self, packed: bytes, call: _Call) -> None:
        if not self._waiting:
            self.write(packed)
        else:
            # Replies are on their way anyway: what this turn of the loop brings goes out in one write.
            if not self._unsent:
                self._loop.call_soon(self._flush)
            self._unsent.append(packed)
        self._waiting.append(call)

    def _flush(self) -> None:
        if self._unsent and not self._paused:
            self.write(b"".join(self._unsent))
            self._unsent.clear()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._flush()

    def buffer_updated(self, nbytes: int) -> None:
        answered = 0
        try:
            self.reader.feed(self._incoming, 0, nbytes)
            gets, next_call = self.reader.gets, self._waiting.popleft
            while (reply := gets()) is not NOT_ENOUGH:
                future, script_call = next_call()
                answered += 1
                if future.done():  # cancelled: nobody wants this reply
                    continue
                if isinstance(reply, Exception):
                    self._refused(reply, future, script_call)
                else:
                    future.set_result(reply)
        except (ProtocolError, IndexError):  # IndexError: a reply to nothing, so every later one would be off by one
            self.abort("the server sent something that is no reply")
        self._answered += answered

    def _refused(self, error: Exception, future: asyncio.Future[Reply], script_call: _ScriptCall | None) -> None:
        if script_call is None or not isinstance(error, NoScriptError):
            future.set_exception(error)
            if isinstance(error, StoreUnavailable) and error.demoted:  # another server takes the writes now
                self.abort("it is a replica now")
        else:
            script, keys, args = script_call
            if script.sha in self._teaching:  # another call's EVAL is on its way, ahead of this one: a crowd sends one source
                self.send(pack(("EVALSHA", script.sha, len(keys), *keys, *args)), (future, script_call))
                return
            self._teaching.add(script.sha)
            future.add_done_callback(lambda _: self._teaching.discard(script.sha))
            self.send(pack(("EVAL", script.source, len(keys), *keys, *args)), (future, None))

    def overdue(self, waited_ticks: int = 0) -> bool:
        """Called every tick: is a reply missing since SILENT_TICKS? `waited_ticks`: how long what was just sent had waited."""
        marks = self._sent_by_tick
        sent = self._answered + len(self._waiting)
        marks.extend([sent] * waited_ticks)
        overdue = len(marks) == SILENT_TICKS and self._answered < marks[0]
        marks.append(sent)
        return overdue

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unsent.clear()
        while self._waiting:
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_exception(unknown_outcome(self.why))


class Wire:
    """Sends and reconnects. What was sent is never sent again: its caller is told that the outcome is unknown."""

    def __init__(self, connect: Connect, what: str, *, lost: Callable[[], None] = lambda: None) -> None:
        """`lost` is called whenever a connection is gone."""
        self._loop = asyncio.get_running_loop()
        self._tell_lost = lost
        self._redial = Redial(connect, what)
        self._what = what
        self._line: _Line | None = None
        self._closed = False
        self._tick = 0
        self._parked: deque[tuple[int, bytes, _Call]] = deque()

    def command(self, *args: Arg) -> asyncio.Future[Reply]:
        packed = pack(args)
        future: asyncio.Future[Any] = self._loop.create_future()
        if (line := self._line) is not None and line.usable:
            line.send(packed, (future, None))
        else:
            self._park(packed, (future, None))
        return future

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> asyncio.Future[Reply]:
        packed = pack(("EVALSHA", script.sha, len(keys), *keys, *args))
        future: asyncio.Future[Any] = self._loop.create_future()
        if (line := self._line) is not None and line.usable:
            line.send(packed, (future, (script, keys, args)))
        else:
            self._park(packed, (future, (script, keys, args)))
        return future

    def _park(self, packed: bytes, call: _Call) -> None:
        if self._closed:
            call[0].set_exception(not_sent("this process has closed it"))
        else:
            self._parked.append((self._tick, packed, call))

    async def keep_connected(self) -> None:
        """Connect, and again whenever the connection is lost, until cancelled."""
        while True:
            connection = await self._redial.connection()
            try:
                line = _Line(connection)
            except ConnectionError:
                await self._redial.pause()
                continue
            since = self._tick
            line.lost.add_done_callback(self._lost)
            self._line = line
            self._send_parked(line)
            await asyncio.wait({line.lost})
            log.warning("%s: lost the connection (%s); connecting again", self._what, line.why)
            if self._tick - since > SILENT_TICKS:
                self._redial.succeeded()
            await self._redial.pause()

    def _lost(self, _: asyncio.Future[None]) -> None:
        self._line = None
        self._tell_lost()

    @property
    def connected(self) -> bool:
        return self._line is not None

    @property
    def why(self) -> str:
        """For what reason there is no connection."""
        return self._redial.why

    def leave(self, why: str) -> None:
        """Give this connection up and make another."""
        if self._line is not None:
            self._line.abort(why)

    def _send_parked(self, line: _Line) -> None:
        waited = min(self._tick - self._parked[0][0], PARK_TICKS - 2) if self._parked else 0
        while self._parked and line.usable:
            _, packed, call = self._parked.popleft()
            if not call[0].done():
                line.send(packed, call)
        line.overdue(waited)

    async def keep_watch(self) -> None:
        """End a connection that has gone silent, and calls that waited too long for one, until cancelled."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self._tick += 1
            if (line := self._line) is not None and line.overdue():
                line.abort(f"no reply for {TICK_SECONDS * SILENT_TICKS:g} s")
            while self._parked and self._tick - self._parked[0][0] > PARK_TICKS:
                future = self._parked.popleft()[2][0]
                if not future.done():
                    future.set_exception(not_sent(self._redial.why))

    async def close(self) -> None:
        """Fail what is still open, and every later call. The two loops have ended before."""
        self._closed = True
        if (line := self._line) is not None:
            line.abort("this process has closed it")
            await asyncio.wait({line.lost}, timeout=1)
        while self._parked:
            future = self._parked.popleft()[2][0]
            if not future.done():
                future.set_exception(not_sent("this process has closed it"))
