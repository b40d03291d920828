"""What an API key has on the bus."""

from __future__ import annotations

from typing import Any

OWNED: dict[str, Any] = {
    "key_id": "bck_kHdU2jC7RKve",
    "channels_owned": 2,
    "messages_in_owned_channels": 41,
    "messages_claimed_in_owned_channels": 3,
    "active_sessions": 1,
}
