"""What is remembered of a caller over streamable HTTP: kept in the bus, so that any replica knows it, also after a restart."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from bus import Bus, Claim
from bus.errors import BusError, ContentTooLarge, SessionNotFound
from bus.models import Chain
from bus.models import Session as KeptState

from .looking import EVERY_SECONDS, look, look_at_held
from .memory import Memory
from .notebook import Notebook
from .notebook_json import fields_of, notebook_of
from .who import Who

log = logging.getLogger(__name__)

_PATIENCE_SECONDS: Final = 1.0
_RENEWED_BEFORE_SECONDS: Final = 43_200.0
_MOST_KNOWN: Final = 10_000


@dataclass(slots=True)
class Drawer:
    """Where a caller's memory is, and when it was last looked for news (monotonic seconds), as this process knows it."""

    session_id: str | None = None
    looked_at: float | None = None


class Cabinet:
    """The drawers of one process, the latest used last."""

    def __init__(self) -> None:
        self._drawers: OrderedDict[tuple[str, str], Drawer] = OrderedDict()

    def drawer(self, who: Who) -> Drawer:
        """The caller's, new where there is none yet; the ones used longest ago make room for it."""
        place = (who.caller.key_id, who.label)
        found = self._drawers.setdefault(place, Drawer())
        self._drawers.move_to_end(place)
        while len(self._drawers) > _MOST_KNOWN:
            self._drawers.popitem(last=False)
        return found


class Kept(Memory):
    """One call's view of the memory of an API key and label, a session of the bus that is named `mcp:<label>`.

    Everybody who calls with that key shares it: each reminder goes to whichever of ten such agents calls first (so the words
    name the key and not the reader), and what one posts counts to the chain of a task that another holds, unless it names
    itself. They get no claim by it: no token is in it, and the bus asks for the claim token or the actor of whoever acts on
    a task. Fields are per task and merged by the bus, so calls at the same time lose nothing of each other. Times are the
    clock's of whichever replica notes them: they decide on reminders only. It is kept for 12 hours after its last use at
    least.
    """

    def __init__(self, bus: Bus, cabinet: Cabinet, who: Who) -> None:
        self.notebook = Notebook(time.time)
        self._bus = bus
        self._who = who
        self._name = f"mcp:{who.label}"
        self._drawer = cabinet.drawer(who)
        self._loaded = False
        self._ends_soon = False
        self._before: Mapping[str, Any] = {}

    def hold(self, claim: Claim, who: Who, lease: timedelta | None = None) -> None:
        """Nobody renews it here: its end is noted, to tell of it in time."""
        self.notebook.hold(claim)
        self.notebook.held[claim.id].ends = claim.lease_expires_at.timestamp()

    def note_worked(self, channels: Sequence[str]) -> None:
        """Only the hooks of a process on the agent's own machine tell of that."""

    def chain(self, actor: str | None = None) -> Chain | None:
        """Of a task that was claimed as `actor`, else under the key's label, else under any name of the key's."""
        for name in (actor, self._who.caller.label):
            if any(work.actor == name for work in self.notebook.held.values()):
                return self.notebook.chain(name)
        return self.notebook.chain()

    async def look(self, bus: Bus) -> None:
        """At most every few seconds in each process, and only where what is known could be read."""
        now, before = time.monotonic(), self._drawer.looked_at
        if not self._loaded or (before is not None and now - before < EVERY_SECONDS):
            return
        self._drawer.looked_at = now
        await look(bus, self._who, self.notebook)
        await look_at_held(bus, self._who, self.notebook)

    async def load(self) -> None:
        """Read what is known. Where that is refused or takes long, the call goes on without: it remembers less, no more."""
        self._loaded = await _patiently(self._load)

    async def save(self) -> None:
        """Keep what has changed since `load`; with the same patience."""
        after = fields_of(self.notebook)
        changes = {name: after.get(name) for name in {*self._before, *after} if self._before.get(name) != after.get(name)}
        if changes or self._ends_soon:
            await _patiently(lambda: self._save(changes))

    async def _load(self) -> None:
        kept = await self._read()
        if kept is None:
            return
        self._before = {name: value for name, value in kept.state.items() if value is not None}
        self.notebook = notebook_of(self._before, time.time)
        self._ends_soon = kept.expires_at.timestamp() - time.time() < _RENEWED_BEFORE_SECONDS

    async def _read(self) -> KeptState | None:
        if self._drawer.session_id is not None:
            try:
                return await self._bus.sessions.get(self._who.caller, self._drawer.session_id)
            except SessionNotFound:  # its day is over, or another replica has begun a new one
                self._drawer.session_id = None
        return await self._found()

    async def _found(self, *, but: str | None = None) -> KeptState | None:
        """The one that everybody agrees on, should two have been made at once: the oldest."""
        kept = await self._bus.sessions.list(self._who.caller)
        mine = [each for each in kept if each.name == self._name and each.id != but]
        oldest = min(mine, key=lambda each: (each.created_at, each.id), default=None)
        self._drawer.session_id = oldest.id if oldest is not None else None
        return oldest

    async def _save(self, changes: Mapping[str, Any]) -> None:
        kept = self._drawer.session_id
        if kept is not None and not self._ends_soon:
            with suppress(SessionNotFound, ContentTooLarge):
                await self._bus.sessions.update(self._who.caller, kept, changes)
                return
        await self._begin(kept, changes)

    async def _begin(self, old: str | None, changes: Mapping[str, Any]) -> None:
        """A new session with all that is still of use: the old one is about to end, or full of fields that are done with."""
        caller, sessions, state = self._who.caller, self._bus.sessions, dict[str, Any]()
        if old is not None:
            with suppress(SessionNotFound):
                state = dict((await sessions.get(caller, old)).state)
                await sessions.delete(caller, old)
        state = fields_of(notebook_of({**state, **changes}, time.time))
        if (found := await self._found(but=old)) is None:
            mine = await sessions.create(caller, self._name, state=state)
            if (found := await self._found()) is None or found.id == mine.id:
                return
            await sessions.delete(caller, mine.id)
        await sessions.update(caller, found.id, state)


async def _patiently(act: Callable[[], Awaitable[None]]) -> bool:
    """Whether it was done. A reminder is not worth failing a call, nor holding it up for long."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await act()
    except (BusError, TimeoutError) as error:
        log.info("what is remembered of a caller over HTTP could not be read or kept: %r", error)
        return False
    return True
