"""The JSON of errors and of the server's own state."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict  # pydantic documents typing's own only from Python 3.12 on


class HealthJson(TypedDict):
    """The process runs; `db_latency_ms` is null while the store does not answer."""

    status: Literal["ok"]
    api_version: str
    version: str
    instance_kind: str
    db_latency_ms: float | None
    store: str | None
    notifications: str | None
    public_minting_enabled: bool
    status_url: str


class ReadyJson(TypedDict):
    status: Literal["ready"]
    store: str
    server: str
    notifications: str


class StatusJson(TypedDict):
    """For people and monitors; `degraded` while the store does not answer."""

    status: Literal["operational", "degraded"]
    version: str
    instance_kind: str
    updated_at: str
    availability: str
    health_url: str
    self_host_url: str | None


class _ErrorJson(TypedDict):
    error: str
    message: str
    request_id: str
    documentation_url: str


class ErrorJson(_ErrorJson, total=False):
    """What happened and what to do next; `error` is the code to test for. More members may follow, by code."""

    field: str
    retry_after: float
