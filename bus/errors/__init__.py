"""What can go wrong on the bus: one class per reason, each with the one code it keeps from Lua to the tool's text.

An exception means that the caller must change course; an expected outcome is a value. `BY_CODE` turns a
code (a script's reply, an HTTP error body) back into its class.
"""

from __future__ import annotations

from typing import Any

from .base import (
    BusError,
)
from .callers import (
    ActorForbidden,
    ActorNotFound,
    AdminDisabled,
    AdminUnauthorized,
    AliasConflict,
    Forbidden,
    InsufficientScope,
    KeyNotFound,
    LabelInUse,
    MintingClosed,
    RateLimitExceeded,
    SessionNotFound,
    Unauthorized,
    WebhookNotFound,
)
from .channels import (
    AccessRequestNotFound,
    AccessRequestResolved,
    CannotRemoveOwner,
    ChannelAccessDenied,
    ChannelExists,
    ChannelFull,
    ChannelNotBroadcast,
    ChannelNotClaimable,
    ChannelNotEmpty,
    ChannelNotFound,
    ChannelPaused,
    ChannelWriteRateExceeded,
    InvitationExpired,
    InvitationNotFound,
    InvitationRevoked,
)
from .input import (
    ContentTooLarge,
    IdempotencyConflict,
    IdempotencyInProgress,
    InvalidInput,
    MetadataInvalid,
)
from .messages import (
    AlreadyClaimed,
    AlreadyFinished,
    ChainRateExceeded,
    ChainTooLong,
    DeadLetterNotFound,
    LeaseLost,
    MessageClaimed,
    MessageExpired,
    MessageNotFound,
    NotAsked,
    NotAvailableYet,
    NotClaimed,
    TaskCancelled,
)
from .store import (
    StoreFull,
    StoreUnavailable,
    Unconfirmed,
)

__all__ = [
    "BY_CODE",
    "AccessRequestNotFound",
    "AccessRequestResolved",
    "ActorForbidden",
    "ActorNotFound",
    "AdminDisabled",
    "AdminUnauthorized",
    "AliasConflict",
    "AlreadyClaimed",
    "AlreadyFinished",
    "BusError",
    "CannotRemoveOwner",
    "ChainRateExceeded",
    "ChainTooLong",
    "ChannelAccessDenied",
    "ChannelExists",
    "ChannelFull",
    "ChannelNotBroadcast",
    "ChannelNotClaimable",
    "ChannelNotEmpty",
    "ChannelNotFound",
    "ChannelPaused",
    "ChannelWriteRateExceeded",
    "ContentTooLarge",
    "DeadLetterNotFound",
    "Forbidden",
    "IdempotencyConflict",
    "IdempotencyInProgress",
    "InsufficientScope",
    "InvalidInput",
    "InvitationExpired",
    "InvitationNotFound",
    "InvitationRevoked",
    "KeyNotFound",
    "LabelInUse",
    "LeaseLost",
    "MessageClaimed",
    "MessageExpired",
    "MessageNotFound",
    "MetadataInvalid",
    "MintingClosed",
    "NotAsked",
    "NotAvailableYet",
    "NotClaimed",
    "RateLimitExceeded",
    "SessionNotFound",
    "StoreFull",
    "StoreUnavailable",
    "TaskCancelled",
    "Unauthorized",
    "Unconfirmed",
    "WebhookNotFound",
    "code_of",
    "from_code",
]


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
