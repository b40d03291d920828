"""By what right a call acts on a task: the token that this session remembers, or what the caller shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from bus import Claim
from bus.errors import AlreadyFinished, LeaseLost, MessageNotFound, NotClaimed, TaskCancelled

from .desk import Ctx, Desk
from .who import Who

T = TypeVar("T")

MOST_NAMED = 10
"""So many held tasks are named at most; an answer is small."""
_ENDED = (AlreadyFinished, TaskCancelled, MessageNotFound)
_OVER = (LeaseLost, NotClaimed, *_ENDED)


@dataclass(frozen=True, slots=True)
class Grip:
    """What a verb on a held task shows to the bus."""

    actor: str | None
    claim_token: str | None


async def with_grip(
    desk: Desk,
    ctx: Ctx,
    message_id: str,
    shown: Grip,
    verb: Callable[[Who, Grip], Awaitable[T]],
) -> T:
    """Do the verb with what the caller showed, else with the token of this session's claim, else as the session's actor.

    A claim that ended behind the session's back is told here, with the reason that renewing it met. One that was left
    alone may still be good: that shows when the verb is tried.
    """
    session, memory = desk.session, desk.memory(ctx)
    lost = session.lost.get(message_id) if session is not None else None
    if lost is not None and shown.claim_token not in (None, lost.claim_token):
        lost = None
    if lost is not None and lost.held is None:
        memory.notebook.lost.pop(message_id, None)
        raise lost.why

    async def act(who: Who) -> T:
        held = lost.held if lost is not None else session.held.get(message_id) if session is not None else None
        if shown.claim_token or shown.actor or held is None:
            grip = Grip(shown.actor or (None if shown.claim_token else who.actor), shown.claim_token)
        else:
            who, grip = held.who, Grip(held.claim.actor, held.claim.claim_token)
        try:
            done = await verb(who, grip)
        except _OVER as error:
            if isinstance(error, _ENDED) or (held is not None and held.claim.claim_token == grip.claim_token):
                memory.drop(message_id)
            if lost is not None and isinstance(error, LeaseLost | NotClaimed):
                raise lost.why from error
            raise
        if isinstance(done, Claim):
            memory.hold(done, who)
        else:
            memory.notebook.touch(message_id)
        return done

    return await desk.act(ctx, act)


def held_ids(desk: Desk, *, but: str | None = None) -> list[str] | None:
    """Tasks that this session holds besides, None when there are none: what a model has forgotten to finish."""
    return [held for held in desk.session.held if held != but][:MOST_NAMED] or None if desk.session is not None else None
