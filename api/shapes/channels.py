"""Channels as JSON."""

from __future__ import annotations

from datetime import timedelta

from api.wire import channels as wire
from bus.message_json import message_json
from bus.models import ArchivedMessage, Channel, ChannelMetrics, ChannelSummary, Counts, Page

from .moments import stamp, stamp_or_none


def channel(c: Channel) -> wire.ChannelJson:
    return {
        "id": c.id,
        "owner_id": c.owner_label,
        "created_by_key_id": c.owner_key_id,
        "name": c.name,
        "mode": c.mode.value,
        "access": c.access.value,
        "discoverable": c.discoverable,
        "description": c.description,
        "metadata_schema": dict(c.metadata_schema),
        "pinned_message": c.pinned_message,
        "ttl_seconds": round(c.ttl.total_seconds()),
        "retention_days": c.retention.days,
        "lease_seconds": c.lease.total_seconds(),
        "max_deliveries": c.max_deliveries,
        "max_messages": c.max_messages,
        "max_writes_per_minute": c.max_writes_per_minute,
        "paused": c.paused,
        "aliases": list(c.aliases),
        "related_channels": [{"id": r.id, "name": r.name, "mode": r.mode.value} for r in c.related_channels],
        "has_webhook": c.has_webhook,
        "created_at": stamp(c.created_at),
        "updated_at": stamp(c.updated_at),
    }


def counts(c: Counts) -> wire.CountsJson:
    return {
        "total": c.total,
        "waiting": c.waiting,
        "delayed": c.delayed,
        "in_flight": c.in_flight,
        "done": c.done,
        "dead": c.dead,
        "next_available_at": stamp_or_none(c.next_available_at),
    }


def channel_page(page: Page[ChannelSummary], limit: int) -> wire.ChannelPageJson:
    return {"data": [_summary(c) for c in page.items], "limit": limit, "next_cursor": page.next_cursor}


def _summary(c: ChannelSummary) -> wire.ChannelSummaryJson:
    return {
        "id": c.id,
        "name": c.name,
        "mode": c.mode.value,
        "access": c.access.value,
        "description": c.description,
        "created_at": stamp(c.created_at),
        "is_member": c.is_member,
        "counts": counts(c.counts),
    }


def history_page(page: Page[ArchivedMessage], limit: int) -> wire.HistoryPageJson:
    return {"data": [_archived(each) for each in page.items], "limit": limit, "next_cursor": page.next_cursor}


def _archived(each: ArchivedMessage) -> wire.ArchivedMessageJson:
    return {**message_json(each.message), "active": False, "archived_at": stamp(each.archived_at)}


def channel_metrics(channel_id: str, m: ChannelMetrics) -> wire.ChannelMetricsJson:
    """Nobody claims a broadcast message, so all of them are unclaimed."""
    taken = m.counts.in_flight + m.counts.done
    return {
        "channel_id": channel_id,
        "message_counts": {
            "total": m.counts.total,
            "unclaimed": m.counts.total - taken,
            "claimed": m.counts.in_flight,
            "acknowledged": m.acknowledged,
        },
        "counts": counts(m.counts),
        "avg_claim_to_ack_ms": None if m.claim_to_ack is None else round(m.claim_to_ack / timedelta(milliseconds=1)),
        "computed_at": stamp(m.computed_at),
    }
