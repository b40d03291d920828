"""The bodies of the verbs agents think in, and of redriving."""

from __future__ import annotations

from pydantic import Field

from .fields import Actor, Body, Content, Delay, Label, Lease, Limit, Metadata, Text, Wait, example


class NewTask(Body):
    model_config = example(channel="writers", content="Write about leases", metadata={"words": 800})
    channel: Text = Field(description="A claimable channel; created, open, when there is none.")
    content: Content
    actor: Actor = None
    actor_label: Label = None
    metadata: Metadata = None
    delay_seconds: Delay = None


class NewBroadcast(Body):
    model_config = example(channel="news", content="Version 2 is out")
    channel: Text = Field(description="A broadcast channel; created, open, when there is none.")
    content: Content
    actor: Actor = None
    actor_label: Label = None
    metadata: Metadata = None


class ClaimNext(Body):
    model_config = example(channel="writers", actor="bob", wait=30)
    channel: Text | None = Field(None, description="Where to take the oldest waiting task from.")
    channels: list[Text] | None = Field(
        None, min_length=1, max_length=20, description="Instead of `channel`: several, tried in this order."
    )
    actor: Actor = None
    wait: Wait = None
    lease_seconds: Lease = None


class Subscription(Body):
    model_config = example(channel="news", since="0", limit=20, wait=30, actor="bob")
    channel: Text = Field(description="The channel to read.")
    since: str | int | None = Field(None, description="`next_cursor` of the page before, `0`, or an ISO 8601 timestamp.")
    limit: Limit = 50
    wait: Wait = None
    actor: Actor = None


class RedriveBody(Body):
    model_config = example(ids=["writers:1795361904410-0"])
    ids: list[Text] = Field(min_length=1, max_length=100, description="Dead letters to put back, all or none.")
