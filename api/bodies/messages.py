"""The bodies about one message, and about a task that is held."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from .fields import (
    Actor,
    Body,
    ChainField,
    ClaimToken,
    Content,
    Delay,
    Label,
    Lease,
    Meant,
    Metadata,
    Reason,
    Text,
    Wait,
    example,
)

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
    chain: ChainField = None
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
    model_config = example(claim_token="2~bob", note="2 of 4 sections")  # noqa: S106  # an example, no secret
    lease_seconds: Lease = None
    note: str | None = Field(None, description="How far the work is, in 1 to 500 characters, for whoever may see its result.")
    automatic: bool = Field(
        False, description="Sent by a program by itself, which is no sign that the holder still thinks of the task."
    )


class AskBody(Held):
    model_config = example(claim_token="2~bob", question="Which audience is it for?")  # noqa: S106  # an example, no secret
    question: Text = Field(description="What the work hangs on, for the poster; UTF-8 bytes are limited.")


class AwaitAnswerBody(Held):
    model_config = example(claim_token="2~bob", wait=30)  # noqa: S106  # an example, no secret
    wait: Wait = None


class AnswerBody(Body):
    model_config = example(answer="Operators", actor_label="ann")
    answer: Text = Field(description="For whoever holds the task; UTF-8 bytes are limited.")
    actor_label: Label = None


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
