"""What a route needs of its request: the bus, who calls, and to stop when the client has gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any, TypeVar, cast

from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive

from bus.bus import Bus
from bus.errors import BusError, StoreUnavailable, Unauthorized
from bus.models import Caller, Chain, Claim, Posted

from .bodies.fields import ChainBody
from .errors import Refused
from .replies import reply
from .seen import Seen
from .shapes import messages as shapes

CALLER = "backchannel.caller"
"""Where the verified `Caller` stands in the ASGI scope."""
T = TypeVar("T")
_PATIENCE_SECONDS = 0.5
_UNWATCHED_SECONDS = 0.02
"""Most waits end before: what was there at once needs nobody who watches the client. Who left meanwhile is seen then."""


def api_key(found: Seen) -> str:
    """The raw API key that came with the request. Raises Unauthorized when none did."""
    if found.api_key:
        return found.api_key.strip()
    scheme, _, token = (found.bearer or "").partition(" ")
    if scheme.casefold() == "bearer" and token.strip():
        return token.strip()
    raise Unauthorized(
        "no API key came with the request; send it as X-API-Key or as Authorization: Bearer "
        '(POST /v1/keys {"agent_label": "…"} gives you one)'
    )


def bus_of(request: Request) -> Bus:
    bus: Bus = request.app.state.bus
    return bus


def caller_of(request: Request) -> Caller:
    """Who calls: `KeyedRoute` has verified the key before anything else was looked at."""
    caller: Caller = request.scope[CALLER]
    return caller


async def minting_open(bus: Bus) -> bool:
    """Whether whoever asks gets an API key; as configured while the store, which may know better, does not answer."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await bus.admin.public_minting()
    except (StoreUnavailable, TimeoutError):
        return bus.settings.public_minting


def seconds(value: float | None) -> timedelta:
    return timedelta(seconds=value or 0)


def seconds_or_none(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(seconds=value)


def chain_or_none(given: ChainBody | None) -> Chain | None:
    return None if given is None else Chain(given.id, given.hops)


def capped(bus: Bus, wait: float | None) -> timedelta:
    """How long this request may be held: what was asked for, up to what the server allows for one request."""
    return min(seconds(wait), bus.settings.longpoll_max_wait)


async def until_gone(request: Request, verb: Coroutine[Any, Any, T], *, waits: timedelta) -> T:
    """The verb's value, unless the client goes away while it waits: then the verb is cancelled and so ends its effect.

    Raises what the verb raises, and Refused (client_gone). A verb that does not wait is not watched.
    """
    if not waits:
        return await verb
    here = cast("asyncio.Task[Any]", asyncio.current_task())
    watches: list[asyncio.Task[None]] = []
    gone = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:

            def watch() -> None:
                watches.append(group.create_task(_cancel_when_gone(request.receive, here, gone)))

            timer = asyncio.get_running_loop().call_later(_UNWATCHED_SECONDS, watch)
            try:
                value = await _settle(verb)
            finally:
                timer.cancel()
                for each in watches:
                    each.cancel()
    except asyncio.CancelledError:
        if gone.is_set() and here.uncancel() == 0:
            raise Refused("client_gone", "the client closed the connection while it waited") from None
        raise
    if isinstance(value, _Raised):
        raise value.error
    return value


class _Raised:
    """An error of the bus carried as a value: it is the verb's answer, no failure of the group."""

    def __init__(self, error: BusError) -> None:
        self.error = error


async def _settle(verb: Coroutine[Any, Any, T]) -> T | _Raised:
    try:
        return await verb
    except BusError as error:
        return _Raised(error)


async def _cancel_when_gone(receive: Receive, work: asyncio.Task[Any], gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
    work.cancel()


def _has_gone(receive: Receive) -> bool:
    """Whether the client has closed the connection, without waiting. One step of `receive` by hand: Starlette's
    `is_disconnected` cancels a scope for it, which costs a third of a whole claim."""
    step = receive().__await__()
    try:
        next(step)
    except StopIteration as received:
        return received.value["type"] == "http.disconnect"
    step.close()
    return False


def posted(found: Posted, shape: Callable[[Posted], Mapping[str, Any]] = shapes.posted) -> Response:
    """The answer to every posting verb; `X-Idempotent-Replay` says that nothing new was posted."""
    return reply(shape(found), 201, {"X-Idempotent-Replay": "true"} if found.replayed else None)


async def put_back_if_gone(request: Request, bus: Bus, caller: Caller, claim: Claim) -> None:
    """Puts a task back, uncounted, when the client that it was for has gone. Raises Refused (client_gone) then."""
    if _has_gone(request.receive):
        await bus.tasks.release(
            caller, claim.id, actor=claim.actor, claim_token=claim.claim_token, reason="the claiming client had gone"
        )
        raise Refused("client_gone", "the client closed the connection before the task reached it")
