"""The values that the bus takes and gives: frozen, typed, the same over Redis and over HTTP."""

from .access import AccessAnswer, AccessRequest
from .callers import Actor, Caller, IssuedKey
from .channels import Access, Channel, ChannelSummary, Counts, Mode, NewChannel
from .messages import Hold, Message, Outcome, Posted, Receipt, State
from .pages import Page
from .tasks import Claim, DeadLetter, Delivery, Redriven

__all__ = [
    "Access",
    "AccessAnswer",
    "AccessRequest",
    "Actor",
    "Caller",
    "Channel",
    "ChannelSummary",
    "Claim",
    "Counts",
    "DeadLetter",
    "Delivery",
    "Hold",
    "IssuedKey",
    "Message",
    "Mode",
    "NewChannel",
    "Outcome",
    "Page",
    "Posted",
    "Receipt",
    "Redriven",
    "State",
]
