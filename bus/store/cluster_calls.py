"""One call to a cluster until it is answered: where it belongs, how it is sent, and how often it is tried."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from redis.crc import key_slot

from . import Arg, Reply, Script
from .wire import Wire

MOST_REDIRECTIONS: Final = 8
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 0.5
_KEYLESS: Final = frozenset({"TIME", "INFO", "PING"})
_KEY_AT: Final[Mapping[str, int]] = {"XINFO": 2, "XGROUP": 2, "OBJECT": 2, "MEMORY": 2}


def slot_of(args: Sequence[Arg]) -> int | None:
    """The slot of a command's first key; None for one that any node may answer."""
    name = str(args[0]).upper()
    if name in _KEYLESS:
        return None
    redis_key = args[_KEY_AT.get(name, 1)]
    return key_slot(redis_key if isinstance(redis_key, bytes) else str(redis_key).encode())


@dataclass(frozen=True, slots=True)
class ScriptCall:
    script: Script
    keys: Sequence[str]
    args: Sequence[Arg]


class Call:
    """`slot` None: any node will do. `future` is the caller's."""

    __slots__ = ("_args", "_deadline", "_loop", "_pauses", "_redirections", "_script", "future", "slot")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, slot: int | None, args: Sequence[Arg], script: ScriptCall | None, patience: float
    ) -> None:
        self._loop = loop
        self._args = args
        self._script = script
        self._deadline = loop.time() + patience
        self._pauses = 0
        self._redirections = 0
        self.slot = slot
        self.future: asyncio.Future[Reply] = loop.create_future()

    def send(self, wire: Wire) -> asyncio.Future[Reply]:
        if self._script is None:
            return wire.command(*self._args)
        return wire.run(self._script.script, self._script.keys, self._script.args)

    def send_asking(self, wire: Wire) -> asyncio.Future[Reply]:
        """To a node that is taking the slot over. A script goes as its source: were it unknown there, its second try would
        not be asked for."""
        wire.command("ASKING").add_done_callback(_heed)
        if self._script is None:
            return wire.command(*self._args)
        script, keys = self._script.script, self._script.keys
        return wire.command("EVAL", script.source, len(keys), *keys, *self._script.args)

    def spent(self) -> bool:
        """Counts a redirection: whether there were too many since the last pause."""
        self._redirections += 1
        return self._redirections > MOST_REDIRECTIONS

    def overdue(self) -> bool:
        return self._loop.time() >= self._deadline

    def pause(self) -> float:
        """Seconds until the next try, longer each time."""
        self._redirections = 0
        self._pauses += 1
        longest = min(FIRST_PAUSE_SECONDS * 2 ** (self._pauses - 1), LONGEST_PAUSE_SECONDS)
        return longest * random.uniform(0.5, 1)  # noqa: S311 - jitter, no secret


def _heed(sent: asyncio.Future[Reply]) -> None:
    """What became of ASKING shows in the answer to the call after it."""
    if not sent.cancelled():
        sent.exception()
