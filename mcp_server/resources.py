"""The bus to look at: channels, one channel, one message, in the shapes of the tools' answers and in the caller's name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from mcp import MCPError
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp_types import INVALID_PARAMS, GetPromptResult, InputRequiredResult, Resource
from pydantic import BaseModel
from pydantic_core import to_json

from bus.errors import BusError, ChannelNotFound, MessageExpired, MessageNotFound

from .advice import advise
from .desk import Ctx, Desk, desk_of
from .peer_text import readable
from .tools.channels import get_channel, list_channels
from .tools.messages import get_message

CHANNELS: Final = "backchannel://channels"
_JSON: Final = "application/json"
_MISSING = (ChannelNotFound, MessageNotFound, MessageExpired)


class BusServer(MCPServer[Desk]):
    """Lists the channels as a resource, though a template serves them: only a template's function is given its caller."""

    async def list_resources(self) -> list[Resource]:
        doc = " ".join((channels.__doc__ or "").split())
        return [Resource(uri=CHANNELS, name="channels", title="Channels", description=doc, mime_type=_JSON)]

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Desk, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Raises MCPError (invalid params) for a name or arguments that it does not know: the SDK calls those its own fault."""
        prompts = {prompt.name: prompt for prompt in await self.list_prompts()}
        if name not in prompts:
            raise MCPError(INVALID_PARAMS, f"there is no prompt {name[:60]!r}, only {', '.join(prompts)}")
        wanted = {argument.name for argument in prompts[name].arguments or () if argument.required}
        if missing := sorted(wanted - (arguments or {}).keys()):
            raise MCPError(INVALID_PARAMS, f"{', '.join(missing)} is missing: the prompt {name} needs it")
        return await super().get_prompt(name, arguments, context)


async def channels(ctx: Ctx, cursor: str | None = None) -> str:
    """The newest channels and what waits on them, as list_channels answers; cursor goes on from next_cursor."""
    return await _read(ctx, lambda: list_channels(ctx, cursor=cursor))


async def channel(ctx: Ctx, name: str) -> str:
    """One channel, as get_channel answers: what it is for, whose it is, its limits, and how many messages stand where."""
    return await _read(ctx, lambda: get_channel(ctx, name))


async def message(ctx: Ctx, id: str) -> str:  # noqa: A002 - the template's variable has this name
    """One message, as get_message answers: what it says and who sent it, and where a task stands or how it ended."""
    return await _read(ctx, lambda: get_message(ctx, id))


async def _read(ctx: Ctx, answer: Callable[[], Awaitable[BaseModel]]) -> str:
    """Raises ResourceError with the tools' sentence: `code: what happened. Next: what to do.`"""
    try:
        async with desk_of(ctx).remembering(ctx):
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
