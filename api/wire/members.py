"""The JSON of members and of what happened to them."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on


class MemberJson(TypedDict):
    """`granted_via_invitation_id`: the SHA-256 of the invitation's id, which itself is a secret."""

    id: str
    channel_id: str
    key_id: str
    granted_at: str
    granted_via_invitation_id: str | None


class MembersJson(TypedDict):
    data: list[MemberJson]


class RemovedMemberJson(TypedDict):
    status: Literal["removed"]


class MembershipEventJson(TypedDict):
    """`invitation_id`: the SHA-256 of the invitation's id."""

    id: str
    channel_id: str
    event_type: Literal["member_added", "member_removed", "invitation_resolved", "invitation_revoked"]
    actor_key_id: str | None
    subject_key_id: str | None
    invitation_id: str | None
    metadata: dict[str, Any]
    created_at: str
    expires_at: str


class MembershipEventPageJson(TypedDict):
    data: list[MembershipEventJson]
    limit: int
    next_cursor: str | None
