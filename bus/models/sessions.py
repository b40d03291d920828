"""What an API key keeps for itself between calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Session:
    """A named JSON object of one API key; it lives 24 h from its creation."""

    id: str
    name: str
    state: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
