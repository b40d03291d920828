"""The bus to look at: channels, one channel, one message, in the shapes of the tools' answers and in the caller's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import Resource
from pydantic import BaseModel
from pydantic_core import to_json

from bus.errors import BusError, ChannelNotFound, MessageExpired, MessageNotFound

from .advice import advise
from .desk import Ctx, Desk, desk_of
from .peer_text import readable
from .session import Who
from .tools.channels import list_channels
from .views import ReadChannel, ReadMessage

CHANNELS: Final = "backchannel://channels"
_JSON: Final = "application/json"
_MISSING = (ChannelNotFound, MessageNotFound, MessageExpired)


class BusServer(MCPServer[Desk]):
    """Lists the channels as a resource, though a template serves them: only a template's function is given its caller."""

    async def list_resources(self) -> list[Resource]:
        doc = " ".join((channels.__doc__ or "").split())
        return [Resource(uri=CHANNELS, name="channels", title="Channels", description=doc, mime_type=_JSON)]


async def channels(ctx: Ctx, cursor: str | None = None) -> str:
    """The newest channels and what waits on them, as list_channels answers; cursor goes on from next_cursor."""
    return await _read(lambda: list_channels(ctx, cursor=cursor))


async def channel(ctx: Ctx, name: str) -> str:
    """One channel: what it is for, whose it is, its limits, and how many messages stand where."""
    bus = desk_of(ctx).bus

    async def read(who: Who) -> ReadChannel:
        found = await bus.channels.get(who.caller, name)
        return ReadChannel.of(found, await bus.channels.counts(who.caller, name))

    return await _read(lambda: desk_of(ctx).act(ctx, read))


async def message(ctx: Ctx, id: str) -> str:  # noqa: A002 - the template's variable has this name
    """One message: what it says and who sent it, and of a task where it stands or how it ended."""
    bus = desk_of(ctx).bus

    async def read(who: Who) -> ReadMessage:
        return ReadMessage.of(await bus.messages.get(who.caller, id))

    return await _read(lambda: desk_of(ctx).act(ctx, read))


async def _read(answer: Callable[[], Awaitable[BaseModel]]) -> str:
    """Raises ResourceError with the tools' sentence: `code: what happened. Next: what to do.`"""
    try:
        return to_json(readable(await answer())).decode()
    except _MISSING as error:
        raise ResourceNotFoundError(advise(error)) from error
    except BusError as error:
        raise ResourceError(advise(error)) from error


def add_resources(server: BusServer) -> None:
    """Every resource of the bus, by its address."""
    for uri, title, fn in (
        (f"{CHANNELS}{{?cursor}}", "Channels", channels),
        (f"{CHANNELS}/{{name}}", "Channel", channel),
        ("backchannel://messages/{id}", "Message", message),
    ):
        doc = " ".join((fn.__doc__ or "").split())
        server.resource(uri, name=fn.__name__, title=title, description=doc, mime_type=_JSON)(fn)
