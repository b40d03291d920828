"""Who may enter a restricted channel, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .channels import Mode


@dataclass(frozen=True, slots=True)
class AccessAnswer:
    """`status`: `open` (no access needed), `already_member`, or `pending` with the request's id."""

    status: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class AccessRequest:
    id: str
    channel: str
    key_id: str
    label: str
    reason: str
    status: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """An API key that may enter a restricted channel.

    `invitation_id`: the invitation that let it in, if one did: its id's SHA-256, since the id itself lets in.
    """

    channel: str
    key_id: str
    granted_at: datetime
    invitation_id: str | None = None


@dataclass(frozen=True, slots=True)
class MembershipEvent:
    """What happened to a channel's membership.

    `event_type`: `member_added`, `member_removed`, `invitation_resolved` or `invitation_revoked`.
    `invitation_id` is the SHA-256 of the invitation's id.
    """

    id: str
    channel: str
    event_type: str
    actor_key_id: str | None
    subject_key_id: str | None
    invitation_id: str | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class InvitedChannel:
    """What an invitation says of its channel."""

    id: str
    name: str
    mode: Mode
    description: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """A way into a channel for whoever has its id, as often as it is used, until it expires or is revoked."""

    id: str
    channel: InvitedChannel
    owner_label: str
    created_by_key_id: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    active: bool
