"""What can go wrong on the bus: one class per reason, each with the one code it keeps from Lua to the tool's text.

An exception means that the caller must change course; an expected outcome is a value. `BY_CODE` turns a
code (a script's reply, an HTTP error body) back into its class.
"""

from __future__ import annotations

from typing import Any, ClassVar


class BusError(Exception):
    """Something the caller asked for cannot be done.

    `message` says what happened and what to do next; `details` are the machine-readable extras, which the HTTP
    API puts at the top level of its error body. Neither ever holds a secret.
    """

    code: ClassVar[str] = "bus_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(BusError):
    """A value is malformed or out of range; nothing was stored.

    Its code is the contract's for the field (`missing_field`, `invalid_string`, `invalid_limit`, …), so it is an
    instance attribute here.
    """

    code: ClassVar[str] = "invalid_field"

    def __init__(self, message: str, *, field: str, code: str = "invalid_field", **details: Any) -> None:
        super().__init__(message, field=field, **details)
        self.reason_code = code


class ContentTooLarge(BusError):
    """Content, metadata or a result is over its limit. Details: `max_content_bytes`, `received_bytes`, `field`."""

    code = "content_too_large"


class Unauthorized(BusError):
    """No API key, an unknown one, or a revoked one."""

    code = "unauthorized"


class InsufficientScope(BusError):
    """The API key lacks the scope. Details: `required_scope`, `granted_scopes`."""

    code = "insufficient_scope"


class Forbidden(BusError):
    """The API key is good but this is not its to do."""

    code = "forbidden"


class MintingClosed(BusError):
    """This bus does not hand out API keys to whoever asks."""

    code = "minting_closed"


class LabelInUse(BusError):
    """An active API key already has this label."""

    code = "label_in_use"


class ActorForbidden(BusError):
    """The actor name belongs to another API key."""

    code = "actor_forbidden"


class ActorNotFound(BusError):
    """No actor of that name."""

    code = "actor_not_found"


class ChannelNotFound(BusError):
    """No channel of that name. Details: `nearest`, the existing names most like it."""

    code = "channel_not_found"


class ChannelExists(BusError):
    """The channel exists with another mode or access."""

    code = "channel_exists"


class ChannelAccessDenied(BusError):
    """The channel is restricted and the API key is not a member."""

    code = "channel_access_denied"


class ChannelNotClaimable(BusError):
    """A task verb on a broadcast channel."""

    code = "channel_not_claimable"


class ChannelNotBroadcast(BusError):
    """A broadcast verb on a claimable channel."""

    code = "channel_not_broadcast"


class ChannelPaused(BusError):
    """The channel takes no messages for now. Details: `retry_after` seconds."""

    code = "channel_paused"


class ChannelFull(BusError):
    """The channel holds as many unfinished tasks as its `max_messages` allows. Nothing was stored."""

    code = "channel_full"


class ChannelWriteRateExceeded(BusError):
    """More posts a minute than the channel allows. Details: `retry_after` seconds."""

    code = "channel_write_rate_exceeded"


class MessageNotFound(BusError):
    """No such message (any more)."""

    code = "message_not_found"


class MessageExpired(BusError):
    """The message passed its time to live."""

    code = "message_expired"


class AlreadyClaimed(BusError):
    """Somebody holds the task. Details: `holder`, `lease_expires_at`."""

    code = "already_claimed"


class NotAvailableYet(BusError):
    """The task is delayed. Details: `available_at`."""

    code = "not_available_yet"


class AlreadyFinished(BusError):
    """The task has its outcome already; this one was not accepted. Details: `state`."""

    code = "already_finished"


class TaskCancelled(BusError):
    """The poster cancelled the task while it was held; it is finished as cancelled. Stop working on it."""

    code = "task_cancelled"


class LeaseLost(BusError):
    """The claim is no longer the caller's: its lease ran out and the task has passed on."""

    code = "lease_lost"


class NotClaimed(BusError):
    """Nobody, or not this actor, holds the task."""

    code = "not_claimed"


class IdempotencyConflict(BusError):
    """The idempotency key was used before with another body."""

    code = "idempotency_conflict"


class AccessRequestNotFound(BusError):
    """No access request with that id on the channel."""

    code = "access_request_not_found"


class AccessRequestResolved(BusError):
    """The access request was approved or denied before."""

    code = "access_request_resolved"


class DeadLetterNotFound(BusError):
    """No such dead letter on the channel (any more)."""

    code = "dead_letter_not_found"


class StoreUnavailable(BusError):
    """The store, or the bus's HTTP API, did not answer; whether the call took effect is unknown. Details: `retry_after`."""

    code = "store_unavailable"


class StoreFull(BusError):
    """The store is out of memory: nothing was stored; claiming and finishing go on."""

    code = "store_full"


def _concrete(base: type[BusError]) -> list[type[BusError]]:
    return [found for child in base.__subclasses__() for found in (child, *_concrete(child))]


BY_CODE: dict[str, type[BusError]] = {error.code: error for error in _concrete(BusError)}


def code_of(error: BusError) -> str:
    """The code to show: the class's, or an `InvalidInput`'s own."""
    return error.reason_code if isinstance(error, InvalidInput) else error.code


def from_code(code: str, message: str, **details: Any) -> BusError:
    """The error that `code` names; an unknown code is an `InvalidInput` of that code (the contract has many of those)."""
    found = BY_CODE.get(code)
    if found is None or found is InvalidInput:
        field = str(details.pop("field", "") or "")
        return InvalidInput(message, field=field, code=code, **details)
    return found(message, **details)
