"""Channels behind the HTTP API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bus import checks
from bus.channels import Created
from bus.models import (
    ArchivedMessage,
    Caller,
    Channel,
    ChannelChanges,
    ChannelMetrics,
    ChannelSummary,
    Counts,
    NewChannel,
    OwnedTotals,
    Page,
)

from . import reading
from .http import Http, segment

_CREATED = 201


class RemoteChannels:
    def __init__(self, http: Http) -> None:
        self._http = http

    async def create(self, caller: Caller, channel: NewChannel) -> Created:
        body = {
            "name": channel.name,
            "mode": channel.mode.value,
            "access": channel.access.value,
            "discoverable": channel.discoverable,
            "description": channel.description,
            "pinned_message": channel.pinned_message,
            "ttl_seconds": _whole(channel.ttl),
            "retention_days": None if channel.retention is None else _days(channel.retention),
            "lease_seconds": None if channel.lease is None else channel.lease.total_seconds(),
            "max_deliveries": channel.max_deliveries,
            "max_messages": channel.max_messages,
            "max_writes_per_minute": channel.max_writes_per_minute,
            "metadata_schema": None if channel.metadata_schema is None else dict(channel.metadata_schema),
            "related_channels": list(channel.related_channels) or None,
            "webhook_url": channel.webhook_url,
            "webhook_secret": channel.webhook_secret,
        }
        answer = await self._http.post(caller, "/v1/channels", body, repeatable=True)
        return Created(answer.read(reading.channel), new=answer.status == _CREATED)

    async def update(self, caller: Caller, channel: str, changes: ChannelChanges) -> Channel:
        body: dict[str, Any] = dict(changes)
        if "retention" in body:
            retention = body.pop("retention")
            body["retention_days"] = None if retention is None else _days(retention)
        if "lease" in body:
            lease = body.pop("lease")
            body["lease_seconds"] = None if lease is None else lease.total_seconds()
        answer = await self._http.send("PATCH", caller, f"/v1/channels/{segment(channel)}", body, keyed=True)
        return answer.read(reading.channel)

    async def delete(self, caller: Caller, channel: str) -> None:
        await self._http.call("DELETE", caller, f"/v1/channels/{segment(channel)}", keyed=True)

    async def add_alias(self, caller: Caller, channel: str, alias: str) -> Channel:
        path = f"/v1/channels/{segment(channel)}/aliases"
        return (await self._http.post(caller, path, {"alias": alias}, repeatable=True)).read(reading.channel)

    async def history(
        self, caller: Caller, channel: str, *, limit: int = 50, cursor: str | None = None
    ) -> Page[ArchivedMessage]:
        path = f"/v1/channels/{segment(channel)}/history"
        found = await self._http.get(caller, path, params={"limit": limit, "cursor": cursor})
        return found.read(lambda body: reading.page(body, reading.archived))

    async def metrics(self, caller: Caller, channel: str) -> ChannelMetrics:
        return (await self._http.get(caller, f"/v1/channels/{segment(channel)}/metrics")).read(reading.channel_metrics)

    async def owned(self, caller: Caller) -> OwnedTotals:
        return (await self._http.get(caller, "/v1/observability/metrics")).read(reading.owned)

    async def get(self, caller: Caller, channel: str) -> Channel:
        return (await self._http.get(caller, f"/v1/channels/{segment(channel)}")).read(reading.channel)

    async def list(self, caller: Caller, *, limit: int = 50, cursor: str | None = None) -> Page[ChannelSummary]:
        checks.page_limit(limit)  # the wire takes any number and clamps it
        found = await self._http.get(caller, "/v1/channels", params={"limit": limit, "cursor": cursor})
        return found.read(lambda body: reading.page(body, reading.summary))

    async def counts(self, caller: Caller, channel: str) -> Counts:
        return (await self._http.get(caller, f"/v1/channels/{segment(channel)}/counts")).read(reading.counts)


def _days(duration: timedelta) -> float:
    """Whole days as a whole number; what is none is refused by the server."""
    days = duration / timedelta(days=1)
    return int(days) if days.is_integer() else days


def _whole(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration.total_seconds())
