"""A connection whose writes are answered only when replicas have them too: BACKCHANNEL_DURABILITY=replicated."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bus.errors import StoreUnavailable, Unconfirmed
from bus.settings import Settings

from . import Arg, Reply, Script
from .link import Connect
from .wire import Wire

WROTE: Final = frozenset({"new", "dup", "ok"})
"""How the reply of a script begins that has written, or repeats what was written before. A refusal is waited for by nobody."""
RETRY_AFTER_SECONDS: Final = 1


@dataclass(frozen=True, slots=True)
class Confirmation:
    """So many replicas have to have it, within so many ms."""

    replicas: int
    timeout_ms: int


def confirmation(settings: Settings) -> Confirmation | None:
    """What the settings ask for; None: the store's own answer is enough."""
    if settings.durability == "store":
        return None
    return Confirmation(settings.durability_replicas, int(settings.durability_timeout * 1000))


class ConfirmedWire(Wire):
    """A line of its own: WAIT speaks of the writes of its connection, and holds up what comes after it there.

    One WAIT at a time, for all that was written before it was sent; what comes meanwhile shares the next. A message is
    published before each: then there is something to wait for also when the script only repeated what an earlier
    connection wrote, and no replica may have that yet.
    """

    def __init__(self, connect: Connect, what: str, channel: str, asked: Confirmation) -> None:
        """`channel`: to publish on; nobody listens there."""
        super().__init__(connect, what)
        self._asked = asked
        self._channel = channel
        self._unconfirmed: list[tuple[asyncio.Future[Reply], Reply]] = []
        self._waiting = False

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> asyncio.Future[Reply]:
        """Raises Unconfirmed when it was written here, and it is not known that the replicas have it."""
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        super().run(script, keys, args).add_done_callback(partial(self._written, answered))
        return answered

    def _written(self, answered: asyncio.Future[Reply], sent: asyncio.Future[Reply]) -> None:
        error = None if sent.cancelled() else sent.exception()
        if answered.done():
            return
        if sent.cancelled():
            answered.cancel()
        elif error is not None:
            answered.set_exception(error)
        elif sent.result()[0] not in WROTE:
            answered.set_result(sent.result())
        else:
            self._unconfirmed.append((answered, sent.result()))
            if not self._waiting:
                self._confirm()

    def _confirm(self) -> None:
        batch, self._unconfirmed = self._unconfirmed, []
        if not self.connected:  # the next connection knows nothing of what was written on this one, and may lead elsewhere
            self._settle(batch, "the connection was lost before they could")
            return
        self._waiting = True
        published = self.command("PUBLISH", self._channel, "")
        waited = self.command("WAIT", self._asked.replicas, self._asked.timeout_ms)  # answered last, so both are then
        waited.add_done_callback(partial(self._waited, batch, published))

    def _waited(
        self,
        batch: list[tuple[asyncio.Future[Reply], Reply]],
        published: asyncio.Future[Reply],
        waited: asyncio.Future[Reply],
    ) -> None:
        self._waiting = False
        self._settle(batch, _refused(published) or self._doubt(waited))
        if self._unconfirmed:
            self._confirm()

    def _doubt(self, waited: asyncio.Future[Reply]) -> str | None:
        """Why it is not confirmed; None: it is."""
        if waited.cancelled():
            return "this process is stopping"
        match waited.exception():
            case None if int(waited.result()) >= self._asked.replicas:
                return None
            case None:
                return f"{waited.result()} did within {self._asked.timeout_ms / 1000:g} s"
            case StoreUnavailable():
                return "the connection was lost before they could"
            case refused:
                return f"the store refuses WAIT: {refused}"

    def _settle(self, batch: list[tuple[asyncio.Future[Reply], Reply]], doubt: str | None) -> None:
        for answered, reply in batch:
            if answered.done():
                continue
            if doubt is None:
                answered.set_result(reply)
            else:
                answered.set_exception(self._unconfirmed_because(doubt))

    def _unconfirmed_because(self, doubt: str) -> Unconfirmed:
        wanted = self._asked.replicas
        return Unconfirmed(
            f"it is done and kept here, but {wanted} replica{'s' if wanted > 1 else ''} should have confirmed it ({doubt}): it"
            " is lost if another server takes over before they do. Repeat the call with the same idempotency key, to be sure",
            retry_after=RETRY_AFTER_SECONDS,
        )

    async def close(self) -> None:
        await super().close()
        self._settle(self._unconfirmed, "this process is stopping")
        self._unconfirmed = []


def _refused(published: asyncio.Future[Reply]) -> str | None:
    """Why the store did not publish; None: it did, or the connection was lost, which WAIT says as well."""
    error = None if published.cancelled() else published.exception()
    return f"the store refuses PUBLISH: {error}" if error and not isinstance(error, StoreUnavailable) else None
