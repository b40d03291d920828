"""The shapes of the JSON that the API answers with: what api.shapes builds and what OpenAPI documents."""

from bus.message_json import Acknowledgement, MessageJson, Named, OutcomeJson, Status, TaskState

from .callers import (
    AccessAnswerJson,
    AccessRequestJson,
    AccessRequestPageJson,
    ActorJson,
    IssuedKeyJson,
    KeyJson,
    ResolvedRequestJson,
    RevokedKeyJson,
)
from .channels import ChannelCountsJson, ChannelJson, ChannelPageJson, ChannelSummaryJson, CountsJson
from .messages import (
    ClaimedTaskJson,
    ClaimJson,
    DeadLetterJson,
    DeadLetterPageJson,
    DeliveryJson,
    HeartbeatJson,
    MessagePageJson,
    PostedJson,
    RedrivenItemJson,
    RedrivenJson,
    ResultJson,
    StatusJson,
)
from .server import ErrorJson, HealthJson, ReadyJson

__all__ = [
    "AccessAnswerJson",
    "AccessRequestJson",
    "AccessRequestPageJson",
    "Acknowledgement",
    "ActorJson",
    "ChannelCountsJson",
    "ChannelJson",
    "ChannelPageJson",
    "ChannelSummaryJson",
    "ClaimJson",
    "ClaimedTaskJson",
    "CountsJson",
    "DeadLetterJson",
    "DeadLetterPageJson",
    "DeliveryJson",
    "ErrorJson",
    "HealthJson",
    "HeartbeatJson",
    "IssuedKeyJson",
    "KeyJson",
    "MessageJson",
    "MessagePageJson",
    "Named",
    "OutcomeJson",
    "PostedJson",
    "ReadyJson",
    "RedrivenItemJson",
    "RedrivenJson",
    "ResolvedRequestJson",
    "ResultJson",
    "RevokedKeyJson",
    "Status",
    "StatusJson",
    "TaskState",
]
