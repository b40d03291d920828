"""What whoever runs the bus may do, on Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from .. import checks
from ..admin import OVERLAP
from ..errors import InvalidInput, KeyNotFound
from ..models import AuditEntry, Channel, IssuedKey, KeyRecord, Page
from ..rates import exceeded
from . import newest_first
from .actors import RedisActors
from .api_keys import ApiKeys, is_key_id, scope_list
from .audit import Audit
from .channels import RedisChannels
from .engine import Engine
from .minting import Minting
from .rates import Rates

_WRONG_TOKENS = (10, timedelta(seconds=60))
_NO_OVERLAP = timedelta(0)
_LONGEST_OVERLAP = timedelta(days=30)


class RedisAdmin:
    def __init__(self, engine: Engine, actors: RedisActors, channels: RedisChannels) -> None:
        self._engine = engine
        self._channels = channels
        self._audit = Audit(engine)
        self._api_keys = ApiKeys(engine, actors, self._audit)
        self._minting = Minting(engine)
        self._rates = Rates(engine)

    async def admit(self, *, right: bool, address: str | None) -> None:
        allowance = await self._rates.take("admin", address, *_WRONG_TOKENS, cost=0 if right else 1)
        if allowance.retry_after:
            raise exceeded(allowance, "your address, for wrong admin tokens,")

    async def issue_key(self, label: str, *, address: str | None = None) -> IssuedKey:
        return await self._api_keys.mint(label, address=address, by_admin=True)

    async def list_keys(self, *, limit: int = 50, cursor: str | None = None) -> Page[KeyRecord]:
        position, limit = newest_first.position(cursor), checks.page_limit(limit)
        found, next_cursor = await position.page(self._engine.store, self._engine.keys.api_keys, limit)
        records = await asyncio.gather(*(self._api_keys.record(key_id) for key_id, _ in found))
        return Page([record for record in records if record], next_cursor)

    async def rotate_key(self, key_id: str, *, overlap: timedelta = OVERLAP, address: str | None = None) -> IssuedKey:
        checks.duration(overlap, field="overlap_seconds", least=_NO_OVERLAP, most=_LONGEST_OVERLAP)
        issued = await self._api_keys.rotate(_key_id(key_id), overlap)
        if issued is None:
            raise _not_found(key_id)
        seconds = overlap.total_seconds()
        await self._audit.note("key.rotate", subject=key_id, address=address, overlap_seconds=seconds)
        return issued

    async def revoke_key(self, key_id: str, *, address: str | None = None) -> KeyRecord:
        if await self._api_keys.revoke(_key_id(key_id)):
            await self._audit.note("key.revoke", subject=key_id, address=address)
        return await self._record(key_id)

    async def set_key_scopes(self, key_id: str, scopes: Sequence[str] | None, *, address: str | None = None) -> KeyRecord:
        wanted = None if scopes is None else scope_list(scopes)
        changed, _ = await self._api_keys.set_scopes(_key_id(key_id), wanted, narrow=False)
        if not changed:
            raise _not_found(key_id)
        await self._audit.note("key.scopes", subject=key_id, address=address, scopes=wanted)
        return await self._record(key_id)

    async def _record(self, key_id: str) -> KeyRecord:
        record = await self._api_keys.record(key_id)
        if record is None:
            raise _not_found(key_id)
        return record

    async def set_public_minting(self, enabled: bool, *, address: str | None = None) -> bool:
        if not isinstance(enabled, bool):  # pyright: ignore[reportUnnecessaryIsInstance]  # from the wire comes anything
            raise InvalidInput("enabled must be true or false", field="enabled", code="invalid_field")
        await self._minting.set(enabled)
        await self._audit.note("minting.open" if enabled else "minting.close", address=address)
        return enabled

    async def public_minting(self) -> bool:
        return await self._minting.open()

    async def pause_channel(self, channel: str, *, address: str | None = None) -> Channel:
        return await self._pause(channel, 1, "channel.pause", address)

    async def resume_channel(self, channel: str, *, address: str | None = None) -> Channel:
        return await self._pause(channel, 0, "channel.resume", address)

    async def _pause(self, channel: str, paused: int, event_type: str, address: str | None) -> Channel:
        name = await self._engine.channel(channel)
        reply = await self._engine.run("pause_channel", name, paused)
        if reply[2]:
            await self._audit.note(event_type, address=address, channel=name)
        return await self._channels.shown(name, reply[1])

    async def audit(self, *, limit: int = 100) -> Sequence[AuditEntry]:
        return await self._audit.newest(limit)


def _key_id(text: str) -> str:
    """Raises KeyNotFound for what is no key id."""
    if not is_key_id(text):
        raise _not_found(text)
    return text


def _not_found(key_id: str) -> KeyNotFound:
    return KeyNotFound(f"there is no API key '{key_id[:40]}', or it was revoked; list_keys shows which there are")
