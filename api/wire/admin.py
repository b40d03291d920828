"""The JSON of administration."""

from __future__ import annotations

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on


class KeyRecordJson(TypedDict):
    """An API key without its secret; `scopes` null means all of them. `rotated_until`: until when a replaced key is good."""

    key_id: str
    agent_label: str
    active: bool
    scopes: list[str] | None
    created_at: str
    revoked_at: str | None
    rotated_until: str | None


class KeyPageJson(TypedDict):
    data: list[KeyRecordJson]
    limit: int
    next_cursor: str | None


class MintingJson(TypedDict):
    public_minting_enabled: bool
