"""What a script's refusal means to the caller: one error and one sentence each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from .. import errors
from .moments import moment
from .replies import actor_of

Refusal = Callable[[str, list[Any]], errors.BusError]


def _says(kind: type[errors.BusError], text: str) -> Refusal:
    return lambda channel, _: kind(text.format(channel=channel))


def _already_claimed(channel: str, rest: list[Any]) -> errors.BusError:
    holder, until = actor_of(rest[0])[0], moment(rest[1])
    return errors.AlreadyClaimed(
        f"'{holder}' holds this task until {until:%H:%M:%S} UTC; claim another, or this one when the lease has run out",
        holder=holder,
        lease_expires_at=until.isoformat(),
    )


def _not_available_yet(channel: str, rest: list[Any]) -> errors.BusError:
    at = moment(rest[0])
    return errors.NotAvailableYet(
        f"this task is delayed until {at:%Y-%m-%d %H:%M:%S} UTC; claim it then, or another now", available_at=at.isoformat()
    )


def _already_finished(channel: str, rest: list[Any]) -> errors.BusError:
    state = json.loads(rest[0])["state"] if rest and rest[0] else "done"
    if len(rest) > 1:
        told = f"you finished this task before ({state}); nothing was changed"
        return errors.AlreadyFinished(told, state=state, by_caller=True)
    return errors.AlreadyFinished(f"this task is finished already ({state}); nothing was changed", state=state)


def _lease_lost(channel: str, rest: list[Any]) -> errors.BusError:
    return errors.LeaseLost("your lease on this task ran out and it has passed on; drop what you did, or claim it again")


def _not_claimed(channel: str, rest: list[Any]) -> errors.BusError:
    who = "nobody holds it" if rest[0] == "_" else f"'{actor_of(rest[0])[0]}' holds it"
    return errors.NotClaimed(f"you do not hold this task ({who}); claim it first")


def _paused(channel: str, rest: list[Any]) -> errors.BusError:
    return errors.ChannelPaused(f"channel '{channel}' is paused and takes no messages; try again later", retry_after=30)


def _full(channel: str, rest: list[Any]) -> errors.BusError:
    return errors.ChannelFull(
        f"channel '{channel}' holds its most of {rest[0]} unfinished tasks; nothing was stored, post later"
    )


def _too_fast(channel: str, rest: list[Any]) -> errors.BusError:
    seconds = max(1, -(-int(rest[0]) // 1000))
    return errors.ChannelWriteRateExceeded(
        f"channel '{channel}' takes no more messages this minute; nothing was stored, post again in {seconds} s",
        retry_after=seconds,
    )


def _delay(channel: str, rest: list[Any]) -> errors.BusError:
    most = int(rest[0]) // 1000
    return errors.InvalidInput(
        f"delay_seconds needs a claimable channel and at most its ttl ({most} s)",
        field="delay_seconds",
        code="invalid_delay_seconds",
    )


def _forbidden(channel: str, rest: list[Any]) -> errors.BusError:
    if rest[0] == "admin":
        return errors.Forbidden(
            f"an administrator paused channel '{channel}': until an administrator resumes it, its owner can neither resume nor "
            "delete it"
        )
    who = {
        "owner": f"the owner of channel '{channel}'",
        "member": f"the owner and members of channel '{channel}'",
        "poster": f"the API key that posted the task and the owner of channel '{channel}'",
    }[rest[0]]
    return errors.Forbidden(f"only {who} may do this")


def _cancelled(channel: str, rest: list[Any]) -> errors.BusError:
    why = f" ({rest[0]})" if rest[0] else ""
    return errors.TaskCancelled(
        f"the task was cancelled by its poster{why}; stop working on it, no ack is needed", reason=rest[0]
    )


def _dead_letter(channel: str, rest: list[Any]) -> errors.BusError:
    return errors.DeadLetterNotFound(
        f"there is no dead letter '{channel}:{rest[0]}' (any more), so nothing was redriven; dead_letters shows what there is"
    )


def _exists(channel: str, rest: list[Any]) -> errors.BusError:
    return errors.ChannelExists(
        f"channel '{channel}' exists as {rest[0]} and {rest[1]}; use it as it is, or choose another name",
        mode=rest[0],
        access=rest[1],
    )


def _not_empty(channel: str, rest: list[Any]) -> errors.BusError:
    return errors.ChannelNotEmpty(
        f"channel '{channel}' has held messages, so it stays {rest[0]}; create another for the other mode", mode=rest[0]
    )


def _too_many_aliases(channel: str, rest: list[Any]) -> errors.BusError:
    return errors.InvalidInput(
        f"channel '{channel}' has {rest[0]} aliases, which is the most; use one of them", field="alias", code="too_many_aliases"
    )


def _message_claimed(channel: str, rest: list[Any]) -> errors.BusError:
    holder, until = actor_of(rest[0])[0], moment(rest[1])
    return errors.MessageClaimed(
        f"'{holder}' holds this task until {until:%H:%M:%S} UTC; cancel it instead, which its holder learns",
        holder=holder,
        lease_expires_at=until.isoformat(),
    )


def _resolved(channel: str, rest: list[Any]) -> errors.BusError:
    return errors.AccessRequestResolved(
        f"this access request was {rest[0]} before; list_access_requests shows those that wait", status=rest[0]
    )


def _too_many(field: str, what: str) -> Refusal:
    """More than fit: the script replies with the limit."""
    return lambda channel, rest: errors.InvalidInput(
        what.format(channel=channel, most=rest[0]), field=field, code=f"too_many_{field}"
    )


REFUSALS: Final[Mapping[str, Refusal]] = {
    "access_request_not_found": _says(
        errors.AccessRequestNotFound,
        "channel '{channel}' has no such access request; list_access_requests shows those that wait",
    ),
    "access_request_resolved": _resolved,
    "actor_forbidden": _says(
        errors.ActorForbidden, "the actor name '{channel}' belongs to another API key; act under another name"
    ),
    "actor_not_found": _says(
        errors.ActorNotFound, "there is no actor '{channel}'; it exists from its first claim on, or when it is created"
    ),
    "alias_conflict": lambda _, rest: errors.AliasConflict(
        f"that name is taken: it stands for the actor '{rest[0]}'; choose another"
    ),
    "already_claimed": _already_claimed,
    "already_finished": _already_finished,
    "cannot_remove_owner": _says(
        errors.CannotRemoveOwner, "the owner of channel '{channel}' stays its member; delete the channel instead"
    ),
    "channel_access_denied": _says(
        errors.ChannelAccessDenied,
        "channel '{channel}' is restricted and this API key is not a member; request_access asks for it",
    ),
    "channel_aliases_full": _too_many_aliases,
    "channel_exists": _exists,
    "channel_full": _full,
    "channel_not_broadcast": _says(
        errors.ChannelNotBroadcast, "channel '{channel}' is claimable: post a task there, or claim one"
    ),
    "channel_not_empty": _not_empty,
    "channel_not_claimable": _says(
        errors.ChannelNotClaimable, "channel '{channel}' is a broadcast channel: read it with subscribe"
    ),
    "channel_paused": _paused,
    "channel_write_rate_exceeded": _too_fast,
    "dead_letter_not_found": _dead_letter,
    "forbidden": _forbidden,
    "idempotency_conflict": _says(
        errors.IdempotencyConflict,
        "this idempotency key was used on '{channel}' for another message; use a new key for a new message",
    ),
    "invalid_delay": _delay,
    "invitation_expired": _says(errors.InvitationExpired, "this invitation's time is over; ask for a new one"),
    "invitation_not_found": _says(
        errors.InvitationNotFound, "there is no such invitation (any more); see that its id is complete, or ask for a new one"
    ),
    "invitation_revoked": _says(errors.InvitationRevoked, "this invitation was taken back; ask for a new one"),
    "lease_lost": _lease_lost,
    "message_claimed": _message_claimed,
    "message_expired": _says(
        errors.MessageExpired, "the message passed its time to live and is no longer to be had; post it anew if it is wanted"
    ),
    "message_not_found": _says(
        errors.MessageNotFound, "channel '{channel}' has no such message (any more); see that its id is complete"
    ),
    "not_asked": _says(errors.NotAsked, "no question of this task is open (any more); nothing was changed"),
    "not_available_yet": _not_available_yet,
    "not_claimed": _not_claimed,
    "session_not_found": _says(
        errors.SessionNotFound, "this API key has no such session (any more); they live 24 h, list_sessions shows them"
    ),
    "state_too_large": lambda _, rest: errors.ContentTooLarge(
        f"the session's state would have {rest[0]} bytes; at most {rest[1]}. Nothing was changed: set what it needs no more "
        "to null, or start another session",
        field="state",
        max_content_bytes=rest[1],
        received_bytes=rest[0],
    ),
    "task_cancelled": _cancelled,
    "too_many_access_requests": _too_many(
        "access_requests", "{most} others are waiting to be let into channel '{channel}'; ask again when its owner has decided"
    ),
    "too_many_aliases": _too_many("aliases", "that actor has {most} aliases, which is the most; use one of them"),
    "too_many_invitations": _too_many(
        "invitations", "channel '{channel}' has {most} invitations, which is the most; use one again, or revoke some"
    ),
    "too_many_members": _too_many("members", "channel '{channel}' has {most} members, which is the most; remove some"),
    "too_many_sessions": _too_many("sessions", "this API key has {most} sessions, which is the most; delete some"),
}
