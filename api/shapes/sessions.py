"""Sessions as JSON."""

from __future__ import annotations

from api.wire import sessions as wire
from bus.models import Session

from .moments import stamp


def session(s: Session) -> wire.SessionJson:
    return {
        "id": s.id,
        "name": s.name,
        "state": dict(s.state),
        "created_at": stamp(s.created_at),
        "updated_at": stamp(s.updated_at),
        "expires_at": stamp(s.expires_at),
    }
