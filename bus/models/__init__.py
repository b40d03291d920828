"""The values that the bus takes and gives: frozen, typed, the same over Redis and over HTTP."""

from .access import (
    AccessAnswer,
    AccessRequest,
    Invitation,
    InvitedChannel,
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
    Acked,
    ArchivedMessage,
    Chain,
    Hold,
    Mention,
    Message,
    Outcome,
    Posted,
    Progress,
    Question,
    Receipt,
    State,
    Workers,
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
    "Acked",
    "Actor",
    "Allowance",
    "ArchivedMessage",
    "AuditEntry",
    "Caller",
    "Chain",
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
    "InvitedChannel",
    "IssuedKey",
    "KeyRecord",
    "Member",
    "MembershipEvent",
    "Mention",
    "Message",
    "Mode",
    "NewChannel",
    "Outcome",
    "OwnedTotals",
    "Page",
    "Posted",
    "Progress",
    "Question",
    "Receipt",
    "Redriven",
    "RelatedChannel",
    "Session",
    "State",
    "Webhook",
    "WebhookAttempt",
    "WebhookFailure",
    "Workers",
]
