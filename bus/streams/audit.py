"""The audit trail on Redis: one stream of acts on API keys and on the bus as a whole. It never holds a secret."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .. import checks
from ..models import AuditEntry
from .engine import Engine
from .replies import pairs, posted_at
from .scripts import script

_KEPT = 10_000


class Audit:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def note(
        self,
        event_type: str,
        *,
        actor: str | None = None,
        subject: str | None = None,
        address: str | None = None,
        **detail: Any,
    ) -> None:
        """Write down an act. `actor` and `subject`: API key ids; `actor` None: an administrator, or somebody without a key."""
        fields = {
            "event": event_type,
            "actor": actor,
            "subject": subject,
            "address": address,
            "detail": json.dumps(detail, ensure_ascii=False) if detail else None,
        }
        flat = [part for name, value in fields.items() if value is not None for part in (name, value)]
        await self._engine.store.run(script("note_act"), (self._engine.keys.audit,), (_KEPT, *flat))

    async def newest(self, limit: int) -> Sequence[AuditEntry]:
        """Newest first, 1..500. Raises InvalidInput."""
        most = checks.audit_limit(limit)
        found = await self._engine.store.command("XREVRANGE", self._engine.keys.audit, "+", "-", "COUNT", most)
        return [_entry(stream_id, flat) for stream_id, flat in found]

    async def naming(self, key_id: str, limit: int) -> Sequence[AuditEntry]:
        """Those of the newest 500 that name the API key, newest first, 1..500. Raises InvalidInput."""
        most = checks.audit_limit(limit)
        found = await self.newest(checks.MAX_AUDITED)
        return [entry for entry in found if key_id in (entry.actor_key_id, entry.subject_key_id)][:most]


def _entry(stream_id: str, flat: Sequence[str]) -> AuditEntry:
    kept = pairs(flat)
    return AuditEntry(
        id=stream_id,
        occurred_at=posted_at(stream_id),
        event_type=kept.get("event", ""),
        actor_key_id=kept.get("actor"),
        subject_key_id=kept.get("subject"),
        remote_addr=kept.get("address"),
        detail=json.loads(kept.get("detail") or "{}"),
    )
