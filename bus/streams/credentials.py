"""API keys on Redis as their holders meet them: one script says whose a key is and counts the call."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from .. import credentials
from ..errors import InsufficientScope, MintingClosed, Unauthorized
from ..models import Allowance, AuditEntry, Caller, IssuedKey
from ..models.callers import NO_LIMIT
from .actors import RedisActors
from .api_keys import ApiKeys, digest, is_key_id, scope_list, scopes_of
from .audit import Audit
from .engine import Engine
from .minting import Minting
from .rates import Rates
from .scripts import script

_NOBODY = digest("no such key")


class RedisCredentials:
    def __init__(self, engine: Engine, actors: RedisActors) -> None:
        self._engine = engine
        self._audit = Audit(engine)
        self._api_keys = ApiKeys(engine, actors, self._audit)
        self._minting = Minting(engine)
        self._rates = Rates(engine)

    async def issue(self, label: str, *, address: str | None = None) -> IssuedKey:
        if not await self._minting.open():
            raise MintingClosed("this bus hands out no API keys by itself; ask whoever runs it for one")
        settings = self._engine.settings
        # Before the label is looked at: whoever guesses labels is counted as well.
        await self._rates.spend("mint", address, settings.key_mint_limit, settings.mint_window)
        return await self._api_keys.mint(label, address=address)

    async def verify(self, api_key: str) -> Caller:
        return (await self._admit(api_key, limit=0, address=None))[0]

    async def admit(self, api_key: str, *, address: str | None = None) -> tuple[Caller, Allowance]:
        limit, window = self._engine.settings.rate_limit, self._engine.settings.rate_window
        caller, left, retry_ms = await self._admit(api_key, limit=limit, address=address)
        return caller, Allowance(limit, window, left if limit else NO_LIMIT, timedelta(milliseconds=retry_ms))

    async def _admit(self, api_key: str, *, limit: int, address: str | None) -> tuple[Caller, int, int]:
        key_id, dot, _ = api_key.partition(".")
        if not dot or not is_key_id(key_id) or len(api_key) > 200:
            raise Unauthorized("this is no API key: they look like bck_<id>.<secret>")
        hashed, keys = digest(api_key), self._engine.keys
        reply: list[Any] | None = await self._engine.store.run(
            script("admit"),
            (keys.api_key(key_id), keys.rate(key_id)),
            (hashed, limit, self._engine.settings.rate_limit_window * 1000),
        )
        # Compared even when there is no such key, so that the time taken tells nothing.
        same = hmac.compare_digest(reply[0] if reply else _NOBODY, hashed)
        if not same or reply is None:
            raise Unauthorized("this API key is unknown or was revoked; POST /v1/keys (tool: issue_key) gives a new one")
        return Caller(key_id, reply[1] or key_id, scopes_of(reply[2]), api_key, address), reply[3], reply[4]

    async def confirm(self, caller: Caller) -> None:
        if caller.api_key:
            await self.verify(caller.api_key)
            return
        record = self._engine.keys.api_key(caller.key_id)
        kept, revoked = await self._engine.store.command("HMGET", record, "sha256", "revoked_ms")
        if not kept or revoked:
            raise _gone()

    async def revoke(self, caller: Caller) -> None:
        if await self._api_keys.revoke(caller.key_id):
            await self._audit.note("key.revoke", actor=caller.key_id, subject=caller.key_id, address=caller.address)

    async def set_scopes(self, caller: Caller, scopes: Sequence[str]) -> Caller:
        wanted = scope_list(scopes)
        changed, now = await self._api_keys.set_scopes(caller.key_id, wanted, narrow=True)
        if not changed:
            if now is None:
                raise _gone()
            for scope in wanted:
                credentials.require(Caller(caller.key_id, caller.label, now), scope)
            raise InsufficientScope("an API key can only narrow its own scopes", granted_scopes=sorted(now))
        await self._audit.note("key.scopes", actor=caller.key_id, subject=caller.key_id, address=caller.address, scopes=wanted)
        return Caller(caller.key_id, caller.label, now, caller.api_key, caller.address)

    async def usage(self, caller: Caller) -> Allowance:
        return await self._rates.of_key(caller.key_id)

    async def audit(self, caller: Caller, *, limit: int = 100) -> Sequence[AuditEntry]:
        return await self._audit.naming(caller.key_id, limit)


def _gone() -> Unauthorized:
    return Unauthorized("this API key was revoked, or the bus it was minted on is no longer there")
