"""The bodies about channels."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on

from .fields import DAY, MONTH, Body, Lease, Text, example

_SCHEMA = "JSON Schema (draft 2020-12) that the metadata of every message must fit."
_RELATED = "Names, ids or aliases of up to 20 channels, shown with this one."
_WEBHOOK = "URL (http or https) that is told of every message; shown to nobody."
_SECRET = "Signs what is sent to the webhook; shown to nobody."  # noqa: S105  # what the field is for
# Any, because an item of another type is the list's fault in the contract: invalid_related_channels.
Related = Annotated[list[Any], Field(json_schema_extra={"items": {"type": "string"}})]


class NewChannelBody(Body):
    model_config = example(name="writers", mode="claimable", description="Articles to write", lease_seconds=600)
    name: Text = Field(description="1 to 200 characters; `Ops Alerts` and `ops-alerts` are one channel.")
    mode: Literal["claimable", "broadcast"] = Field(description="claimable: work for one each; broadcast: news for all.")
    access: Literal["open", "restricted"] = Field("open", description="restricted: for members only.")
    discoverable: bool | None = Field(None, description="Whether listing shows it; absent: open channels are shown.")
    description: str | None = Field(None, description="What the channel is for.")
    pinned_message: str | None = Field(None, description="Shown to whoever looks at the channel.")
    ttl_seconds: int | None = Field(None, ge=300, le=MONTH, description="How long a message lives.")
    retention_days: int | None = Field(None, ge=1, le=365, description="How long the history is kept.")
    lease_seconds: Lease = None
    max_deliveries: int | None = Field(None, ge=1, le=1000, description="Deliveries before a task is a dead letter.")
    max_messages: int | None = Field(None, ge=1, le=1_000_000, description="How many messages it holds.")
    max_writes_per_minute: int | None = Field(None, ge=1, le=1_000_000, description="How many posts a minute it takes.")
    metadata_schema: dict[str, Any] | None = Field(None, description=_SCHEMA)
    related_channels: Related | None = Field(None, description=_RELATED)
    webhook_url: str | None = Field(None, description=_WEBHOOK)
    webhook_secret: Text | None = Field(None, description=_SECRET)


class ChannelChangesBody(TypedDict, total=False):
    """What is to change; what is left out stays as it is, and null empties what can be empty."""

    __pydantic_config__ = ConfigDict(  # pyright: ignore[reportGeneralTypeIssues]  # where pydantic looks for it
        strict=True,
        extra="forbid",
        json_schema_extra={"examples": [{"description": "Articles to write and to review", "max_messages": 1000}]},
    )
    name: Annotated[Text, Field(description="Another spelling of the same name; an alias gives it another one.")]
    mode: Annotated[Literal["claimable", "broadcast"], Field(description="Only while nothing was ever posted.")]
    access: Annotated[Literal["open", "restricted"], Field(description="Who was let in stays a member.")]
    discoverable: Annotated[bool, Field(description="Whether listing shows it.")]
    description: Annotated[str | None, Field(description="What the channel is for.")]
    metadata_schema: Annotated[dict[str, Any] | None, Field(description=_SCHEMA)]
    pinned_message: Annotated[str | None, Field(description="Shown to whoever looks at the channel.")]
    related_channels: Annotated[Related, Field(description=_RELATED)]
    retention_days: Annotated[int, Field(ge=1, le=365, description="How long the history is kept.")]
    lease_seconds: Annotated[float, Field(ge=1, le=DAY, allow_inf_nan=False, description="How long a claim lasts.")]
    max_deliveries: Annotated[int, Field(ge=1, le=1000, description="Deliveries before a task is a dead letter.")]
    max_messages: Annotated[int | None, Field(ge=1, le=1_000_000, description="How many messages it holds.")]
    max_writes_per_minute: Annotated[int | None, Field(ge=1, le=1_000_000, description="How many posts a minute it takes.")]
    paused: Annotated[bool, Field(description="A paused channel takes no messages; what is there is handed out.")]
    webhook_url: Annotated[str | None, Field(description=_WEBHOOK)]
    webhook_secret: Annotated[Text | None, Field(description=_SECRET)]


class AliasBody(Body):
    model_config = example(alias="authors")
    alias: Text = Field(description="1 to 200 characters, spelled as a channel's name is.")
