"""The bodies of administration."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from .fields import MONTH, Body, example
from .keys import AnyScopesOrNull, requires


class MintingSwitch(Body):
    model_config = requires("enabled", False)
    # The contract has a code of its own for what is no boolean.
    enabled: Annotated[Any, WithJsonSchema({"type": "boolean"})] = Field(None, description="Whether POST /v1/keys gives keys.")


class Rotation(Body):
    model_config = example(overlap_seconds=3600)
    overlap_seconds: float = Field(
        86_400, ge=0, le=MONTH, allow_inf_nan=False, description="How long the replaced key stays good; 0: it is over at once."
    )


class NewScopes(Body):
    model_config = requires("scopes", ["messages:read"])
    scopes: AnyScopesOrNull = Field(..., description="What the key may do from now on; null: everything.")
