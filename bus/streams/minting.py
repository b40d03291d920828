"""Whether the bus hands out API keys to whoever asks: a setting that can be changed while it runs, for every replica."""

from __future__ import annotations

from .engine import Engine

_FIELD = "public_minting"


class Minting:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def open(self) -> bool:
        """As it was set last, else as BACKCHANNEL_PUBLIC_MINTING has it."""
        kept = await self._engine.store.command("HGET", self._engine.keys.config, _FIELD)
        return self._engine.settings.public_minting if kept is None else kept == "1"

    async def set(self, enabled: bool) -> None:
        await self._engine.store.command("HSET", self._engine.keys.config, _FIELD, int(enabled))
