"""Requests that bear an `Idempotency-Key`: what is done under one key is done once, and a repeat is answered as the first.

Which operations need that, and who sees to it, is declared here: every keyed operation that changes something is in
exactly one of the three tables.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from fastapi import Request
from pydantic_core import from_json
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bus.bus import Bus
from bus.credentials import ACK, CHANNELS_MANAGE, CHANNELS_WRITE, CLAIM, WRITE, require
from bus.errors import ChannelNotFound, StoreUnavailable
from bus.idempotency import Remembered
from bus.models import Caller
from bus.names import split_message_id

from .admission import admit_key
from .deps import bus_of
from .replies import JSONReply
from .seen import seen

log = logging.getLogger("backchannel.api")

BY_THE_VERB: Final = frozenset({"post_message", "post_task", "broadcast", "post_with_result"})
"""Posting: the bus takes the idempotency key itself, and finds the message it posted before."""
NOT_NEEDED: Final = frozenset(
    {
        "create_channel", "create_actor", "claim_message", "ack_task", "heartbeat", "heartbeat_lease", "cancel_task",
        "request_access", "add_member", "add_alias", "add_alias_actor", "set_webhook", "delete_webhook", "revoke_key",
        "subscribe_messages", "await_answer", "await_results",
    }
)  # fmt: skip
"""Done twice, they have done it once; or they change nothing. The answer tells how things stand now."""
REMEMBERED: Final[Mapping[str, str | None]] = {
    "answer_task": WRITE,
    "approve_access_request": CHANNELS_MANAGE,
    "ask": ACK,
    "claim_and_ack": ACK,
    "claim_task": CLAIM,
    "claim_with_lease": CLAIM,
    "create_claimable_session": CHANNELS_WRITE,
    "create_invitation": CHANNELS_MANAGE,
    "create_session": None,
    "delete_channel": CHANNELS_MANAGE,
    "delete_session": None,
    "deny_access_request": CHANNELS_MANAGE,
    "fail_task": ACK,
    "post_result": ACK,
    "redrive": ACK,
    "release_task": ACK,
    "remove_member": CHANNELS_MANAGE,
    "retract": WRITE,
    "revoke_invitation": CHANNELS_MANAGE,
    "set_scopes": None,
    "update_channel": CHANNELS_MANAGE,
    "update_session": None,
}
"""The answer is remembered, and given again to who still has the scope named here and may see the channel; but not that a
claim found nothing, which is no reason for the next to find nothing."""
HEADER: Final[Mapping[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Your name for this request, to send it again safely: what is done under one key within 24 h is done once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}
"""How OpenAPI says that an operation takes an idempotency key."""
IGNORED: Final[Mapping[str, Any]] = {
    **HEADER,
    "description": "Not needed here, whatever it is: done twice, this has been done once. The answer repeats it.",
    "schema": {"type": "string"},
}
"""The same of one of NOT_NEEDED."""
REFUSED: Final = ("idempotency_conflict", "idempotency_in_progress", "invalid_idempotency_key")
_GONE_BY_ITSELF = "delete_channel"
_NAME_IN_BODY: Final = frozenset({"claim_task", "claim_and_ack"})
_REPLAYED = {"X-Idempotent-Replay": "true"}


class Once:
    """Goes around the operation of that name, which is one of REMEMBERED."""

    def __init__(self, app: ASGIApp, operation: str) -> None:
        self._app = app
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        idempotency_key = seen(scope).idempotency_key
        if idempotency_key is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        bus = bus_of(request)
        caller = await admit_key(scope, bus)
        body = await request.body()
        fingerprint = _fingerprint(scope, body)
        before = await bus.idempotency.begin(caller, idempotency_key, fingerprint)
        if before is not None:
            named = _object(body) if self._operation in _NAME_IN_BODY else request.path_params
            await self._may_still(bus, caller, _channels(named))
            await _replay(before)(scope, receive, send)
            return
        answer = _Answer()
        try:
            await self._app(scope, again(body, receive), answer.take)
        finally:
            kept = None if seen(scope).had_no_effect else answer.success
            await _settle(bus, caller, idempotency_key, fingerprint, kept)
        await answer.send(send)

    async def _may_still(self, bus: Bus, caller: Caller, channels: Sequence[str]) -> None:
        """A replay tells what the verb would: so whoever lost the right to the verb is refused as the verb refuses."""
        if scope := REMEMBERED[self._operation]:
            require(caller, scope)
        for channel in channels:
            try:
                await bus.channels.get(replace(caller, scopes=None), channel)  # of access alone: the scope was looked at
            except ChannelNotFound:
                if self._operation != _GONE_BY_ITSELF:
                    raise


class _Answer:
    """An answer that is held back until it is remembered."""

    def __init__(self) -> None:
        self._messages: list[Message] = []

    async def take(self, message: Message) -> None:
        self._messages.append(message)

    async def send(self, send: Send) -> None:
        for message in self._messages:
            await send(message)

    @property
    def success(self) -> Remembered | None:
        """None when there is no answer, or it tells of an error."""
        if not self._messages or self._messages[0]["status"] >= 300:
            return None
        return Remembered(self._messages[0]["status"], b"".join(message.get("body", b"") for message in self._messages[1:]))


async def _settle(bus: Bus, caller: Caller, idempotency_key: str, fingerprint: str, kept: Remembered | None) -> None:
    try:
        if kept is None:
            await bus.idempotency.forget(caller, idempotency_key, fingerprint)
        else:
            await bus.idempotency.keep(caller, idempotency_key, fingerprint, kept)
    except StoreUnavailable as why:  # what was done is done: the answer goes out, and a repeat is held off for a while
        log.warning("what came of a request with an idempotency key could not be kept: %s", why)


def _fingerprint(scope: Scope, body: bytes) -> str:
    digest = hashlib.sha256()
    for part in (scope["method"].encode(), scope["path"].encode(), scope["query_string"], body):
        digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()


def _channels(named: Mapping[str, Any]) -> list[str]:
    """The channels that a request names, itself or by a message."""
    if isinstance(named.get("message_id"), str):
        return [split_message_id(named["message_id"])[0]]
    several: Any = named.get("channels")
    found: list[Any] = cast("list[Any]", several) if isinstance(several, list) else [named.get("channel")]
    return [each for each in found if isinstance(each, str)]


def _object(body: bytes) -> dict[str, Any]:
    sent: Any = from_json(body or b"{}")
    return cast("dict[str, Any]", sent) if isinstance(sent, dict) else {}


def _replay(before: Remembered) -> Response:
    if not before.body:
        return Response(None, before.status, _REPLAYED)
    return JSONReply(before.body, before.status, _REPLAYED)


def again(body: bytes, receive: Receive) -> Receive:
    """For whoever reads the request after this: its body, then whatever else comes."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again
