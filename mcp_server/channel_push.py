"""Claude channel push (`--claude-channel`): tells a running session of Claude Code what happened for it, without being asked.

Only a connection of the handshake era has a way for that, so with the flag no other is served. Clients that speak both
eras fall back to it by themselves.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from mcp.server.connection import Connection
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.runner import serve_connection
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from bus import Bus, awaiting, names
from bus.errors import BusError, ChannelAccessDenied, ChannelNotFound

from .desk import Desk
from .news import news, tasks_wait
from .session import Session
from .who import Who

log = logging.getLogger(__name__)

CAPABILITY: Final = "claude/channel"
METHOD: Final = "notifications/claude/channel"
_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
_LYING: Final = 2
"""Urgency of a reminder of what the session does itself, which its own calls tell."""
_WAIT: Final = timedelta(minutes=5)
_LOOK_SECONDS: Final = 30.0
"""What no wait of the bus tells is looked for this often: mentions, and tasks that came back."""
_TOGETHER_SECONDS: Final = 0.2
"""So long is waited for more, to tell what happens at once in one go."""
_RETRY_SECONDS: Final = 5.0
_AGAIN_SECONDS: Final = 60.0
"""So long is a channel not spoken of again, however much comes there; unless the session claims something of it."""
_CHANNELS: Final = 5

Notify = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class ChannelPush:
    """What is told is what the notebook calls news, and the number of tasks where the session works: ids and counts,
    never what other agents wrote. It is not noted as told: whether the client shows it, nobody knows here."""

    def __init__(self, bus: Bus, session: Session, notify: Notify) -> None:
        self._bus = bus
        self._session = session
        self._notify = notify
        self._called = asyncio.Event()
        self._calls: list[Mapping[str, Any]] = []
        self._told: set[str] = set()
        self._counted: dict[str, int] = {}
        self._told_at: dict[str, float] = {}
        self._claimed: set[str] = set()
        self._cursors: dict[str, str] = {}

    @contextmanager
    def during(self, arguments: Mapping[str, Any]) -> Generator[None]:
        """A call of the session is on its way: what it is about, its answer tells."""
        self._calls.append(arguments)
        try:
            yield
        finally:
            self._calls.remove(arguments)
            self._called.set()

    async def run(self) -> None:
        """Until cancelled: tell what is news, and wait until something happens."""
        while True:
            try:
                self._called.clear()
                if self._session.known:
                    await self._quietly(self._tell())
                await self._something()
                await asyncio.sleep(_TOGETHER_SECONDS)
            except Exception:
                # A top-level loop: nothing that goes wrong with telling may end the session's server.
                log.exception("the channel push failed; it goes on")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _tell(self) -> None:
        await self._session.look(self._bus, at_once=True)
        notebook = self._session.notebook
        found = [each.line for each in news(notebook, notebook.awaited) if each.urgency != _LYING]
        for line in found:
            if line not in self._told:
                await self._push(f"{line}.", "news")
        self._told = set(found)
        self._note_claims()
        for channel in self._watched():
            await self._count(channel)

    def _note_claims(self) -> None:
        """A task that was told of and claimed then waits no more: one that comes meanwhile is news."""
        held = set(self._session.held)
        for message_id in held - self._claimed:
            channel, _ = names.split_message_id(message_id)
            self._counted[channel] = max(self._counted.get(channel, 0) - 1, 0)
            self._told_at.pop(channel, None)
        self._claimed = held

    async def _count(self, channel: str) -> None:
        who = await self._session.who(self._bus)
        try:
            waiting = (await self._bus.channels.counts(who.caller, channel)).waiting
        except (ChannelNotFound, ChannelAccessDenied):
            self._session.worked.pop(channel, None)
            return
        known, now = names.channel_id(channel), time.monotonic()
        if waiting > self._counted.get(known, 0):
            if now - self._told_at.get(known, -math.inf) < _AGAIN_SECONDS:
                return  # a later look tells it
            self._told_at[known] = now
            await self._push(tasks_wait(waiting, channel), "waiting")
        self._counted[known] = waiting

    def _watched(self) -> list[str]:
        """The channels where the session works, latest first; none while it has a task in hand or is asking for one."""
        if self._session.held:
            return []
        asked = {text for call in self._calls for text in _texts(call, "channel", "channels")}
        return [each for each in list(reversed(self._session.worked))[:_CHANNELS] if each not in asked]

    async def _push(self, content: str, kind: str) -> None:
        await self._notify(METHOD, {"content": content, "meta": {"kind": kind}})

    async def _something(self) -> None:
        """Until a call has ended, a task of the session's has an outcome or asks, a task comes, or it is time to look."""
        waits: list[Awaitable[Any]] = [self._called.wait()]
        if self._session.known:
            who = await self._session.who(self._bus)
            waits += [self._quietly(self._outcome(who)), *(self._quietly(self._task(who, each)) for each in self._watched())]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_of(wait)) for wait in waits]
            await asyncio.wait(tasks, timeout=_LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()

    async def _outcome(self, who: Who) -> None:
        unknown = [message_id for message_id, errand in self._session.notebook.posted.items() if not errand.found]
        if not unknown:
            await asyncio.Event().wait()  # a call has to post something first
        await self._bus.tasks.await_results(who.caller, unknown[-awaiting.MOST :], need="any", wait=_WAIT)

    async def _task(self, who: Who, channel: str) -> None:
        """Until something is posted there. Its first look is by this machine's time; one that is wrong costs one look."""
        since = self._cursors.get(channel) or datetime.now(UTC).isoformat()
        page = await self._bus.messages.subscribe(who.caller, channel, since=since, limit=100, status="unclaimed", wait=_WAIT)
        if page.items and page.next_cursor:
            self._cursors[channel] = page.next_cursor
            self._counted.pop(names.channel_id(channel), None)  # it is new, whatever others have taken since the last count

    async def _quietly(self, wait: Awaitable[None]) -> None:
        """What the bus refuses, or cannot answer now, is tried again later."""
        try:
            await wait
        except BusError as error:
            log.info("the channel push cannot look now: %s", error.code)
            await asyncio.sleep(_RETRY_SECONDS)


async def _of(wait: Awaitable[Any]) -> None:
    await wait


def _texts(call: Mapping[str, Any], *fields: str) -> Collection[str]:
    """The texts in these arguments, which nobody has checked yet."""
    found: set[str] = set()
    for field in fields:
        value = call.get(field)
        several = cast("Iterable[Any]", value) if isinstance(value, list) else (value,)
        found.update(text for text in several if isinstance(text, str))
    return found


async def serve_with_push(server: Server[Desk], bus: Bus, session: Session, incoming: Any, outgoing: Any) -> None:
    """Serve one connection of the handshake era on these streams until it closes, and push to it."""
    dispatcher: JSONRPCDispatcher[Any] = JSONRPCDispatcher(incoming, outgoing, inline_methods=frozenset({"initialize"}))
    connection = Connection.for_loop(dispatcher)
    push = ChannelPush(bus, session, connection.notify)
    refused: set[str] = set()

    async def observe(ctx: ServerRequestContext[Desk, Any], call_next: CallNext) -> HandlerResult:
        _warn_of_modern(ctx, refused)
        if ctx.method != "tools/call":
            return await call_next(ctx)
        arguments = (ctx.params or {}).get("arguments")
        with push.during(cast("Mapping[str, Any]", arguments) if isinstance(arguments, dict) else {}):
            return await call_next(ctx)

    async def pushing() -> None:
        await connection.initialized.wait()
        await push.run()

    server.middleware.append(observe)
    options = server.create_initialization_options(experimental_capabilities={CAPABILITY: {}})
    async with server.lifespan(server) as state, asyncio.TaskGroup() as group:
        task = group.create_task(pushing())
        await serve_connection(server, dispatcher, connection=connection, lifespan_state=state, init_options=options)
        task.cancel()


def _warn_of_modern(ctx: ServerRequestContext[Desk, Any], refused: set[str]) -> None:
    """Say once why a client of the newer era gets nowhere. Asking for it (server/discover) is no harm: it falls back."""
    meta: Mapping[str, Any] = dict(ctx.meta or {})
    version = meta.get(_VERSION)
    if version in MODERN_PROTOCOL_VERSIONS and ctx.method not in ("server/discover", "initialize") and not refused:
        refused.add(ctx.method)
        log.warning(
            "this client speaks MCP %s, in which a server cannot push, and does not fall back to the handshake that "
            "--claude-channel needs: it is refused. Start backchannel-mcp without --claude-channel for it.",
            version,
        )
