"""The bodies about sessions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from .fields import Body, Text, example

State = Annotated[dict[str, Any] | None, Field(description="A JSON object; bounded as a message's metadata are.")]


class NewSession(Body):
    model_config = example(name="review", state={"article": 17})
    name: Text = Field(description="1 to 200 characters.")
    state: State = None


class SessionChanges(Body):
    """Without a `state`, the whole body is what changes."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow", json_schema_extra={"examples": [{"state": {"page": 3}}]})
    state: Annotated[
        dict[str, Any] | None, Field(description="What to set at the top level of the state; absent: the body itself.")
    ] = None

    @property
    def changes(self) -> dict[str, Any]:
        return (self.state or {}) if "state" in self.model_fields_set else dict(self.model_extra or {})
