"""The bodies about one message, and about a task that is held."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from .fields import Actor, Body, ClaimToken, Content, Delay, Label, Lease, Meant, Metadata, Reason, example

Noted = Annotated[
    dict[str, Any] | None,
    Field(description="Taken as first clients send it, and not kept: a claim has no metadata."),
]


class NewMessage(Body):
    model_config = example(content="Write about leases", metadata={"words": 800}, actor_label="ann")
    content: Content
    actor: Actor = None
    actor_label: Label = None
    metadata: Metadata = None
    delay_seconds: Delay = None
    mentions: list[Any] | None = Field(None, description="Names of up to 50 actors that are meant; their webhooks are told.")
    mode: Meant = None
    create: bool = Field(False, description="Create an open channel of that `mode` when there is none.")


class ClaimOne(Body):
    model_config = example(actor="bob", lease_seconds=600)
    actor: Actor = None
    lease_seconds: Lease = None
    metadata: Noted = None


class ClaimWithLease(Body):
    model_config = example(actor="bob", lease_seconds=300)
    actor: Actor = None
    lease_seconds: int = Field(300, ge=30, le=3600, description="How long the claim lasts, in seconds.")
    metadata: Noted = None


class LeaseHeartbeat(Body):
    model_config = example(lease_seconds=300)
    lease_seconds: int = Field(300, ge=30, le=3600, description="The lease ends so many seconds from now.")


class Held(Body):
    """What every verb on a held task takes."""

    actor: Actor = None
    claim_token: ClaimToken = None


class HeartbeatBody(Held):
    model_config = example(claim_token="2~bob", lease_seconds=600)  # noqa: S106  # an example, no secret
    lease_seconds: Lease = None


class AckBody(Held):
    model_config = example(claim_token="2~bob", result={"article": "Leases are …"})  # noqa: S106  # an example, no secret
    status: Literal["done", "failed"] = Field("done", description="failed: it cannot be done; no further delivery.")
    result: Any = Field(None, description="Any JSON value, for the poster.")
    reason: Reason = None
    metadata: Noted = None
    mode: Meant = None


class ReleaseBody(Held):
    model_config = example(claim_token="2~bob", reason="needs a GPU", delay_seconds=60)  # noqa: S106  # an example, no secret
    delay_seconds: Delay = None
    reason: Reason = None


class FailBody(Held):
    model_config = example(claim_token="2~bob", reason="the source did not answer")  # noqa: S106  # an example, no secret
    reason: Reason = None


class CancelBody(Body):
    model_config = example(reason="no longer needed")
    reason: Reason = None
