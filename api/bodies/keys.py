"""The bodies about API keys."""

from __future__ import annotations

from pydantic import Field

from .fields import Body, Text, example


class NewKey(Body):
    model_config = example(agent_label="writer-on-laptop")
    agent_label: Text = Field(description="Who the key is for; an actor of that name comes with it. Cut to 128 characters.")
