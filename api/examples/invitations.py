"""Invitations."""

from __future__ import annotations

from typing import Any

from .moments import CLAIMED_AT, EXPIRES_AT, POSTED_AT

INVITATION: dict[str, Any] = {
    "id": "Zr3kQm0aTzX1mV8sLwQ9pYhd",
    "owner_id": "ann",
    "created_by_key_id": "bck_kHdU2jC7RKve",
    "created_at": POSTED_AT,
    "expires_at": EXPIRES_AT,
    "revoked_at": None,
    "active": True,
    "channel": {"id": "editors", "name": "Editors", "mode": "claimable", "description": "articles to review"},
}
REVOKED: dict[str, Any] = INVITATION | {"revoked_at": CLAIMED_AT, "active": False}
