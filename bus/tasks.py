"""Tasks: handed to one actor at a time under a lease, delivered at least once, with one outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, Protocol

from .awaiting import Need
from .messages import NO_WAIT
from .models import Acked, Caller, Chain, Claim, DeadLetter, Message, Page, Posted, Redriven


class Tasks(Protocol):
    """A claim is fenced: the verbs on a held task (heartbeat, ask, await_answer, release, fail, ack) act only while the
    caller's actor holds this delivery. They take the `claim_token` of the claim, which names actor and delivery; a client
    that keeps no token names its `actor` and means whatever delivery that actor holds now.

    Each of those raises LeaseLost (the lease ran out and the task passed on), NotClaimed (the actor never held it),
    AlreadyFinished (it has its outcome), TaskCancelled (the poster called it off: it is finished now, stop),
    MessageNotFound, ChannelNotClaimable (a broadcast's message), ChannelAccessDenied (it holds nothing there and is no
    member), ActorForbidden, InvalidInput, InsufficientScope (messages:ack). A lease that ran out while
    nobody else took the task is still good.
    """

    async def post(
        self,
        caller: Caller,
        channel: str,
        content: str,
        *,
        metadata: Mapping[str, Any] | None = None,
        actor: str | None = None,
        label: str | None = None,
        delay: timedelta = NO_WAIT,
        chain: Chain | None = None,
        idempotency_key: str | None = None,
    ) -> Posted:
        """`Messages.post` on a claimable channel, created (open) when there is none; raises what that raises."""
        ...

    async def claim(
        self,
        caller: Caller,
        channels: str | Sequence[str],
        *,
        actor: str | None = None,
        lease: timedelta | None = None,
        wait: timedelta = NO_WAIT,
    ) -> Claim | None:
        """Take the oldest claimable task, trying the channels in the order given; None when `wait` passed without one.

        Never returns a task that is held, by whomever. `actor` defaults to the API key's label, `lease` (1 s..24 h)
        to the channel's. A caller that goes away while waiting leaves no task behind: what it was just given is
        released, uncounted (over HTTP, an answer that was on the network by then comes back with its lease).
        Raises ChannelNotFound (with the nearest names), ChannelNotClaimable, ChannelAccessDenied, ActorForbidden,
        Unauthorized (revoked while waiting), InsufficientScope (messages:claim).
        """
        ...

    async def claim_message(
        self, caller: Caller, message_id: str, *, actor: str | None = None, lease: timedelta | None = None
    ) -> Claim:
        """Take this one task. Claiming what the same actor already holds returns that claim again.

        Raises AlreadyClaimed (with holder and lease end), NotAvailableYet (delayed), AlreadyFinished (with `by_caller`
        when it was this actor who finished it), MessageExpired, MessageNotFound, ChannelNotClaimable, ChannelAccessDenied,
        ActorForbidden, InvalidInput, InsufficientScope (messages:claim).
        """
        ...

    async def heartbeat(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        lease: timedelta | None = None,
        note: str | None = None,
        automatic: bool = False,
    ) -> Claim:
        """Renew the lease: it now ends `lease` (default: the channel's) from now. While a question is open the lease stays
        parked, as `ask` left it.

        `note` (1..500 characters): how far the work is, shown to whoever may see its result, until the next one.
        `automatic`: done by a program on the holder's behalf, so no sign that the holder still thinks of the task
        (`Hold.stale`).
        """
        ...

    async def ask(
        self,
        caller: Caller,
        message_id: str,
        question: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
    ) -> Claim:
        """Ask the poster something that the work hangs on: the task is `input_required` until it is answered, finished or
        given back, and its lease is parked until its time to live ends (or longer, if it lasted longer), so nothing has to
        be renewed. Who awaits the result is told at once. The same question again changes nothing; another one takes its place.

        Also raises ContentTooLarge (the limits of a message's content).
        """
        ...

    async def await_answer(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        wait: timedelta = NO_WAIT,
    ) -> Claim:
        """The claim once its open question is answered (the last of `message.questions`), or as it stands when `wait` has
        passed (`message.state` is still `input_required`). With no question open it returns at once.

        Told within milliseconds, on any replica, also when the task is cancelled (TaskCancelled).
        """
        ...

    async def answer(self, caller: Caller, message_id: str, answer: str, *, label: str | None = None) -> Message:
        """Answer the open question of a task: for the key that posted it and the channel's owner. The holder goes on, with
        the channel's lease from now. `label`: who answers (default: the API key's). The same answer again changes nothing.

        An answer is to whatever question is open when it comes.
        Raises NotAsked (no question is open), AlreadyFinished, Forbidden, ContentTooLarge, MessageNotFound,
        ChannelNotClaimable, ChannelAccessDenied, InvalidInput, InsufficientScope (messages:write).
        """
        ...

    async def release(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        delay: timedelta = NO_WAIT,
        reason: str | None = None,
    ) -> Message:
        """Give the task back, not counted against its deliveries; claimable again at once or after `delay`."""
        ...

    async def fail(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        reason: str | None = None,
    ) -> Message:
        """This delivery failed: back after an exponential backoff, or a dead letter when it was the last allowed."""
        ...

    async def ack(
        self,
        caller: Caller,
        message_id: str,
        *,
        actor: str | None = None,
        claim_token: str | None = None,
        status: Literal["done", "failed"] = "done",
        result: Any = None,
        reason: str | None = None,
    ) -> Acked:
        """Finish the task with a result (any JSON value). Repeated by the same holder it answers as the first did,
        `repeated`.

        Also raises ContentTooLarge (result over its limit), Unconfirmed (it is finished, and that may be lost if the store
        fails over: repeat it).
        """
        ...

    async def cancel(self, caller: Caller, message_id: str, *, reason: str | None = None) -> Message:
        """Call a task off: for the key that posted it and the channel's owner. Waiting or delayed: its outcome is
        `cancelled`; so it is while a question is open, and a holder that waits for the answer is told at once. In flight:
        the request is noted (`hold.cancel_requested`); the holder learns it from its next call, or its lease runs out, and
        then the outcome is `cancelled`.

        Raises Forbidden, AlreadyFinished, MessageNotFound, ChannelNotClaimable, ChannelAccessDenied, InsufficientScope
        (messages:write).
        """
        ...

    async def await_result(self, caller: Caller, message_id: str, *, wait: timedelta = NO_WAIT) -> Message:
        """The task once it has its outcome or its holder asks something (`input_required`), or as it stands when `wait` has
        passed (`outcome` None, and `ahead` counted if it still waits).

        Told within milliseconds, on any replica. For the key that posted the task, the one that finished it, and
        the channel's members. Raises Forbidden, MessageNotFound, MessageExpired (a broadcast), ChannelAccessDenied,
        Unauthorized (revoked while waiting), InsufficientScope (messages:read).
        """
        ...

    async def await_results(
        self,
        caller: Caller,
        message_ids: Sequence[str],
        *,
        need: Need = "all",
        wait: timedelta = NO_WAIT,
    ) -> Sequence[Message]:
        """`await_result` of several tasks (1..50, any channels), in the order given: each as it stands once all of them, or
        any, have an outcome, or once one of them asks something, or when `wait` has passed.

        Raises what `await_result` raises, of the first id that it raises for.
        """
        ...

    async def dead_letters(
        self, caller: Caller, channel: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[DeadLetter]:
        """Dead letters, oldest first, 1..100 a page. `next_cursor` None: no more.

        Raises ChannelNotFound, ChannelNotClaimable, ChannelAccessDenied, InvalidInput, InsufficientScope (messages:read).
        """
        ...

    async def redrive(self, caller: Caller, channel: str, dead_letter_ids: Sequence[str]) -> Sequence[Redriven]:
        """Put dead letters (1..100) back as new tasks, all or none; the old ids say where they went.

        For the channel's owner and members. Raises DeadLetterNotFound, Forbidden, ChannelNotFound, ChannelNotClaimable,
        ChannelAccessDenied, InvalidInput, InsufficientScope (messages:ack).
        """
        ...
