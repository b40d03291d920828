"""What every tool works with: the bus, and in whose name a call is done, on either transport."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from mcp.server.mcpserver import Context

from bus import Bus, Caller
from bus.errors import Unauthorized

from .kept import Cabinet, Kept
from .memory import Memory
from .session import Session
from .who import Who

log = logging.getLogger(__name__)

T = TypeVar("T")
CALLER = "backchannel.caller"
"""Where the HTTP API puts the verified caller in a request's ASGI scope."""
_MEMORY = "backchannel.memory"


@dataclass(frozen=True, slots=True)
class Desk:
    """`session` is this stdio process's; None when each request brings its caller (streamable HTTP), and what that caller
    is to be reminded of is kept in the bus."""

    bus: Bus
    session: Session | None
    cabinet: Cabinet = field(default_factory=Cabinet)

    def memory(self, ctx: Ctx) -> Memory:
        """What the caller of this call remembers."""
        if self.session is not None:
            return self.session
        found = _scope(ctx).get(_MEMORY)
        return found if isinstance(found, Kept) else Kept(self.bus, self.cabinet, Who(Caller("", ""), None, ""))

    @asynccontextmanager
    async def remembering(self, ctx: Ctx) -> AsyncGenerator[Memory]:
        """While it is open, `memory` is the caller's; what changed is kept when it closes."""
        who = _who_asks(ctx) if self.session is None else None
        if who is None:
            yield self.memory(ctx)
            return
        kept = Kept(self.bus, self.cabinet, who)
        _scope(ctx)[_MEMORY] = kept
        await kept.load()
        yield kept
        await kept.save()

    async def act(self, ctx: Ctx, verb: Callable[[Who], Awaitable[T]]) -> T:
        """Do the verb in the caller's name. A kept API key that is refused is replaced and the verb done again, once:
        a refused call had no effect. Raises what the verb raises."""
        who = await self._who(ctx)
        try:
            if self.session is not None:
                await self.bus.credentials.confirm(who.caller)
            return await verb(who)
        except Unauthorized:
            if self.session is None or not self.session.can_mint_again:
                raise
            self.session.forget(who)
        return await verb(await self._who(ctx))

    async def _who(self, ctx: Ctx) -> Who:
        if self.session is not None:
            return await self.session.who(self.bus)
        if (who := _who_asks(ctx)) is None:
            raise Unauthorized("this request names no API key: send it as 'Authorization: Bearer bck_…' or X-API-Key")
        return who


Ctx: TypeAlias = Context[Desk, Any]


def _scope(ctx: Ctx) -> MutableMapping[str, Any]:
    """The ASGI scope of the request that the call came by; empty where it came by none."""
    request: Any = ctx.request_context.request
    return request.scope if request is not None else {}


def _who_asks(ctx: Ctx) -> Who | None:
    """Whom the HTTP API has verified for this request."""
    caller = _scope(ctx).get(CALLER)
    return Who(caller, None, caller.label) if isinstance(caller, Caller) else None


def desk_of(ctx: Ctx) -> Desk:
    """The desk of the server that this call came to."""
    return ctx.request_context.lifespan_context
