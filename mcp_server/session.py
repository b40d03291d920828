"""Who a stdio process is on the bus and which tasks it holds: a session, from its start to its end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bus import Bus, Caller, Claim, Settings, names
from bus.errors import ActorForbidden, BusError, LeaseLost
from bus.keyring import identify
from bus.models import Chain

from .looking import EVERY_SECONDS, EVERY_SECONDS_REMOTE, look
from .memory import Memory
from .news import LEFT_ALONE
from .notebook import NEGLECTED_SECONDS, Notebook
from .who import Who

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
"""Lease of a claim that this process renews: so long does a task wait when the process has died."""
_REMEMBERED_LOSSES: Final = 256
_REMEMBERED_NAMES: Final = 100


@dataclass(slots=True)
class Held:
    """A task that this session holds, and when its lease is renewed next (seconds of the session's clock)."""

    claim: Claim
    who: Who
    lease: timedelta
    renew_at: float


@dataclass(frozen=True, slots=True)
class Lost:
    """A claim that ended without its holder. `held` is kept where it may still be good: nobody renews it, that is all."""

    claim_token: str
    why: BusError
    held: Held | None = None


@dataclass(slots=True)
class Session(Memory):
    """One stdio process. It needs no bus to start: the key is looked for, or minted, at the first call.

    `clock`: seconds from anywhere on, that only ever go forwards.
    """

    settings: Settings
    clock: Callable[[], float] = time.monotonic
    held: dict[str, Held] = field(default_factory=dict[str, Held])
    lost: OrderedDict[str, Lost] = field(default_factory=OrderedDict[str, Lost])
    """By message id; told at the next call about that task."""
    notebook: Notebook = field(init=False)
    worked: OrderedDict[str, None] = field(default_factory=OrderedDict[str, None])
    """Channels that tasks were claimed from, or asked for, the latest last."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there is something new to renew."""
    _who: Who | None = None
    _looked_at: float | None = None
    _identifying: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.notebook = Notebook(self.clock)

    @property
    def known(self) -> bool:
        """Whether this session has used the bus, and so has a key."""
        return self._who is not None

    async def who(self, bus: Bus) -> Who:
        """This session's API key and actor. Raises what `keyring.identify` raises."""
        async with self._identifying:
            if self._who is None:
                label = names.label(self.settings.label, field="BACKCHANNEL_AGENT_LABEL")
                caller = await identify(bus.credentials, self.settings, label=label)
                self._who = Who(caller, await _own_actor(bus, caller, label), label)
            return self._who

    @property
    def can_mint_again(self) -> bool:
        """Whether a refused key may be replaced: not when the environment states it."""
        return self.settings.api_key is None

    def forget(self, who: Who) -> None:
        """The bus refused this key: the next call looks for a good one."""
        if self._who is who:
            self._who = None

    def hold(self, claim: Claim, who: Who, lease: timedelta | None = None) -> None:
        """Remember the claim, and renew it from now on."""
        known = self.held.get(claim.id)
        lease = lease or (known.lease if known is not None else LEASE)
        self.lost.pop(claim.id, None)
        self.held[claim.id] = Held(claim, who, lease, self.clock() + lease.total_seconds() / 3)
        self.notebook.hold(claim)
        self.changed.set()

    def drop(self, message_id: str) -> None:
        """The task is finished or given back."""
        self.held.pop(message_id, None)
        self.lost.pop(message_id, None)
        self.notebook.drop(message_id)

    def note_worked(self, channels: Sequence[str]) -> None:
        """Tasks on these channels are this session's business."""
        for channel in channels:
            _remember(self.worked, channel)

    def lose(self, held: Held, why: BusError) -> None:
        """The claim ended without its holder, who is told at the next call, and the reason at the next one about it."""
        if self._let_go(held, Lost(held.claim.claim_token, why)):
            self.notebook.lose(held.claim.id, why.code)

    def leave(self, held: Held) -> None:
        """The holder has left the task alone for too long: it is not renewed any more. Its claim may be good yet."""
        why = LeaseLost(
            f"{held.claim.id} lay untouched in this session for {NEGLECTED_SECONDS / 3600:.0f} h, so its lease was not renewed "
            "any more and ran out; keep a long task with heartbeat and progress",
            message_id=held.claim.id,
        )
        if self._let_go(held, Lost(held.claim.claim_token, why, held)):
            self.notebook.lose(held.claim.id, LEFT_ALONE)

    def _let_go(self, held: Held, lost: Lost) -> bool:
        """Whether the claim was still held: another call may have ended it meanwhile."""
        if self.held.get(held.claim.id) is not held:
            return False
        del self.held[held.claim.id]
        self.lost[held.claim.id] = lost
        while len(self.lost) > _REMEMBERED_LOSSES:
            self.lost.popitem(last=False)
        return True

    def chain(self, actor: str | None = None) -> Chain | None:
        """A session is one agent, under whatever names it claims."""
        return self.notebook.chain()

    async def look(self, bus: Bus, *, at_once: bool = False) -> None:
        """At most every few seconds unless `at_once`, and not before the first call has made this session known to the bus."""
        who, now = self._who, self.clock()
        pause = EVERY_SECONDS_REMOTE if bus.settings.base_url else EVERY_SECONDS
        just = self._looked_at is not None and now - self._looked_at < pause
        if who is None or (just and not at_once):
            return
        self._looked_at = now
        await look(bus, who, self.notebook)


def _remember(names: OrderedDict[str, None], name: str) -> None:
    names[name] = None
    names.move_to_end(name)
    while len(names) > _REMEMBERED_NAMES:
        names.popitem(last=False)


async def _own_actor(bus: Bus, caller: Caller, label: str) -> str:
    """The label as actor name; with the key's last characters added when the name is another key's on this bus."""
    try:
        return (await bus.actors.create(caller, label)).name
    except ActorForbidden:
        actor = f"{label}-{caller.key_id[-4:]}"
        log.warning("the actor name %s belongs to another API key on %s; acting as %s", label, bus.settings.where, actor)
        return (await bus.actors.create(caller, actor)).name
