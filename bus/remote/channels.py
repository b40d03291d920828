"""Channels behind the HTTP API."""

from __future__ import annotations

from datetime import timedelta

from bus import checks
from bus.channels import Created
from bus.models import Caller, Channel, ChannelSummary, Counts, NewChannel, Page

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
            "retention_days": None if channel.retention is None else channel.retention // timedelta(days=1),
            "lease_seconds": None if channel.lease is None else channel.lease.total_seconds(),
            "max_deliveries": channel.max_deliveries,
            "max_messages": channel.max_messages,
            "max_writes_per_minute": channel.max_writes_per_minute,
        }
        answer = await self._http.post(caller, "/v1/channels", body)
        return Created(answer.read(reading.channel), new=answer.status == _CREATED)

    async def get(self, caller: Caller, channel: str) -> Channel:
        return (await self._http.get(caller, f"/v1/channels/{segment(channel)}")).read(reading.channel)

    async def list(self, caller: Caller, *, limit: int = 50, cursor: str | None = None) -> Page[ChannelSummary]:
        checks.page_limit(limit)  # the wire takes any number and clamps it
        found = await self._http.get(caller, "/v1/channels", params={"limit": limit, "cursor": cursor})
        return found.read(lambda body: reading.page(body, reading.summary))

    async def counts(self, caller: Caller, channel: str) -> Counts:
        return (await self._http.get(caller, f"/v1/channels/{segment(channel)}/counts")).read(reading.counts)


def _whole(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration.total_seconds())
