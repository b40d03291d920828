"""The bodies about channels."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .fields import MONTH, Body, Lease, Text, example


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
    metadata_schema: dict[str, Any] | None = Field(None, description="Not supported yet: refused unless empty.")
    related_channels: list[Any] | None = Field(None, description="Not supported yet: refused unless empty.")
    webhook_url: str | None = Field(None, description="Not supported yet: refused.")
    webhook_secret: str | None = Field(None, description="Not supported yet: refused.")
