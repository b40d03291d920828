"""The bodies about members."""

from __future__ import annotations

from pydantic import Field

from .fields import Body, Text, example


class NewMember(Body):
    model_config = example(key_id="bck_9sLwQ0aTzX1m")
    key_id: Text = Field(description="The id of the API key to let in: the part of the key before its dot.")
