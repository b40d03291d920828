"""From the bus's values to the contract's JSON, with what our bus has on top."""

from .callers import access_answer, access_request, actor, issued_key, key
from .channels import channel, channel_page, counts
from .messages import claim, claimed_task, dead_letter_page, heartbeat, message, message_page, posted, result, status
from .moments import plain, stamp

__all__ = [
    "access_answer",
    "access_request",
    "actor",
    "channel",
    "channel_page",
    "claim",
    "claimed_task",
    "counts",
    "dead_letter_page",
    "heartbeat",
    "issued_key",
    "key",
    "message",
    "message_page",
    "plain",
    "posted",
    "result",
    "stamp",
    "status",
]
