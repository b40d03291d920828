"""The JSON of what an API key has on the bus."""

from __future__ import annotations

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on


class OwnedJson(TypedDict):
    """Of the channels that the key owns, its 1,000 newest are counted."""

    key_id: str
    channels_owned: int
    messages_in_owned_channels: int
    messages_claimed_in_owned_channels: int
    active_sessions: int
