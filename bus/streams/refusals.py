"""What a script's refusal means to the caller: one error and one sentence each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from .. import errors
from .replies import actor_of, moment

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
    return errors.NotAvailableYet(f"this task is delayed until {at:%Y-%m-%d %H:%M:%S} UTC", available_at=at.isoformat())


def _already_finished(channel: str, rest: list[Any]) -> errors.BusError:
    state = json.loads(rest[0])["state"] if rest and rest[0] else "done"
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
    return errors.DeadLetterNotFound(f"there is no dead letter '{channel}:{rest[0]}' (any more); nothing was redriven")


def _exists(channel: str, rest: list[Any]) -> errors.BusError:
    return errors.ChannelExists(
        f"channel '{channel}' exists as {rest[0]} and {rest[1]}; use it as it is, or choose another name",
        mode=rest[0],
        access=rest[1],
    )


def _resolved(channel: str, rest: list[Any]) -> errors.BusError:
    return errors.AccessRequestResolved(f"this access request was {rest[0]} before", status=rest[0])


REFUSALS: Final[Mapping[str, Refusal]] = {
    "access_request_not_found": _says(errors.AccessRequestNotFound, "channel '{channel}' has no such access request"),
    "access_request_resolved": _resolved,
    "already_claimed": _already_claimed,
    "already_finished": _already_finished,
    "channel_access_denied": _says(
        errors.ChannelAccessDenied,
        "channel '{channel}' is restricted and this API key is not a member; request_access asks for it",
    ),
    "channel_exists": _exists,
    "channel_full": _full,
    "channel_not_broadcast": _says(
        errors.ChannelNotBroadcast, "channel '{channel}' is claimable: post a task there, or claim one"
    ),
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
    "lease_lost": _lease_lost,
    "message_expired": _says(errors.MessageExpired, "the message passed its time to live and is no longer to be had"),
    "message_not_found": _says(errors.MessageNotFound, "channel '{channel}' has no such message (any more)"),
    "not_available_yet": _not_available_yet,
    "not_claimed": _not_claimed,
    "task_cancelled": _cancelled,
}
