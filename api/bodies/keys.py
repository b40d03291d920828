"""The bodies about API keys."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema

from bus.credentials import SCOPES

from .fields import Body

_SCOPES: dict[str, Any] = {"type": "array", "items": {"type": "string", "enum": sorted(SCOPES)}}
# What these may be, the bus says: a call that is refused for one of them counts against the limit of its address, or
# has an error code of its own in the contract.
AnyLabel = Annotated[Any, WithJsonSchema({"type": "string", "minLength": 1})]
AnyScopes = Annotated[Any, WithJsonSchema(_SCOPES)]
AnyScopesOrNull = Annotated[Any, WithJsonSchema({"anyOf": [_SCOPES, {"type": "null"}]})]


def requires(field: str, value: Any) -> ConfigDict:
    """For a body whose one field has no type that pydantic could ask for."""
    return ConfigDict(
        strict=True, frozen=True, extra="ignore", json_schema_extra={"required": [field], "examples": [{field: value}]}
    )


class NewKey(Body):
    model_config = requires("agent_label", "writer-on-laptop")
    agent_label: AnyLabel = Field(
        None, description="Who the key is for; an actor of that name comes with it. Cut to 128 characters."
    )


class NarrowerScopes(Body):
    model_config = requires("scopes", ["messages:claim", "messages:ack"])
    scopes: AnyScopes = Field(None, description="What the key may do from now on: some of what it may do now.")
