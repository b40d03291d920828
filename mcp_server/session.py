"""Who a stdio process is on the bus and which tasks it holds: a session, from its start to its end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bus import Bus, Caller, Claim, Settings, names
from bus.errors import ActorForbidden, BusError
from bus.keyring import identify

log = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
"""Lease of a claim that this process renews: so long does a task wait when the process has died."""
_REMEMBERED_LOSSES: Final = 256
_REMEMBERED_NAMES: Final = 100


@dataclass(frozen=True, slots=True)
class Who:
    """In whose name a call is done. `actor` None: the API key's label, which the bus fills in."""

    caller: Caller
    actor: str | None
    label: str


@dataclass(slots=True)
class Held:
    """A task that this session holds, and when its lease is renewed next (monotonic seconds)."""

    claim: Claim
    who: Who
    lease: timedelta
    renew_at: float


@dataclass(slots=True)
class Session:
    """One stdio process. It needs no bus to start: the key is looked for, or minted, at the first call."""

    settings: Settings
    held: dict[str, Held] = field(default_factory=dict[str, Held])
    lost: OrderedDict[str, tuple[str, BusError]] = field(default_factory=OrderedDict[str, tuple[str, BusError]])
    """Claims that ended without their holder: token and reason, by message id, told at the next call about that task."""
    posted: OrderedDict[str, None] = field(default_factory=OrderedDict[str, None])
    """Tasks that were posted here and whose outcome nobody here has read yet."""
    worked: OrderedDict[str, None] = field(default_factory=OrderedDict[str, None])
    """Channels that tasks were claimed from, or asked for, the latest last."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there is something new to renew."""
    _who: Who | None = None
    _identifying: asyncio.Lock = field(default_factory=asyncio.Lock)

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

    def hold(self, claim: Claim, who: Who, lease: timedelta) -> None:
        """Remember the claim, and renew it from now on."""
        self.lost.pop(claim.id, None)
        self.held[claim.id] = Held(claim, who, lease, time.monotonic() + lease.total_seconds() / 3)
        self.changed.set()

    def drop(self, message_id: str) -> None:
        """The task is finished or given back."""
        self.held.pop(message_id, None)
        self.lost.pop(message_id, None)

    def note_posted(self, message_id: str) -> None:
        """Its outcome is this session's business."""
        _remember(self.posted, message_id)

    def note_worked(self, channels: Sequence[str]) -> None:
        """Tasks on these channels are this session's business."""
        for channel in channels:
            _remember(self.worked, channel)

    def lose(self, held: Held, why: BusError) -> None:
        """The claim ended without its holder, who is told at the next call about it."""
        if self.held.get(held.claim.id) is held:
            del self.held[held.claim.id]
            self.lost[held.claim.id] = (held.claim.claim_token, why)
            while len(self.lost) > _REMEMBERED_LOSSES:
                self.lost.popitem(last=False)


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
