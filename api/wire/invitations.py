"""The JSON of invitations."""

from __future__ import annotations

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on


class InvitedChannelJson(TypedDict):
    id: str
    name: str
    mode: str
    description: str


class InvitationJson(TypedDict):
    """`id` lets in whoever has it: it is shown when the invitation is made, and to who presents it."""

    id: str
    owner_id: str
    created_by_key_id: str
    created_at: str
    expires_at: str
    revoked_at: str | None
    active: bool
    channel: InvitedChannelJson
