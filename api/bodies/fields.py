"""What several bodies and routes take: fields, path and query parameters, and the base of every body."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

DAY = 86_400
MONTH = 2_592_000

Text = Annotated[str, Field(min_length=1)]
Content = Annotated[str, Field(min_length=1, description="What is handed over, stored as sent; UTF-8 bytes are limited.")]
Actor = Annotated[
    str | None, Field(description="The name the agent acts under; absent: the API key's label. A name belongs to one key.")
]
Label = Annotated[str | None, Field(description="Free text by which the poster signs.")]
Metadata = Annotated[dict[str, Any] | None, Field(description="A JSON object kept with the message.")]
Delay = Annotated[
    float | None, Field(ge=0, le=MONTH, allow_inf_nan=False, description="Not claimable before, in seconds from now.")
]
Lease = Annotated[
    float | None,
    Field(ge=1, le=DAY, allow_inf_nan=False, description="How long the claim lasts, in seconds; absent: the channel's."),
]
ClaimToken = Annotated[
    str | None,
    Field(description="The token of the claim. Absent: whatever delivery of the task `actor` holds now."),
]
Meant = Annotated[
    Literal["claimable", "broadcast"] | None, Field(description="The kind of channel that is meant; absent: either will do.")
]
Reason = Annotated[str | None, Field(description="Why, in words for a reader.")]
Wait = Annotated[
    float | None,
    Field(ge=0, le=DAY, allow_inf_nan=False, description="Hold the request up to this many seconds; the server caps it."),
]
Limit = Annotated[int, Field(ge=1, le=100, description="Page size.")]

ChannelPath = Annotated[str, Path(description="The channel's name or id.", examples=["writers"])]
MessagePath = Annotated[str, Path(description="The message's id.", examples=["writers:1795361503332-0"])]
LeaseTokenPath = Annotated[str, Path(description="The token that claim-with-lease gave.")]
ActorPath = Annotated[str, Path(description="The actor's name.", examples=["ann"])]
InvitationPath = Annotated[str, Path(description="The invitation's id, which lets in whoever has it.")]
KeyPath = Annotated[str, Path(description="The API key's id: what stands before its dot.", examples=["bck_9sLwQ0aTzX1m"])]
SessionPath = Annotated[str, Path(description="The session's id.")]
RequestPath = Annotated[str, Path(description="The access request's id.")]
CursorQuery = Annotated[str | None, Query(description="`next_cursor` of the page before.")]
SinceQuery = Annotated[str | None, Query(description="The same as `cursor`; also `0` or an ISO 8601 timestamp.")]
LimitQuery = Annotated[int, Query(ge=1, le=100, description="Page size, 1 to 100.")]
AnyLimitQuery = Annotated[
    int, Query(description="Page size, taken as 1 to 100."), AfterValidator(lambda limit: min(max(limit, 1), 100))
]
"""For lists that the first Backchannel gave to whatever limit was sent."""
WaitQuery = Annotated[
    float,
    Query(ge=0, le=DAY, allow_inf_nan=False, description="Hold the request up to this many seconds; the server caps it."),
]


class Body(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


def example(**fields: Any) -> ConfigDict:
    return ConfigDict(strict=True, frozen=True, extra="ignore", json_schema_extra={"examples": [fields]})


class ChainBody(Body):
    """The `chain` of the task that is worked on."""

    id: str = Field(description="The chain's first task.", examples=["writers:1795361503332-0"])
    hops: int = Field(ge=0, le=10_000, description="How many tasks lie between that one and the one worked on.")


def _copied(given: object, validate: ValidatorFunctionWrapHandler) -> ChainBody | None:
    """One code for whatever is wrong with it: nobody mends a chain, it is copied."""
    try:
        found: ChainBody | None = validate(given)
    except ValidationError:
        raise PydanticCustomError(
            "invalid_chain", 'must be the `chain` of a task as it was given, like {"id": "writers:1795361503332-0", "hops": 1}'
        ) from None
    return found


ChainField = Annotated[
    ChainBody | None,
    WrapValidator(_copied),
    Field(description="The `chain` of the task in whose course this one is posted: it becomes the next hop. Tasks only."),
]
