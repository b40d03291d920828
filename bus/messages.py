"""Messages of either kind of channel: post one, read them by cursor, look at one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from .models import Caller, Chain, Message, Mode, Page, Posted

NO_WAIT = timedelta(0)


class Messages(Protocol):
    async def post(
        self,
        caller: Caller,
        channel: str,
        content: str,
        *,
        mode: Mode | None = None,
        create: bool = False,
        metadata: Mapping[str, Any] | None = None,
        actor: str | None = None,
        label: str | None = None,
        delay: timedelta = NO_WAIT,
        mentions: Sequence[str] = (),
        chain: Chain | None = None,
        idempotency_key: str | None = None,
    ) -> Posted:
        """Put a message on a channel. Once this returns, the message exists until it has an outcome (tasks) or its
        time to live or the channel's `max_messages` ends it (broadcasts).

        `mode` states which kind of channel is meant; None takes either. `create` makes an open channel of that mode
        when there is none. `delay` (tasks only, up to the channel's ttl): not claimable before. `idempotency_key`
        (1..200 characters): posting again with the same key and body within 24 h returns the first message,
        `replayed`; the key is bound to (API key, verb, channel).

        `mentions` (at most 50 actor names or aliases): those who are meant; unknown ones and those who may not read the
        channel are left out. A mentioned actor's webhook is told, and `Actors.mentions` shows it.

        `chain` (tasks only): that of the task in whose course this one is posted, which makes this one its next hop. Past
        `max_hops`, or with more than `chain_limit` tasks of one chain in an hour, it is refused.

        Raises ChannelNotFound, ChannelNotClaimable / ChannelNotBroadcast (the other kind), ChannelAccessDenied,
        ChannelPaused, ChannelFull, ChannelWriteRateExceeded, ChainTooLong, ChainRateExceeded, ContentTooLarge,
        MetadataInvalid, IdempotencyConflict (same key, other body), ActorForbidden, InvalidInput, StoreFull,
        Unconfirmed (it is posted, and may be lost if the store fails over), InsufficientScope (messages:write).
        """
        ...

    async def subscribe(
        self,
        caller: Caller,
        channel: str,
        *,
        since: str | None = None,
        limit: int = 50,
        status: str | None = None,
        expiring_before: datetime | None = None,
        actor: str | None = None,
        wait: timedelta = NO_WAIT,
    ) -> Page[Message]:
        """Messages after the cursor `since`, oldest first, 1..100 a page; waits up to `wait` while there are none.

        A broadcast cursor never skips: `missed` tells how many messages were trimmed before they could be read.
        With an `actor`, a broadcast channel keeps the reader's place: `since` given is kept as its cursor, `since`
        None reads on from the kept one; so nothing counts as read before the reader comes back with the cursor.
        On a claimable channel without `since`, the page holds what matters now: half the oldest waiting tasks, half
        the newest held or finished ones. `status`: only `unclaimed` or `claimed`.
        `expiring_before`: only those whose time to live ends before that, from the oldest on where no cursor is given.
        An empty page repeats the given cursor. Raises ChannelNotFound, ChannelAccessDenied, ActorForbidden, InvalidInput,
        InsufficientScope (messages:read).
        """
        ...

    async def get(self, caller: Caller, message_id: str) -> Message:
        """One message as it stands: for a task its state, holder or outcome. A result is shown to the key that posted
        the task, the key that finished it, and the channel's members; to others it is `result_withheld`.

        Raises MessageNotFound, MessageExpired (a broadcast), ChannelAccessDenied, InsufficientScope (messages:read).
        """
        ...

    async def retract(self, caller: Caller, message_id: str) -> Message:
        """Take a message back: out of the channel, into its history. For the key that posted it and the channel's owner.
        A waiting or delayed task ends as cancelled.

        Taking back what was called off before, a task taken back too, answers as it did then.

        Raises MessageClaimed (somebody holds it: cancel it instead), AlreadyFinished, Forbidden, MessageNotFound,
        MessageExpired (a broadcast), ChannelAccessDenied, InsufficientScope (messages:write).
        """
        ...
