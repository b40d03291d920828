"""Who calls: API keys and actors as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

NO_LIMIT: Final = 1_000_000
"""What remains where there is no limit: whoever looks at the number alone is never told to stop."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An API key that has been verified: every verb is done in its name.

    `scopes` None means every scope. `api_key` is the raw key, needed where the bus is remote; it is never shown.
    `address`: the source address of an HTTP request, for the audit trail.
    """

    key_id: str
    label: str
    scopes: frozenset[str] | None = None
    api_key: str | None = field(default=None, repr=False, compare=False)
    address: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of a rate limit is left: `limit` calls per `window`, 0 for no limit (`remaining` is NO_LIMIT then).

    `retry_after` is 0 when the call was let through, else how long until the next one would be.
    """

    limit: int
    window: timedelta
    remaining: int
    retry_after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """An API key as an administrator sees it, without the key. `rotated_until`: until when the replaced secret is good."""

    key_id: str
    label: str
    scopes: frozenset[str] | None
    created_at: datetime
    revoked_at: datetime | None
    rotated_until: datetime | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act on API keys or on the bus as a whole, such as `key.issue`.

    `actor_key_id` None: an administrator, or somebody who had no key yet.
    """

    id: str
    occurred_at: datetime
    event_type: str
    actor_key_id: str | None
    subject_key_id: str | None
    remote_addr: str | None
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new API key. `api_key` is shown this once and stored nowhere but as its SHA-256."""

    key_id: str
    label: str
    api_key: str = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """A name that agents act under. `owner_label`: the label of the API key that it belongs to, when it was made."""

    name: str
    key_id: str
    owner_label: str
    description: str
    metadata: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    aliases: Sequence[str] = ()
