"""Who may enter a restricted channel, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
