"""Puts one line on what changed meanwhile onto an answer: models forget what they hold and what they wait for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast

from mcp import MCPError
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp_types import CallToolResult, TextContent
from pydantic_core import to_json

from bus import Bus
from bus.errors import InvalidInput

from .arguments import whole_message_id
from .desk import Ctx, Desk, desk_of
from .memory import Memory
from .news import notice
from .notebook import Notebook
from .unheard import give_back

log = logging.getLogger(__name__)

_PATIENCE_SECONDS: Final = 0.1
"""So long may an answer wait for the look; what is not known by then is told on a later one."""


async def with_notice(ctx: Ctx, arguments: Mapping[str, Any], call: Callable[[], Awaitable[Any]]) -> Any:
    """The call's answer, with a `notice` if there is news for the caller; its ToolError likewise, as a line of its own.

    The look at the bus goes along with the call. A call that waited for long is followed by another look.
    """
    desk, outcomes, line = desk_of(ctx), list[Any](), None
    asked = _asked(arguments)
    try:
        async with desk.remembering(ctx) as memory:
            with _on_its_way(memory.notebook, asked):
                await _called(desk.bus, memory, call, outcomes)
            if isinstance(outcomes[0], CallToolResult | ToolError) and not isinstance(outcomes[0], UnexpectedToolError):
                line = notice(memory.notebook, about=asked | memory.notebook.awaited | _answered(outcomes[0]))
    except asyncio.CancelledError:
        if outcomes and isinstance(outcomes[0], CallToolResult):
            await _give_back(desk, ctx, outcomes[0])
        raise
    outcome = outcomes[0]
    if isinstance(outcome, ToolError):
        raise outcome if line is None else ToolError(f"{outcome}\nNotice: {line}.") from outcome.__cause__
    if isinstance(outcome, MCPError):
        raise outcome
    return outcome if line is None else _noticed(outcome, line)


@contextmanager
def _on_its_way(notebook: Notebook, about: frozenset[str]) -> Generator[None]:
    notebook.calls.append(about)
    try:
        yield
    finally:
        notebook.calls.remove(about)


async def _called(bus: Bus, memory: Memory, call: Callable[[], Awaitable[Any]], outcomes: list[Any]) -> None:
    """Puts the answer into `outcomes`, or the error as a value: a TaskGroup would wrap it."""
    async with asyncio.TaskGroup() as group:
        looks = [group.create_task(_look(bus, memory))]
        try:
            outcomes.append(await call())
        except (ToolError, MCPError) as error:
            outcomes.append(error)
        looks.append(group.create_task(_look(bus, memory)))
        await asyncio.wait(looks, timeout=_PATIENCE_SECONDS)
        for look in looks:
            look.cancel()


async def _give_back(desk: Desk, ctx: Ctx, answer: CallToolResult) -> None:
    """A call that is cancelled while its answer is made ready leaves no task behind that nobody has heard of."""
    given = cast("Mapping[str, Any]", answer.structured_content or {})
    if (claim_token := given.get("claim_token")) is None:
        return
    message_id: str = given["task"]["message_id"]
    await give_back(desk.act(ctx, lambda who: desk.bus.tasks.release(who.caller, message_id, claim_token=claim_token)))
    desk.memory(ctx).drop(message_id)


async def _look(bus: Bus, memory: Memory) -> None:
    try:
        await memory.look(bus)
    except Exception:
        # What the bus refuses is dealt with there. Anything else is a bug, which must not cost the answer of a call
        # that has been done.
        log.exception("looking for news failed")


def _asked(arguments: Mapping[str, Any]) -> frozenset[str]:
    """The messages that the call names; nobody has checked its arguments yet."""
    several = arguments.get("message_ids")
    given = [arguments.get("message_id"), *(cast("Iterable[Any]", several) if isinstance(several, list) else ())]
    return frozenset(found for text in given if (found := _message_id(text, arguments.get("channel"))) is not None)


def _answered(outcome: CallToolResult | ToolError) -> frozenset[str]:
    """The messages that the answer is about besides."""
    answer = cast("Mapping[str, Any]", (outcome.structured_content or {}) if isinstance(outcome, CallToolResult) else {})
    task = cast("Mapping[str, Any]", answer.get("task") or {})
    return frozenset(each["message_id"] for each in (answer, task) if "message_id" in each)


def _message_id(text: Any, channel: Any) -> str | None:
    """As the bus writes it. Some clients name the channel apart."""
    try:
        return whole_message_id(text, channel if isinstance(channel, str) else None) if isinstance(text, str) else None
    except InvalidInput:
        return None


def _noticed(answer: CallToolResult, line: str) -> CallToolResult:
    """Clients show either the structured answer or the text: both hold it."""
    structured = {**cast("Mapping[str, Any]", answer.structured_content or {}), "notice": f"{line}."}
    text = TextContent(type="text", text=to_json(structured).decode())
    return answer.model_copy(update={"structured_content": structured, "content": [text]})
