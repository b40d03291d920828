"""Ends calls that clients of MCP's handshake era give up. They do not close the connection, they say so by another request."""

from __future__ import annotations

import asyncio
import json
from secrets import token_urlsafe
from typing import Any, Final

from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .deps import CALLER

_SESSION: Final = "mcp-session-id"
_Call = tuple[str, str, str | int]
"""API key, session, id of the request: the same numbers are used by every client."""


class GivingUp:
    """An MCP endpoint, to which a call that was given up looks like one whose client has gone.

    A session is nothing but a name that tells the clients of one API key apart: any replica takes any. A call that
    another replica serves is not found here; it ends by its own time, and a task that it took comes back with its lease.
    """

    def __init__(self, serve: ASGIApp) -> None:
        self._serve = serve
        self._calls: dict[_Call, asyncio.Event] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if headers.get("mcp-protocol-version") in MODERN_PROTOCOL_VERSIONS:
            await self._serve(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            return
        whose, session = scope[CALLER].key_id, headers.get(_SESSION)
        match _message(body):
            case {"method": "initialize"}:
                await self._serve(scope, _Again(body, receive), _with_session(send))
            case {"method": "notifications/cancelled", "params": {"requestId": str() | int() as request}} if session:
                if call := self._calls.get((whose, session, request)):
                    call.set()
                await self._serve(scope, _Again(body, receive), send)
            case {"method": str(), "id": str() | int() as request} if session:
                await self._watched((whose, session, request), scope, _Again(body, receive), send)
            case _:
                await self._serve(scope, _Again(body, receive), send)

    async def _watched(self, call: _Call, scope: Scope, again: _Again, send: Send) -> None:
        again.given_up = self._calls[call] = asyncio.Event()
        answer = _Answer(send)
        try:
            await self._serve(scope, again, answer)
        finally:
            if self._calls.get(call) is again.given_up:
                del self._calls[call]
        if again.given_up.is_set():
            await answer.end()


class _Again:
    """The request's body once more, then what comes after it; a disconnect as soon as the call is given up."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive
        self.given_up = asyncio.Event()

    async def __call__(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        async with asyncio.TaskGroup() as group:
            after, given_up = group.create_task(self._received()), group.create_task(self.given_up.wait())
            await asyncio.wait((after, given_up), return_when=asyncio.FIRST_COMPLETED)
            for waiting in (after, given_up):
                waiting.cancel()
        return {"type": "http.disconnect"} if self.given_up.is_set() else after.result()

    async def _received(self) -> Message:
        return await self._receive()


class _Answer:
    """Passes the answer on, and ends it where nobody wants the rest."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._next = "http.response.start"

    async def __call__(self, message: Message) -> None:
        await self._send(message)
        self._next = "" if message["type"] == "http.response.body" and not message.get("more_body") else "http.response.body"

    async def end(self) -> None:
        if self._next == "http.response.start":
            await self({"type": "http.response.start", "status": 202, "headers": []})
        if self._next:
            await self({"type": "http.response.body", "body": b""})


async def _body(receive: Receive) -> bytes | None:
    """All of it, as long as it is allowed to be; None when its sender has gone."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _message(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None  # the endpoint says what is wrong with it


def _with_session(send: Send) -> Send:
    async def named(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            MutableHeaders(scope=message)[_SESSION] = token_urlsafe(16)
        await send(message)

    return named
