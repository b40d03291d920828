"""The arguments that several tools share, each described once."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from bus import names
from bus.errors import InvalidInput

ChannelName = str
Content = str
Metadata = dict[str, Any] | None
ActorLabel = Annotated[str | None, Field(description="Signature")]
Actor = str | None
MessageId = str
ClaimToken = Annotated[str | None, Field(description="If another session claimed it")]
IdempotencyKey = str | None
Reason = str | None
WaitSeconds = Annotated[float | None, Field(ge=0, le=3600, description="Default: by client")]
LeaseSeconds = Annotated[float | None, Field(ge=1, le=86_400, description="Hold it so long without renewal")]
DelaySeconds = Annotated[float, Field(ge=0, le=2_592_000, description="Not claimable before")]
Limit = Annotated[int, Field(ge=1, le=100)]


def whole_message_id(message_id: str, channel: str | None = None) -> str:
    """The canonical message id; `channel` helps out when only its second half was given. Raises InvalidInput."""
    given = message_id.strip()
    if channel is not None and ":" not in given:
        given = f"{channel}:{given}"
    of, stream_id = names.split_message_id(given)
    if channel is not None and names.channel_id(channel) != of:
        raise InvalidInput(f"message_id {given} is of the channel {of}, not of {channel}: leave channel out", field="channel")
    return names.message_id(of, stream_id)
