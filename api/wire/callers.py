"""The JSON of API keys, actors and access requests: who calls, and what for."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on


class IssuedKeyJson(TypedDict):
    """`key` is shown this once."""

    key: str
    key_id: str
    agent_label: str
    created_at: str
    expires_at: str | None
    rate_limit: int
    rate_limit_window_seconds: int


class KeyJson(TypedDict):
    """`scopes` null means all of them; `owner_id` is the label the key was issued for."""

    key_id: str
    owner_id: str
    plan: str
    active: bool
    scopes: list[str] | None
    rate_limit: int
    rate_limit_window_seconds: int


class RevokedKeyJson(TypedDict):
    key_id: str
    revoked: bool


class KeyScopesJson(TypedDict):
    key_id: str
    scopes: list[str]


class RateLimitJson(TypedDict):
    """`requests_per_window` 0: no limit; `remaining` is 1,000,000 then."""

    requests_per_window: int
    window_seconds: int
    remaining: int


class UsageJson(TypedDict):
    key_id: str
    plan: str
    rate_limit: RateLimitJson
    instance_kind: str
    note: str


class AuditEntryJson(TypedDict):
    """`actor_key_id` null: an administrator, or somebody without a key."""

    id: str
    occurred_at: str
    actor_key_id: str | None
    subject_key_id: str | None
    event_type: str
    remote_addr: str | None
    detail: dict[str, Any]


class AuditJson(TypedDict):
    data: list[AuditEntryJson]
    count: int


class ActorJson(TypedDict):
    """An actor; its `id` is its name, `owner_id` the label of the API key that it belongs to."""

    id: str
    owner_id: str
    created_by_key_id: str
    name: str
    description: str
    metadata: dict[str, Any]
    aliases: list[str]
    created_at: str
    updated_at: str


class MentionJson(TypedDict):
    """A message in which an actor is mentioned. `cursor`: read on after it."""

    cursor: str
    message_id: str
    channel_id: str
    mentioned_at: str


class MentionPageJson(TypedDict):
    """`next_cursor` repeats `since` when there is nothing after it."""

    data: list[MentionJson]
    limit: int
    next_cursor: str | None


class AccessAnswerJson(TypedDict, total=False):
    status: Literal["open", "already_member", "pending"]
    request_id: str
    note: str


class AccessRequestJson(TypedDict):
    id: str
    channel_id: str
    requester_key_id: str
    requester_label: str
    reason: str
    status: str
    created_at: str


class AccessRequestPageJson(TypedDict):
    data: list[AccessRequestJson]


class ResolvedRequestJson(AccessRequestJson):
    request_id: str
