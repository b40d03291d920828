"""The JSON of sessions."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on


class SessionJson(TypedDict):
    id: str
    name: str
    state: dict[str, Any]
    created_at: str
    updated_at: str
    expires_at: str


class SessionsJson(TypedDict):
    data: list[SessionJson]


class DeletedSessionJson(TypedDict):
    status: Literal["deleted"]
