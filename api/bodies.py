"""What the API takes: request bodies and parameters, with descriptions and examples for OpenAPI.

Types only; what a value may be is the bus's business. Unknown fields are ignored, as the contract has it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

_DAY = 86_400
_MONTH = 2_592_000

Text = Annotated[str, Field(min_length=1)]
Content = Annotated[str, Field(min_length=1, description="What is handed over, stored as sent; UTF-8 bytes are limited.")]
Actor = Annotated[
    str | None, Field(description="The name the agent acts under; absent: the API key's label. A name belongs to one key.")
]
Label = Annotated[str | None, Field(description="Free text by which the poster signs.")]
Metadata = Annotated[dict[str, Any] | None, Field(description="A JSON object kept with the message.")]
Delay = Annotated[
    float | None, Field(ge=0, le=_MONTH, allow_inf_nan=False, description="Not claimable before, in seconds from now.")
]
Lease = Annotated[
    float | None,
    Field(ge=1, le=_DAY, allow_inf_nan=False, description="How long the claim lasts, in seconds; absent: the channel's."),
]
ClaimToken = Annotated[
    str | None,
    Field(description="The token of the claim. Absent: whatever delivery of the task `actor` holds now."),
]
Meant = Annotated[
    Literal["claimable", "broadcast"] | None, Field(description="The kind of channel that is meant; absent: either will do.")
]
Reason = Annotated[str | None, Field(description="Why, in words for a reader.")]
Wait = Annotated[
    float | None,
    Field(ge=0, le=_DAY, allow_inf_nan=False, description="Hold the request up to this many seconds; the server caps it."),
]
Limit = Annotated[int, Field(ge=1, le=100, description="Page size.")]

ChannelPath = Annotated[str, Path(description="The channel's name or id.", examples=["writers"])]
MessagePath = Annotated[str, Path(description="The message's id.", examples=["writers:1795361503332-0"])]
ActorPath = Annotated[str, Path(description="The actor's name.", examples=["ann"])]
RequestPath = Annotated[str, Path(description="The access request's id.")]
CursorQuery = Annotated[str | None, Query(description="`next_cursor` of the page before.")]
SinceQuery = Annotated[str | None, Query(description="The same as `cursor`; also `0` or an ISO 8601 timestamp.")]
LimitQuery = Annotated[int, Query(ge=1, le=100, description="Page size, 1 to 100.")]
WaitQuery = Annotated[
    float,
    Query(ge=0, le=_DAY, allow_inf_nan=False, description="Hold the request up to this many seconds; the server caps it."),
]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


def _example(**fields: Any) -> ConfigDict:
    return ConfigDict(strict=True, frozen=True, extra="ignore", json_schema_extra={"examples": [fields]})


class NewKey(_Body):
    model_config = _example(agent_label="writer-on-laptop")
    agent_label: Text = Field(description="Who the key is for; an actor of that name comes with it. Cut to 128 characters.")


class NewChannelBody(_Body):
    model_config = _example(name="writers", mode="claimable", description="Articles to write", lease_seconds=600)
    name: Text = Field(description="1 to 200 characters; `Ops Alerts` and `ops-alerts` are one channel.")
    mode: Literal["claimable", "broadcast"] = Field(description="claimable: work for one each; broadcast: news for all.")
    access: Literal["open", "restricted"] = Field("open", description="restricted: for members only.")
    discoverable: bool | None = Field(None, description="Whether listing shows it; absent: open channels are shown.")
    description: str | None = Field(None, description="What the channel is for.")
    pinned_message: str | None = Field(None, description="Shown to whoever looks at the channel.")
    ttl_seconds: int | None = Field(None, ge=300, le=_MONTH, description="How long a message lives.")
    retention_days: int | None = Field(None, ge=1, le=365, description="How long the history is kept.")
    lease_seconds: Lease = None
    max_deliveries: int | None = Field(None, ge=1, le=1000, description="Deliveries before a task is a dead letter.")
    max_messages: int | None = Field(None, ge=1, le=1_000_000, description="How many messages it holds.")
    max_writes_per_minute: int | None = Field(None, ge=1, le=1_000_000, description="How many posts a minute it takes.")
    metadata_schema: dict[str, Any] | None = Field(None, description="Not supported yet: refused unless empty.")
    related_channels: list[Any] | None = Field(None, description="Not supported yet: refused unless empty.")
    webhook_url: str | None = Field(None, description="Not supported yet: refused.")
    webhook_secret: str | None = Field(None, description="Not supported yet: refused.")


class AccessRequestBody(_Body):
    model_config = _example(reason="I review what the writers post")
    reason: str | None = Field(None, description="Shown to the channel's owner.")


class NewMessage(_Body):
    model_config = _example(content="Write about leases", metadata={"words": 800}, actor_label="ann")
    content: Content
    actor: Actor = None
    actor_label: Label = None
    metadata: Metadata = None
    delay_seconds: Delay = None
    mentions: list[Any] | None = Field(None, description="Not supported yet: refused unless empty.")
    mode: Meant = None
    create: bool = Field(False, description="Create an open channel of that `mode` when there is none.")


class NewTask(_Body):
    model_config = _example(channel="writers", content="Write about leases", metadata={"words": 800})
    channel: Text = Field(description="A claimable channel; created, open, when there is none.")
    content: Content
    actor: Actor = None
    actor_label: Label = None
    metadata: Metadata = None
    delay_seconds: Delay = None


class NewBroadcast(_Body):
    model_config = _example(channel="news", content="Version 2 is out")
    channel: Text = Field(description="A broadcast channel; created, open, when there is none.")
    content: Content
    actor: Actor = None
    actor_label: Label = None
    metadata: Metadata = None


class ClaimNext(_Body):
    model_config = _example(channel="writers", actor="bob", wait=30)
    channel: Text | None = Field(None, description="Where to take the oldest waiting task from.")
    channels: list[Text] | None = Field(
        None, min_length=1, max_length=20, description="Instead of `channel`: several, tried in this order."
    )
    actor: Actor = None
    wait: Wait = None
    lease_seconds: Lease = None


class ClaimOne(_Body):
    model_config = _example(actor="bob", lease_seconds=600)
    actor: Actor = None
    lease_seconds: Lease = None


class Held(_Body):
    """What every verb on a held task takes."""

    actor: Actor = None
    claim_token: ClaimToken = None


class HeartbeatBody(Held):
    model_config = _example(claim_token="2~bob", lease_seconds=600)  # noqa: S106  # an example, no secret
    lease_seconds: Lease = None


class AckBody(Held):
    model_config = _example(claim_token="2~bob", result={"article": "Leases are …"})  # noqa: S106  # an example, no secret
    status: Literal["done", "failed"] = Field("done", description="failed: it cannot be done; no further delivery.")
    result: Any = Field(None, description="Any JSON value, for the poster.")
    reason: Reason = None
    mode: Meant = None


class ReleaseBody(Held):
    model_config = _example(claim_token="2~bob", reason="needs a GPU", delay_seconds=60)  # noqa: S106  # an example, no secret
    delay_seconds: Delay = None
    reason: Reason = None


class FailBody(Held):
    model_config = _example(claim_token="2~bob", reason="the source did not answer")  # noqa: S106  # an example, no secret
    reason: Reason = None


class CancelBody(_Body):
    model_config = _example(reason="no longer needed")
    reason: Reason = None


class Subscription(_Body):
    model_config = _example(channel="news", since="0", limit=20, wait=30, actor="bob")
    channel: Text = Field(description="The channel to read.")
    since: str | int | None = Field(None, description="`next_cursor` of the page before, `0`, or an ISO 8601 timestamp.")
    limit: Limit = 50
    wait: Wait = None
    actor: Actor = None


class RedriveBody(_Body):
    model_config = _example(ids=["writers:1795361904410-0"])
    ids: list[Text] = Field(min_length=1, max_length=100, description="Dead letters to put back, all or none.")


class NewActor(_Body):
    model_config = _example(name="ann", description="writes articles")
    name: Text = Field(description="1 to 200 characters; it becomes the API key's.")
    description: str | None = Field(None, description="What the actor does.")
    metadata: Metadata = None
