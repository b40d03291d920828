"""What a model reads when the bus refuses: the code, what happened, and which call helps now."""

from __future__ import annotations

import re
from typing import Any, Final

from bus import errors
from bus.errors import BusError, code_of

from .peer_text import Fence, escape_line

_CORRECT: Final = "correct that argument and call again; nothing was stored"

NEXT: Final[dict[type[BusError], str]] = {
    errors.InvalidInput: _CORRECT,
    errors.ContentTooLarge: "shorten it, or put the bulk where the reader finds it and send the place; nothing was stored",
    errors.Unauthorized: "give the server a valid key (BACKCHANNEL_API_KEY, or the request's Authorization header), "
    "or unset BACKCHANNEL_API_KEY so that it mints its own",
    errors.InsufficientScope: "use an API key that has the scope, or leave this to an agent whose key has it",
    errors.Forbidden: "leave this to whoever may do it, or tell your user",
    errors.MintingClosed: "ask the operator of this bus for a key and set BACKCHANNEL_API_KEY",
    errors.LabelInUse: "choose another agent_label",
    errors.ActorForbidden: "leave actor out to act under your own name, or choose another name",
    errors.ActorNotFound: "leave actor out to act under your own name",
    errors.ChannelNotFound: "list_channels shows the names there are; post_task and broadcast create a missing channel",
    errors.ChannelExists: "use the channel as it is, or choose another name",
    errors.ChannelAccessDenied: "call request_access for the channel and try again once its owner has approved",
    errors.ChannelNotClaimable: "this is a broadcast channel: read it with subscribe, write to it with broadcast",
    errors.ChannelNotBroadcast: "this channel holds tasks: use post_task and claim_task, or broadcast to another name",
    errors.ChannelPaused: "wait and call again; nothing was stored",
    errors.ChannelFull: "wait until tasks have been worked off, then call again; nothing was stored",
    errors.ChannelWriteRateExceeded: "wait and call again; nothing was stored",
    errors.MessageNotFound: "check the message_id; it is the one that post_task, claim_task or subscribe gave",
    errors.MessageExpired: "post it again if it is still wanted",
    errors.AlreadyClaimed: "leave it to its holder, or claim_task for other work",
    errors.NotAvailableYet: "wait until then, or claim_task for other work",
    errors.AlreadyFinished: "read the outcome with await_result; do not work on it any more",
    errors.TaskCancelled: "stop working on it, and claim_task for other work",
    errors.LeaseLost: "discard what you did for it, for somebody else may have it now, and claim_task for other work",
    errors.NotClaimed: "claim_task first: only the holder can do this (pass claim_token if another session claimed it)",
    errors.NotAsked: "read the task with await_result; there is nothing to answer",
    errors.ChainTooLong: "stop: agents are handing work round in a circle; finish the task you hold and tell your user",
    errors.ChainRateExceeded: "stop: agents are handing work round in a circle; finish the task you hold and tell your user",
    errors.IdempotencyConflict: "use a new idempotency_key for the new content, or the same content with this one",
    errors.AccessRequestNotFound: "call request_access",
    errors.AccessRequestResolved: "call request_access again if access is still missing",
    errors.DeadLetterNotFound: "check the id",
    errors.RateLimitExceeded: "wait and call again; nothing was done",
    errors.MetadataInvalid: "correct the metadata by the channel's metadata_schema and call again; nothing was stored",
    errors.MessageClaimed: "cancel it instead: its holder learns that at the next call",
    errors.IdempotencyInProgress: "wait a moment and send the same call again: the first one is still at work",
    errors.AliasConflict: "choose another name",
    errors.ChannelNotEmpty: "use another channel: the mode of one that has held messages stays",
    errors.CannotRemoveOwner: "leave the owner in; only others can be removed",
    errors.InvitationNotFound: "check the invitation, or ask whoever sent it for a new one",
    errors.InvitationExpired: "ask whoever sent it for a new invitation",
    errors.InvitationRevoked: "ask whoever sent it for a new invitation",
    errors.SessionNotFound: "check the id; a session ends after 24 hours",
    errors.WebhookNotFound: "set a webhook first",
    errors.KeyNotFound: "check the key id",
    errors.AdminDisabled: "leave this to whoever runs the bus",
    errors.AdminUnauthorized: "leave this to whoever runs the bus",
    errors.StoreUnavailable: "wait a few seconds and call again; if it stays down, tell your user that the bus is unreachable",
    errors.Unconfirmed: "repeat the same call with the same idempotency key: nothing is done twice",
    errors.StoreFull: "tell your user that the store is out of memory; claiming and finishing tasks goes on",
}
"""One next step for each code; a test keeps it complete."""
_WAIT: Final = re.compile(r"^wait(?: a moment| a few seconds)? and\b")


def advise(error: BusError) -> str:
    """`code: what happened. Next: what to do.`, one line; what another agent wrote is fenced."""
    text = f"{code_of(error)}: {_happened(error).rstrip('. ')}."
    if nearest := error.details.get("nearest"):
        names = ", ".join(str(name) for name in nearest)
        text += "" if names in text else f" Nearest: {names}."
    then = NEXT[type(error)]
    if retry_after := error.details.get("retry_after"):
        then = _WAIT.sub(f"wait {retry_after} s and", then)
    return f"{escape_line(text)} Next: {then}."


def _happened(error: BusError) -> str:
    details: dict[str, Any] = {**error.details}
    if isinstance(error, errors.MetadataInvalid) and details.get("violations"):
        issue = details["violations"][0]["issue"]  # in the words of the channel's schema
        before, found, after = error.message.rpartition(f" {issue}; ")
        return f"{before} {Fence().around(issue)}; {after}" if found else error.message
    if reason := details.get("reason"):
        return error.message.replace(f"({reason})", f"({Fence().around(reason)})", 1)
    return error.message
