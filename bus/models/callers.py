"""Who calls: API keys and actors as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Caller:
    """An API key that has been verified: every verb is done in its name.

    `scopes` None means every scope. `api_key` is the raw key, needed where the bus is remote; it is never shown.
    """

    key_id: str
    label: str
    scopes: frozenset[str] | None = None
    api_key: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new API key. `api_key` is shown this once and stored nowhere but as its SHA-256."""

    key_id: str
    label: str
    api_key: str = field(repr=False)
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    name: str
    key_id: str
    description: str
    metadata: Mapping[str, Any]
    created_at: datetime
