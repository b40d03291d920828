"""Sessions on Redis: a hash of JSON for each API key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from .. import checks
from ..errors import InvalidInput
from ..models import Caller, Session
from ..store import Arg
from .engine import ACCEPTED, Engine, milliseconds
from .moments import moment
from .refusals import REFUSALS
from .scripts import script

_LIFETIME = timedelta(hours=24)
_MOST = 100
_NAME_CHARS = 200


class RedisSessions:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, caller: Caller, name: str, *, state: Mapping[str, Any] | None = None) -> Session:
        called, texts = _name(name), self._texts(state)
        reply = await self._run("create_session", caller, str(uuid4()), called, texts, milliseconds(_LIFETIME), _MOST)
        return _session(reply[1])

    async def list(self, caller: Caller) -> Sequence[Session]:
        found = [_session(text) for text in (await self._run("sessions", caller))[1]]
        return sorted(found, key=lambda session: (session.created_at, session.id), reverse=True)

    async def get(self, caller: Caller, session_id: str) -> Session:
        return _session((await self._run("get_session", caller, session_id))[1])

    async def update(self, caller: Caller, session_id: str, state: Mapping[str, Any]) -> Session:
        changes = self._texts(state)
        reply = await self._run("update_session", caller, session_id, changes, self._engine.settings.max_metadata_bytes)
        return _session(reply[1])

    async def delete(self, caller: Caller, session_id: str) -> None:
        await self._run("delete_session", caller, session_id)

    async def _run(self, name: str, caller: Caller, *args: Arg) -> list[Any]:
        key, store = self._engine.keys.sessions(caller.key_id), self._engine.store
        reply: list[Any] = await store.run(script(name, store.publish_prefix), (key,), args)
        if reply[0] not in ACCEPTED:
            raise REFUSALS[reply[0]]("", reply[1:])
        return reply

    def _texts(self, state: Mapping[str, Any] | None) -> str:
        """A state as JSON that has each top-level value as its JSON text: what Lua merges it must not read."""
        checked: dict[str, Any] = json.loads(
            checks.metadata_text(state, max_bytes=self._engine.settings.max_metadata_bytes, field="state")
        )
        return json.dumps({name: _compact(value) for name, value in checked.items()}, ensure_ascii=False)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _name(text: object) -> str:
    name = (checks.optional_text(text, field="name", max_chars=_NAME_CHARS) or "").strip()
    if not name:
        raise InvalidInput("name must be a non-empty string", field="name", code="invalid_string")
    return name


def _session(text: str) -> Session:
    kept: dict[str, Any] = json.loads(text)
    texts: dict[str, str] = kept["state"] or {}  # Lua has one kind of empty table, which may be written as a list
    state = {name: json.loads(value) for name, value in texts.items()}
    return Session(kept["id"], kept["name"], state, moment(kept["created"]), moment(kept["updated"]), moment(kept["expires"]))
