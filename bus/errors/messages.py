"""Errors of messages, tasks and claims."""

from __future__ import annotations

from .base import BusError


class MessageNotFound(BusError):
    """No such message (any more)."""

    code = "message_not_found"


class MessageExpired(BusError):
    """The message passed its time to live."""

    code = "message_expired"


class MessageClaimed(BusError):
    """Somebody holds the task, so it cannot be taken back. Details: `holder`, `lease_expires_at`."""

    code = "message_claimed"


class AlreadyClaimed(BusError):
    """Somebody holds the task. Details: `holder`, `lease_expires_at`."""

    code = "already_claimed"


class NotAvailableYet(BusError):
    """The task is delayed. Details: `available_at`."""

    code = "not_available_yet"


class AlreadyFinished(BusError):
    """The task has its outcome already; this one was not accepted. Details: `state`; `by_caller` (true)
    when the calling actor itself finished it."""

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


class NotAsked(BusError):
    """No question of the task is open (any more)."""

    code = "not_asked"


class ChainTooLong(BusError):
    """The task would be one hop too many after the first of its chain. Details: `chain_id`, `max_hops`."""

    code = "chain_too_long"


class ChainRateExceeded(BusError):
    """The chain has brought forth as many tasks this hour as it may. Details: `chain_id`, `retry_after` seconds."""

    code = "chain_rate_exceeded"


class DeadLetterNotFound(BusError):
    """No such dead letter on the channel (any more)."""

    code = "dead_letter_not_found"
