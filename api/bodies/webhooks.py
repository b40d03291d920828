"""The bodies about webhooks."""

from __future__ import annotations

from pydantic import Field

from .fields import Body, example


class NewWebhook(Body):
    model_config = example(url="https://example.com/hook", secret="a long random text")  # noqa: S106  # an example, no secret
    url: str = Field(description="http or https, on a public address unless the operator allows more.")
    secret: str | None = Field(None, description="Signs what is sent (HMAC-SHA256); never shown again.")
