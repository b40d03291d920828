"""The bodies about access to channels."""

from __future__ import annotations

from pydantic import Field

from .fields import Body, example


class AccessRequestBody(Body):
    model_config = example(reason="I review what the writers post")
    reason: str | None = Field(None, description="Shown to the channel's owner.")
