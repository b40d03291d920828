"""Administration as JSON."""

from __future__ import annotations

from api.wire import admin as wire
from bus.models import KeyRecord, Page

from .callers import scopes
from .moments import stamp, stamp_or_none


def key_record(record: KeyRecord) -> wire.KeyRecordJson:
    return {
        "key_id": record.key_id,
        "agent_label": record.label,
        "active": record.revoked_at is None,
        "scopes": scopes(record.scopes),
        "created_at": stamp(record.created_at),
        "revoked_at": stamp_or_none(record.revoked_at),
        "rotated_until": stamp_or_none(record.rotated_until),
    }


def key_page(page: Page[KeyRecord], limit: int) -> wire.KeyPageJson:
    return {"data": [key_record(each) for each in page.items], "limit": limit, "next_cursor": page.next_cursor}
