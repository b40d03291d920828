"""The values that the bus takes and gives: frozen, typed, the same over Redis and over HTTP."""

from .access import (
    AccessAnswer,
    AccessRequest,
    Invitation,
    Member,
    MembershipEvent,
)
from .callers import (
    Actor,
    Allowance,
    AuditEntry,
    Caller,
    IssuedKey,
    KeyRecord,
)
from .channels import (
    Access,
    Channel,
    ChannelChanges,
    ChannelMetrics,
    ChannelSummary,
    Counts,
    Mode,
    NewChannel,
    OwnedTotals,
    RelatedChannel,
)
from .messages import (
    ArchivedMessage,
    Hold,
    Message,
    Outcome,
    Posted,
    Receipt,
    State,
)
from .pages import (
    Page,
)
from .sessions import (
    Session,
)
from .tasks import (
    Claim,
    DeadLetter,
    Delivery,
    Redriven,
)
from .webhooks import (
    Webhook,
    WebhookAttempt,
    WebhookFailure,
)

__all__ = [
    "Access",
    "AccessAnswer",
    "AccessRequest",
    "Actor",
    "Allowance",
    "ArchivedMessage",
    "AuditEntry",
    "Caller",
    "Channel",
    "ChannelChanges",
    "ChannelMetrics",
    "ChannelSummary",
    "Claim",
    "Counts",
    "DeadLetter",
    "Delivery",
    "Hold",
    "Invitation",
    "IssuedKey",
    "KeyRecord",
    "Member",
    "MembershipEvent",
    "Message",
    "Mode",
    "NewChannel",
    "Outcome",
    "OwnedTotals",
    "Page",
    "Posted",
    "Receipt",
    "Redriven",
    "RelatedChannel",
    "Session",
    "State",
    "Webhook",
    "WebhookAttempt",
    "WebhookFailure",
]
