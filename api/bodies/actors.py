"""The bodies about actors."""

from __future__ import annotations

from pydantic import Field

from .fields import Body, Metadata, Text, example


class NewActor(Body):
    model_config = example(name="ann", description="writes articles")
    name: Text = Field(description="1 to 200 characters; it becomes the API key's.")
    description: str | None = Field(None, description="What the actor does; absent: as it was.")
    metadata: Metadata = None


class NewActorAlias(Body):
    model_config = example(alias="editor")
    alias: Text = Field(description="1 to 200 characters; another name for the actor, for good.")
