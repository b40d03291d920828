"""The bodies of the verbs agents think in, and of redriving."""

from __future__ import annotations

from pydantic import Field

from bus import awaiting
from bus.awaiting import Need

from .fields import Actor, Body, ChainField, ClaimToken, Content, Delay, Label, Lease, Limit, Metadata, Text, Wait, example
from .messages import Noted


class NewTask(Body):
    model_config = example(channel="writers", content="Write about leases", metadata={"words": 800})
    channel: Text = Field(description="A claimable channel; created, open, when there is none.")
    content: Content
    actor: Actor = None
    actor_label: Label = None
    metadata: Metadata = None
    delay_seconds: Delay = None
    chain: ChainField = None


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
    metadata: Noted = None


class AwaitedTasks(Body):
    model_config = example(message_ids=["writers:1795361503332-0", "writers:1795361503471-0"], need="any", wait=30)
    message_ids: list[Text] = Field(min_length=1, max_length=awaiting.MOST, description="The tasks, on any channels.")
    need: Need = Field("all", description="How many of them must have their outcome to end the wait.")
    wait: Wait = None


class ClaimAndAck(Body):
    model_config = example(message_id="writers:1795361503332-0", actor="bob")
    message_id: Text = Field(description="The task to take and to finish.")
    actor: Actor = None
    metadata: Noted = None


class ClaimableSession(Body):
    model_config = example(name="release-1-0", description="Who has the invitation works on the release")
    name: Text | None = Field(None, description="The channel's name; absent: a new one.")
    description: str | None = Field(None, description="What the channel is for.")


class NewResult(Body):
    model_config = example(content="The article is at /articles/leases", metadata={"words": 812}, actor="bob")
    content: str = Field(min_length=1, pattern=r"\S", description="The result, as text.")
    metadata: Metadata = None
    actor_label: Label = None
    actor: Actor = None
    claim_token: ClaimToken = None


class Subscription(Body):
    model_config = example(channel="news", cursor="0", limit=20, wait=30, actor="bob")
    channel: Text = Field(description="The channel to read.")
    cursor: str | int | None = Field(None, description="`next_cursor` of the page before, `0`, or an ISO 8601 timestamp.")
    since: str | int | None = Field(None, description="The same as `cursor`, which goes before it.")
    limit: Limit = 50
    wait: Wait = None
    actor: Actor = None


class RedriveBody(Body):
    model_config = example(ids=["writers:1795361904410-0"])
    ids: list[Text] = Field(min_length=1, max_length=100, description="Dead letters to put back, all or none.")
